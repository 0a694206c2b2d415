"""Boilerplate: what a publisher puts into many articles is no evidence, and the text stays."""

from __future__ import annotations

import itertools
import json
import random
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.article import Article
from rag.building.boilerplate import (
    NEAR_CHARACTERS,
    Carrier,
    boilerplate,
    line_keys,
    publisher_of,
    share_told_elsewhere,
)
from rag.cli import main
from rag.engine import Rag
from rag.index.check import check_index
from rag.index.layout import IndexFolder
from rag.page.article import whole
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import build, open_index, rewrite_catalog, write_articles
from tests.test_building_stories import prose

CALL = "Our morning letter tells readers all about Osterby and its harbour before breakfast."
BRIDGE = "The harbour bridge closes on Monday for nine weeks of repairs that the council ordered."
TOPICS = ("Bread", "Chess", "Dance", "Eagles", "Frost", "Grapes", "Honey", "Ivory", "Jazz", "Kites")
(KEY,), _ = line_keys(CALL, [(0, len(CALL))])


def carrier(number: int, **changed: Any) -> Carrier:
    values = {
        "number": number,
        "order": number * 7919 % 1013,
        "publisher": "post",
        "story": number,
        "published": f"2024-03-{number % 28 + 1:02}",
        "title": f"Title{'abcdefghijklmnopqrstuvwxyz'[number % 26]}{number}",
    }
    return Carrier(**{**values, **changed})


def found(
    articles: list[Carrier], having: set[int] | None = None, *, key: int = KEY, elsewhere: float = 0
) -> dict[str, list[int]]:
    """What is boilerplate where these articles (all, if it is not said) have the line."""
    lines = {
        one.number: np.array(
            [key] if having is None or one.number in having else [], dtype=np.uint64
        )
        for one in articles
    }
    made = boilerplate(articles, lines, lambda *_: elsewhere)
    return {publisher: keys.tolist() for publisher, keys in made.items()}


def test_a_line_of_many_articles_is_boilerplate() -> None:
    assert found([carrier(n) for n in range(5)]) == {"post": [KEY]}
    assert found([carrier(n) for n in range(4)]) == {}


def test_copies_of_one_story_and_articles_of_one_day_count_once() -> None:
    assert found([carrier(n, story=min(n, 3)) for n in range(40)]) == {}
    assert found([carrier(n, published=f"2024-03-0{n % 4 + 1}") for n in range(40)]) == {}
    assert found([carrier(n, published=None) for n in range(5)]) == {"post": [KEY]}


def test_what_goes_with_a_subject_is_news() -> None:
    """What led to a war, what a disease is: the titles share a word, or the text is about it."""
    storm = [
        carrier(n, title=f"Storm reaches {TOPICS[n]}" if n % 2 else TOPICS[n]) for n in range(8)
    ]
    assert found(storm) == {}
    assert found([carrier(n) for n in range(8)], elsewhere=0.5) == {}


def test_a_line_needs_a_share_of_its_publishers_stories() -> None:
    """The shorter, the more: five words stand in many articles by chance."""
    articles = [carrier(n) for n in range(3_000)]
    (short,), _ = line_keys("No arrests have been made.", [(0, 26)])
    assert found(articles, set(range(5))) == {}
    assert found(articles, set(range(6))) == {"post": [KEY]}
    assert found(articles, set(range(29)), key=short) == {}
    assert found(articles, set(range(30)), key=short) == {"post": [short]}


def test_other_publishers_take_nothing_from_one() -> None:
    """Whoever prints a sentence of another in a thousand articles silences it in his own."""
    theirs = [carrier(n, publisher="attacker") for n in range(1_000)]
    ours = [carrier(n) for n in range(1_000, 1_010)]
    assert found([*theirs, *ours], {*range(1_000), 1_000}) == {"attacker": [KEY]}


