"""Damage and older formats that a build comes upon: nothing of it is taken over as whole."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from rag.building.builder import build_index
from rag.errors import IndexFormatError, IndexMissingError
from rag.index.check import check_index, roll_back
from rag.index.layout import IndexFolder
from rag.index.manifest import describe_file, read_manifest, write_manifest
from rag.index.opened import list_indexes
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, open_index, rewrite_catalog, write_articles

MORE = {"id": "more", "text": "The ferry sails again."}


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    return write_articles(tmp_path, ARTICLES)


def folder_of(index_dir: Path) -> IndexFolder:
    return IndexFolder(index_dir, "news")


def version_path(index_dir: Path, number: int) -> Path:
    return folder_of(index_dir).version_path(number)


def damage_text(path: Path) -> None:
    whole = path.read_bytes()
    assert b"a strike next week" in whole
    path.write_bytes(whole.replace(b"a strike next week", b"a strike last week"))


def assert_right(index_dir: Path, n_articles: int) -> None:
    assert check_index(folder_of(index_dir)).findings == ()
    with open_index(index_dir) as index:
        article = index.catalog.article("ferry")
        assert article is not None
        assert article.text == ARTICLES[1]["text"]
        assert len(list(index.catalog.all_articles())) == n_articles


def move_source(index_dir: Path) -> None:
    """The articles stand in another file from here on."""
    (index_dir.parent / "news.jsonl").rename(index_dir.parent / "moved.jsonl")
    (index_dir / "news" / "index.toml").write_text('sources = ["../../moved.jsonl"]\n')


def stop_when_stored(index_dir: Path) -> None:
    """Begin a build and stop it when its first batch is stored."""

    def stop(name: str) -> None:
        if name == "batch stored":
            raise KeyboardInterrupt

    embedder = FakeEmbedder()
    with pytest.raises(KeyboardInterrupt):
        build_index(
            folder_of(index_dir),
            model_sha256=embedder.identity.sha256,
            load_embedder=lambda _: embedder,
            on_step=stop,
        )


def test_a_damaged_article_that_moves_is_no_whole_one(index_dir: Path) -> None:
    build(index_dir)
    damage_text(version_path(index_dir, 1) / "articles.sqlite")
    move_source(index_dir)
    build(index_dir)
    assert_right(index_dir, 3)


def test_damage_in_what_a_stopped_build_had_done_begins_anew_and_is_told(index_dir: Path) -> None:
    stop_when_stored(index_dir)
    # What the stopped build left in SQLite's log goes into the file, where it can be damaged.
    with contextlib.closing(sqlite3.connect(folder_of(index_dir).staging / "articles.sqlite")) as c:
        c.execute("PRAGMA journal_mode=DELETE")
    damage_text(folder_of(index_dir).staging / "articles.sqlite")
    move_source(index_dir)
    report = build(index_dir)
    assert (report.note or "").startswith("everything is embedded anew: ")
    assert_right(index_dir, 3)


def test_nothing_is_left_of_a_version_that_is_not_taken_over(index_dir: Path) -> None:
    build(index_dir)
    path = version_path(index_dir, 1) / "articles.sqlite"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    write_articles(index_dir.parent, [*ARTICLES, MORE])
    build(index_dir)
    assert "copy" not in {entry.name for entry in version_path(index_dir, 2).iterdir()}
    assert_right(index_dir, 4)


# What `rag` wrote before a version was a set of files of its own


def test_an_older_version_with_a_catalog_of_its_own_opens_and_is_gone_on_from(
    index_dir: Path,
) -> None:
    build(index_dir)
    rewrite_catalog(version_path(index_dir, 1), "CREATE TABLE gone (number INTEGER)")
    assert_right(index_dir, 3)
    write_articles(index_dir.parent, [*ARTICLES, MORE])
    report = build(index_dir)
    assert (report.added, report.unchanged, report.note) == (1, 3, None)
    assert_right(index_dir, 4)


def share_catalog(index_dir: Path) -> None:
    """Make version 2 what it was when it shared the catalog of version 1."""
    path = version_path(index_dir, 2)
    (path / "earlier.sqlite").hardlink_to(version_path(index_dir, 1) / "articles.sqlite")
    manifest = read_manifest(path)
    files = manifest.files | {"earlier.sqlite": describe_file(path / "earlier.sqlite")}
    write_manifest(path, manifest.model_copy(update={"files": files}))


def test_a_version_that_shares_a_catalog_is_refused_and_built_anew(index_dir: Path) -> None:
    build(index_dir)
    write_articles(index_dir.parent, [*ARTICLES, MORE])
    build(index_dir)
    share_catalog(index_dir)
    with pytest.raises(IndexFormatError, match=r"earlier\.sqlite") as refused:
        open_index(index_dir)
    assert refused.value.mend == "rag build news --full"
    (finding,) = check_index(folder_of(index_dir)).findings
    assert finding.mend == "rag build news --full"
    (info,) = list_indexes(index_dir)
    assert "earlier.sqlite" in info.state
    with pytest.raises(IndexMissingError, match=r"earlier\.sqlite"):
        roll_back(folder_of(index_dir), 2)
    report = build(index_dir)
    assert "earlier.sqlite" in (report.note or "")
    assert_right(index_dir, 4)


def test_half_a_catalog_of_a_stopped_build_is_not_gone_on_from(index_dir: Path) -> None:
    stop_when_stored(index_dir)
    with contextlib.closing(sqlite3.connect(folder_of(index_dir).staging / "articles.sqlite")) as c:
        c.execute("INSERT INTO meta VALUES ('has_earlier', 'yes')")
        c.execute("DELETE FROM chunks")
        c.commit()
    build(index_dir)
    assert_right(index_dir, 3)


def test_another_format_is_told_and_built_anew(index_dir: Path) -> None:
    build(index_dir)
    path = version_path(index_dir, 1) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    assert "on-disk format 2" in (build(index_dir).note or "")
    assert_right(index_dir, 3)
