"""The lexical index: going on from another version's gives what writing it anew gives."""

from __future__ import annotations

import random
from pathlib import Path

from rag.index.lexical import LexicalIndex, can_update, update_lexical, write_lexical
from rag.index.rows import ChunkText
from tests.support import ARTICLES, build, open_index, write_articles

WORDS = [f"word{n}" for n in range(300)]


def chunks(first: int, n: int) -> list[ChunkText]:
    made = []
    for chunk_id in range(first, first + n):
        draw = random.Random(chunk_id)
        text = " ".join(draw.choices(WORDS, k=40))
        source = f"Paper {chunk_id % 3}"
        made.append(ChunkText(chunk_id, "A title", text, 700_000, source, '{"section": "sport"}'))
    return made


def test_updated_index_finds_what_a_new_one_finds(tmp_path: Path) -> None:
    old, updated, anew = (tmp_path / name for name in ("old", "updated", "anew"))
    first, more = chunks(1, 1_000), chunks(1_001, 200)
    write_lexical(old, "en", first)
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    update_lexical(old, updated, "en", (), more)
    write_lexical(anew, "en", [*first, *more])
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    one, two = LexicalIndex(updated), LexicalIndex(anew)
    for word in WORDS[:40]:
        scores = [dict(index.search([word, "word7"], 1_200)) for index in (one, two)]
        assert scores[0] == scores[1]


def test_removed_chunks_are_found_no_more(tmp_path: Path) -> None:
    old, updated = tmp_path / "old", tmp_path / "updated"
    write_lexical(old, "en", chunks(1, 500))
    update_lexical(old, updated, "en", range(1, 101), chunks(501, 10))
    index = LexicalIndex(updated)
    assert index.n_chunks == 410
    assert index.chunk_ids_where({}).tolist() == list(range(101, 511))
    assert index.chunk_ids_where({"section": "sport"}).tolist() == list(range(101, 511))
    assert all(chunk_id > 100 for chunk_id, _ in index.search(["word3"], 500))


def test_small_or_much_changed_indexes_are_written_anew(tmp_path: Path) -> None:
    write_lexical(tmp_path / "small", "en", chunks(1, 50))
    assert not can_update(tmp_path / "small", 0)
    plain = [ChunkText(n, "", "word", 0, "", "{}") for n in range(1, 20_101)]
    write_lexical(tmp_path / "large", "en", plain)
    assert can_update(tmp_path / "large", 400)
    assert not can_update(tmp_path / "large", 403)


def test_articles_that_mention_every_word_in_any_form(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    with open_index(index_dir) as index:
        assert set(index.mentions("ferries")) == {"harbour", "ferry"}
        assert set(index.mentions("the ferry strikes")) == {"ferry"}
        assert set(index.mentions("repair")) == {"harbour"}  # of the title too
        ((start, end),) = index.mentions("cupboard").values()
        article = index.catalog.article("museum")
        assert article is not None
        assert "cupboard" in article.text[start:end]
        assert index.mentions("ferry OR painting") == {}
        assert index.mentions("zebra") == index.mentions(" ,") == {}