@given(st.permutations(range(12)), st.integers(3, 9), st.randoms(use_true_random=False))
def test_the_order_of_the_articles_does_not_matter(
    order: list[int], n_having: int, draw: random.Random
) -> None:
    articles = [carrier(n, story=n // 2 if n < 4 else n, order=draw.randint(0, 5)) for n in order]
    in_order = sorted(articles, key=lambda one: one.number)
    assert found(articles, set(range(n_having))) == found(in_order, set(range(n_having)))


@given(st.text(), st.data())
def test_lines_of_any_text(text: str, data: st.DataObject) -> None:
    ends = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    spans = list(itertools.pairwise(ends))
    keys, kept = line_keys(text, spans)
    assert len(keys) == len(kept)
    assert {tuple(span) for span in kept.tolist()} <= set(spans)
    for start, end in spans:
        assert 0 <= share_told_elsewhere(text[:9], text, start, end) <= 1


def test_case_and_punctuation_do_not_tell_lines_apart() -> None:
    same = [CALL, CALL.upper(), f"({CALL.replace(' and ', ', and ')})"]
    assert {int(line_keys(line, [(0, len(line))])[0][0]) for line in same} == {KEY}
    other = CALL.replace("morning", "evening")
    assert line_keys(other, [(0, len(other))])[0].tolist() != [KEY]
    assert line_keys("Four words of chance.", [(0, 21)])[0].tolist() == []


def test_words_beside_a_line_are_not_elsewhere() -> None:
    """Boilerplate comes in blocks, in which one line repeats words of another."""
    block, body = f"{CALL} {CALL}", prose(1, 400)
    assert share_told_elsewhere("", f"{block} {body}", 0, len(CALL)) == 0
    far = f"{block} {'x' * NEAR_CHARACTERS} {CALL} {body}"
    assert share_told_elsewhere("", far, 0, len(CALL)) == 1
    assert share_told_elsewhere("Osterby harbour", f"{block} {body}", 0, len(CALL)) == 2 / 9
    assert share_told_elsewhere("", "I do not say so.", 0, 16) == 1  # in doubt it is news


@pytest.mark.parametrize(
    ("source", "url", "path", "publisher"),
    [
        ("Osterby Post", "https://www.example.org/a", "a/b.html", "osterby post"),
        (None, "https://www.example.org/a", "a/b.html", "example.org"),
        (None, None, "a/b.html", "/a"),
        (None, "http://[", "a.zip/b/c.html", "/a.zip/b"),
        (None, None, None, "/."),
    ],
)
def test_whose_lines_are_compared(
    source: str | None, url: str | None, path: str | None, publisher: str
) -> None:
    assert publisher_of(source, url, path) == publisher


# In an index


def news(n: int, *, call: bool = True, **more: Any) -> dict[str, Any]:
    text = f"{prose(n, 63)} {CALL if call else ''} {prose(n + 50, 63)}"
    return {"id": f"a{n}", "title": f"{TOPICS[n]} in town", "text": text, "source": "Osterby Post",
            "published": f"2024-03-{n + 1:02}", **more}  # fmt: skip


def test_boilerplate_is_told_and_is_no_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = news(9) | {"text": f"{BRIDGE} {prose(70, 45)} {CALL}", "title": "Repairs ordered"}
    few = [news(n, call=n < 3) for n in range(9)]
    question = "What does the morning letter tell about Osterby and its harbour?"
    quotes = {}
    for name, articles in (("few", few), ("many", [*map(news, range(9))])):
        index_dir = write_articles(tmp_path / name, [*articles, bridge])
        build(index_dir)
        with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM([CALL]),
                 Settings(min_evidence=0)) as rag:  # fmt: skip
            answer = rag.ask(question)
            quotes[name] = [citation.quote for citation in answer.citations]
            lines = rag.boilerplate("a9")
            assert rag.boilerplate("nobody") == ()
    assert CALL in quotes["few"]
    assert CALL not in quotes["many"]
    (line,) = lines
    text = bridge["text"]
    assert (line.text, text[line.start : line.end]) == (CALL, CALL)
    assert check_index(IndexFolder(index_dir, "news")).findings == ()
    monkeypatch.setenv("RAG_INDEX_DIR", str(index_dir))
    told = {}
    for words in ("show news a9", "show news a9 --json", "show news"):
        with pytest.raises(SystemExit):
            main(words.split())
        told[words] = capsys.readouterr().out
    stands = "No evidence, as it stands in many articles of its publisher:"
    assert stands in told["show news a9"]
    shown = json.loads(told["show news a9 --json"])
    assert shown["boilerplate"] == [line.model_dump()]
    assert shown["article"]["text"] == text
    assert "boilerplate 10 sentences" in told["show news"]


def test_the_page_tells_it_beside_the_article() -> None:
    made = whole(Article(article_id="a", title="A", text=CALL), (), lines=["<b> & so on"])
    assert "1 sentence" in made
    assert "<li><code>&lt;b&gt; &amp; so on</code></li>" in made
    assert "no evidence" not in whole(Article(article_id="a", title="A", text=CALL), ())


def test_an_attacker_takes_no_sentence_from_another_paper(tmp_path: Path) -> None:
    theirs = [news(n, source="Attacker") | {"text": f"{prose(n, 63)} {BRIDGE}"} for n in range(9)]
    ours = news(9) | {"text": f"{BRIDGE} {prose(70, 45)}"}
    index_dir = write_articles(tmp_path, [*theirs, ours])
    build(index_dir)
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM()) as rag:
        assert rag.boilerplate("a9") == ()
        assert [line.text for line in rag.boilerplate("a3")] == [BRIDGE]


