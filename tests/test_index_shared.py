"""Versions of a large index share most of their catalog: what is read does not depend on it."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from rag.errors import IndexCorruptError, IndexMissingError
from rag.index import staging
from rag.index.check import check_index, roll_back
from rag.index.layout import IndexFolder
from rag.index.reader import OpenIndex
from tests.support import ARTICLES, build, open_index, share_catalogs, write_articles


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    return write_articles(tmp_path, ARTICLES)


def version_path(index_dir: Path, number: int) -> Path:
    return IndexFolder(index_dir, "news").version_path(number)


def everything(index_dir: Path) -> dict[str, Any]:
    """All that can be read of an index; where it lies left out."""
    with open_index(index_dir) as index:
        catalog, columns = index.catalog, index.catalog.columns
        ids = columns.chunk_ids.tolist()
        sources = [
            columns.source_names[place] if place >= 0 else None
            for place in columns.sources.tolist()
        ]
        assert set(columns.source_names) == set(filter(None, sources))
        return {
            "articles": list(catalog.all_articles()),
            "removed": [catalog.removed(article.article_id) for article in catalog.all_articles()],
            "known": catalog.known(),
            "skipped": catalog.skipped(),
            "chunks": repr(catalog.chunks(ids)),
            "texts": sorted(catalog.chunk_texts()),
            "vectors": [
                (i.tolist(), v.tolist())
                for i, v in catalog.chunk_vectors(index.manifest.embedder.dimension)
            ],
            "columns": [ids, columns.days.tolist(), sources, columns.article_numbers.tolist()],
            "keys": columns.article_keys.tolist(),
            "in faiss": index.vectors.ids.tolist(),
            "in tantivy": index.lexical.chunk_ids_where({}).tolist(),
            "found": index.lexical.search(["ferry", "strike"], 5),
        }


def test_sharing_reads_as_copying_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same twenty nights, with catalogs shared and copied, articles of all fates."""
    draw = random.Random(4)
    articles = {article["id"]: dict(article) for article in ARTICLES}
    folders = {name: tmp_path / name for name in ("shared", "copied")}
    merged = 0
    for night in range(20):
        for number in range(draw.randrange(3)):
            name = f"n{night}-{number}"
            articles[name] = {
                "id": name,
                "title": f"Ferry news of night {night}",
                "text": f"On night {night} the ferry crews spoke of strike {number}. " * 3,
                "source": draw.choice(["Osterby Post", f"Paper {night}"]),
                "published": f"2024-04-{night + 1:02d}",
            }
        for name in draw.sample(sorted(articles), 2):
            fate = draw.choice(["changed", "removed", "same"])
            if fate == "changed":
                articles[name]["text"] += f" Changed in night {night}."
            elif fate == "removed" and len(articles) > 2:
                del articles[name]
        moving = draw.choice(sorted(articles))
        read = {}
        for way, folder in folders.items():
            index = folder / "indexes" / "news"
            index.mkdir(parents=True, exist_ok=True)
            (index / "index.toml").write_text('sources = ["../../sources"]\n')
            (folder / "sources").mkdir(exist_ok=True)
            write_articles(folder, [a for name, a in articles.items() if name != moving])
            (folder / "news.jsonl").replace(folder / "sources" / "a.jsonl")
            write_articles(folder, [articles[moving]])  # it stood in the other file last night
            (folder / "news.jsonl").replace(folder / "sources" / "b.jsonl")
            share_catalogs(monkeypatch)
            monkeypatch.setattr(staging, "SHARED_BYTES", 0 if way == "shared" else 10**9)
            # About every fifth night what changed is merged.
            monkeypatch.setattr(staging, "MAX_CHANGED", 0 if night % 5 == 4 else 1_000)
            version = build(folder / "indexes").version
            path = version_path(folder / "indexes", version)
            if way == "copied":
                assert not (path / "earlier.sqlite").exists()
            elif night:
                merged += not (path / "earlier.sqlite").exists()
            assert check_index(IndexFolder(folder / "indexes", "news")).ok
            read[way] = everything(folder / "indexes")
        assert read["shared"] == read["copied"], night
    assert merged >= 3


def test_an_earlier_catalog_is_one_file(index_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(index_dir)
    share_catalogs(monkeypatch)
    first = os.stat(version_path(index_dir, 1) / "articles.sqlite")
    before = (version_path(index_dir, 1) / "articles.sqlite").read_bytes()
    for night in range(3):
        more = {"id": f"more-{night}", "text": f"The ferry sails again in night {night}."}
        write_articles(index_dir.parent, [*ARTICLES, more])
        number = build(index_dir).version
        path = version_path(index_dir, number) / "earlier.sqlite"
        assert os.stat(path).st_ino == first.st_ino
        assert path.read_bytes() == before
    assert IndexFolder(index_dir, "news").versions() == [3, 4]


def test_without_links_the_earlier_catalog_is_copied(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    build(index_dir)
    share_catalogs(monkeypatch)
    monkeypatch.setattr(staging.os, "link", refuse)
    write_articles(index_dir.parent, ARTICLES[:2])
    build(index_dir)
    first, second = (version_path(index_dir, number) for number in (1, 2))
    assert not (first / "articles.sqlite").samefile(second / "earlier.sqlite")
    assert check_index(IndexFolder(index_dir, "news")).ok


def test_damage_to_a_shared_catalog(index_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hurts every version that shares it, is never a wrong answer, and `--full` mends it."""
    build(index_dir)
    share_catalogs(monkeypatch)
    write_articles(index_dir.parent, [*ARTICLES, {"id": "more", "text": "The ferry sails."}])
    build(index_dir)
    path = version_path(index_dir, 2) / "earlier.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"a strike next week", b"a strike last week"))
    folder = IndexFolder(index_dir, "news")
    index = OpenIndex(folder, n_threads=1, hashed_catalog_bytes=0)
    with index, pytest.raises(IndexCorruptError, match="rag build news --full"):
        list(index.catalog.all_articles())
    assert not check_index(folder).ok
    with pytest.raises(IndexCorruptError):
        open_index(index_dir)
    with pytest.raises(IndexMissingError, match="rag build news --full"):
        roll_back(folder)
    build(index_dir, full=True)
    assert check_index(folder).ok


def test_a_truncated_shared_catalog_is_not_taken_over(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(index_dir)
    share_catalogs(monkeypatch)
    write_articles(index_dir.parent, [*ARTICLES, {"id": "more", "text": "The ferry sails."}])
    build(index_dir)
    path = version_path(index_dir, 2) / "earlier.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(IndexCorruptError, match=r"earlier\.sqlite has"):
        open_index(index_dir)
    build(index_dir)
    assert check_index(IndexFolder(index_dir, "news")).ok
