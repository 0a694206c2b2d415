"""Versions of a large index share most of their catalog: what is read does not depend on it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from rag.building import staging
from rag.building.builder import build_index
from rag.errors import IndexCorruptError, IndexMissingError
from rag.index.catalog import Catalog
from rag.index.check import check_index, roll_back
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, open_index, share_catalogs, write_articles


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    return write_articles(tmp_path, ARTICLES)


def refuse(*_: object) -> None:
    raise OSError("no links here")


def version_path(index_dir: Path, number: int) -> Path:
    return IndexFolder(index_dir, "news").version_path(number)


MORE = {"id": "more", "text": "The ferry sails again."}


def build_two_versions(index_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one has an article more, and shares the catalog of the first."""
    build(index_dir)
    share_catalogs(monkeypatch)
    write_articles(index_dir.parent, [*ARTICLES, MORE])
    build(index_dir)


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
    build_two_versions(index_dir, monkeypatch)
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
    build_two_versions(index_dir, monkeypatch)
    path = version_path(index_dir, 2) / "earlier.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(IndexCorruptError, match=r"earlier\.sqlite has"):
        open_index(index_dir)
    build(index_dir)
    assert check_index(IndexFolder(index_dir, "news")).ok


# Damage that a build comes upon: nothing of it is taken over as if it were whole


def damage_text(path: Path) -> None:
    whole = path.read_bytes()
    assert b"a strike next week" in whole
    path.write_bytes(whole.replace(b"a strike next week", b"a strike last week"))


def assert_right(index_dir: Path, n_articles: int) -> None:
    assert check_index(IndexFolder(index_dir, "news")).findings == ()
    with open_index(index_dir) as index:
        article = index.catalog.article("ferry")
        assert article is not None
        assert article.text == ARTICLES[1]["text"]
        assert len(list(index.catalog.all_articles())) == n_articles


@pytest.mark.parametrize("links", [True, False])
def test_damaged_article_that_moves_is_no_whole_one(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    build(index_dir)
    share_catalogs(monkeypatch)
    if not links:
        monkeypatch.setattr(staging.os, "link", refuse)
    damage_text(version_path(index_dir, 1) / "articles.sqlite")
    (index_dir.parent / "news.jsonl").rename(index_dir.parent / "moved.jsonl")
    (index_dir / "news" / "index.toml").write_text('sources = ["../../moved.jsonl"]\n')
    report = build(index_dir)
    assert (report.note or "").startswith("everything is embedded anew") == links
    assert_right(index_dir, 3)


def test_damaged_page_of_a_shared_catalog(index_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(index_dir)
    share_catalogs(monkeypatch)
    path = version_path(index_dir, 1) / "articles.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as catalog:
        roots = dict(catalog.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0"))
        (page_bytes,) = catalog.execute("PRAGMA page_size").fetchone()
    write_articles(index_dir.parent, [*ARTICLES, MORE])
    shutil.copytree(index_dir.parent, index_dir.parent.with_name("pristine"))
    for name, page in roots.items():
        copy = index_dir.parent.with_name(f"damaged-{name}")
        shutil.copytree(index_dir.parent.with_name("pristine"), copy)
        path = version_path(copy / "indexes", 1) / "articles.sqlite"
        data = bytearray(path.read_bytes())
        data[(page - 1) * page_bytes : page * page_bytes] = b"\xff" * page_bytes
        path.write_bytes(data)
        build(copy / "indexes")
        folder = IndexFolder(copy / "indexes", "news")
        with OpenIndex(folder, n_threads=1, hashed_catalog_bytes=0) as index:
            texts = {article.article_id: article.text for article in index.catalog.all_articles()}
        assert texts == {article["id"]: article["text"] for article in (*ARTICLES, MORE)}, name
        # Where the build did not come upon the damage, nothing reads it, but checking tells.
        found = check_index(folder).findings
        assert all("earlier.sqlite has another sha256" in item.message for item in found), name
        assert all("rag build news --full" in item.mend for item in found), name


def test_staging_that_lost_its_link_is_begun_again(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(name: str) -> None:
        if name == "batch stored":
            raise KeyboardInterrupt

    build(index_dir)
    share_catalogs(monkeypatch)
    write_articles(index_dir.parent, [*ARTICLES, MORE])
    embedder = FakeEmbedder()
    folder = IndexFolder(index_dir, "news")
    with pytest.raises(KeyboardInterrupt):
        build_index(
            folder,
            model_sha256=embedder.identity.sha256,
            load_embedder=lambda _: embedder,
            on_step=stop,
        )
    (folder.staging / "earlier.sqlite").unlink()
    build(index_dir)
    assert_right(index_dir, 4)


def test_catalog_without_what_it_goes_on_from(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_two_versions(index_dir, monkeypatch)
    (version_path(index_dir, 2) / "earlier.sqlite").unlink()
    with pytest.raises(IndexCorruptError, match=r"earlier\.sqlite does not open"):
        Catalog.open(version_path(index_dir, 2) / "articles.sqlite")


@pytest.mark.parametrize("max_changed", [1_000, 0])
def test_nothing_is_left_of_a_version_that_is_not_taken_over(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch, max_changed: int
) -> None:
    build_two_versions(index_dir, monkeypatch)
    monkeypatch.setattr(staging, "MAX_CHANGED", max_changed)
    path = version_path(index_dir, 2) / "articles.sqlite"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    write_articles(index_dir.parent, [*ARTICLES, MORE, {**MORE, "id": "most", "text": "It sank."}])
    build(index_dir)
    assert "copy" not in {entry.name for entry in version_path(index_dir, 3).iterdir()}
    assert_right(index_dir, 5)


def test_unchanged_build_does_not_share_damage(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_two_versions(index_dir, monkeypatch)
    damage_text(version_path(index_dir, 2) / "earlier.sqlite")
    assert "anew" in (build(index_dir).note or "")
    assert_right(index_dir, 4)
    assert not build(index_dir).published


def test_ids_are_not_used_again(index_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(index_dir)
    share_catalogs(monkeypatch)
    path = version_path(index_dir, 1) / "articles.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as catalog:
        catalog.execute("UPDATE meta SET value='1' WHERE key LIKE 'next_%'")
        catalog.commit()
    manifest = version_path(index_dir, 1) / "manifest.json"
    assert manifest.exists()
    write_articles(index_dir.parent, [*ARTICLES, MORE])
    build(index_dir)
    with OpenIndex(IndexFolder(index_dir, "news"), n_threads=1, hashed_catalog_bytes=0) as index:
        assert len(list(index.catalog.all_articles())) == 4
        assert len(set(index.vectors.ids.tolist())) == index.manifest.n_chunks