def marked(index_dir: Path) -> set[tuple[str, int, int]]:
    with open_index(index_dir) as index:
        columns = index.catalog.columns
        names = {n: a.article_id for n, a in index.catalog.articles(
            columns.article_numbers.tolist()).items()}  # fmt: skip
        return {(names[n], start, end) for n, start, end in columns.boilerplate.tolist()}


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sets(st.integers(0, 9), min_size=4), min_size=2, max_size=3),
       order=st.randoms(use_true_random=False))  # fmt: skip
def test_updates_end_where_a_full_build_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[set[int]], order: random.Random
) -> None:
    grown, fresh = tmp_path_factory.mktemp("grown"), tmp_path_factory.mktemp("fresh")
    for step in steps:
        index_dir = write_articles(grown, [news(n) for n in order.sample(sorted(step), len(step))])
        build(index_dir, allow_removal=True)
    anew = write_articles(fresh, [news(n) for n in sorted(steps[-1])])
    build(anew)
    assert marked(index_dir) == marked(anew)
    assert {name for name, _, _ in marked(anew)} == (
        {f"a{n}" for n in steps[-1]} if len(steps[-1]) >= 5 else set()
    )


def test_an_index_without_lines_opens_and_the_next_build_finds_them(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [news(n) for n in range(8)])
    build(index_dir)
    version = index_dir / "news/versions/000001"
    before = marked(index_dir)
    assert len(before) == 8
    rewrite_catalog(version, "DELETE FROM columns WHERE name='boilerplate'")
    rewrite_catalog(version, "DROP TABLE lines")
    rewrite_catalog(version, "DELETE FROM meta WHERE key='lines'")
    assert marked(index_dir) == set()
    assert build(index_dir).published  # though no article has changed
    assert marked(index_dir) == before
    write_articles(tmp_path, [news(n) for n in range(9)])
    build(index_dir)
    after = marked(index_dir)
    assert before < after
    assert {name for name, _, _ in after} == {f"a{n}" for n in range(9)}


def test_a_span_outside_of_a_text_is_damage(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [news(n) for n in range(8)])
    build(index_dir)
    data = np.array([[1, 0, 1_000_000]], dtype="<i8").tobytes()
    rewrite_catalog(
        index_dir / "news/versions/000001",
        f"UPDATE columns SET data=x'{data.hex()}', checksum={zlib.crc32(data)}"
        " WHERE name='boilerplate'",
    )
    report = check_index(IndexFolder(index_dir, "news"))
    assert not report.ok
    assert "boilerplate 0-1000000 of article 1 is not in its text" in report.findings[0].message
