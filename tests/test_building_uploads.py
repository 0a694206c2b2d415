"""Files handed over: kept as a source of the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import Settings, add_files
from rag.errors import IndexMissingError, SourceError
from tests.support import ARTICLES, build, open_index, write_articles


def test_the_next_build_takes_them_in(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    file = tmp_path / "Storm & flood.txt"
    file.write_text("A storm flooded the cellars of Lindal on Sunday.", encoding="utf-8")
    kept = add_files("news", [file], settings=Settings(index_dir=index_dir))
    assert kept == [index_dir / "news" / "uploads" / "Storm _ flood.txt"]
    assert build(index_dir).added == len(ARTICLES) + 1
    with open_index(index_dir) as index:
        article = index.catalog.article("Storm _ flood")
    assert article is not None
    assert (article.text, article.path) == (file.read_text(), "uploads/Storm _ flood.txt")


def test_a_file_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    file = tmp_path / "storm.txt"
    for words in ("The storm comes on Sunday.", "The storm came on Monday."):
        file.write_text(words, encoding="utf-8")
        add_files("news", [file], settings=Settings(index_dir=index_dir))
        build(index_dir)
    with open_index(index_dir) as index:
        article = index.catalog.article("storm")
        assert len(index.catalog.columns.article_numbers) == len(ARTICLES) + 1
    assert article is not None
    assert article.text == "The storm came on Monday."


def test_nothing_is_kept_if_one_is_of_another_kind(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    good, bad = tmp_path / "a.txt", tmp_path / "b.exe"
    for file in (good, bad):
        file.write_bytes(b"text")
    with pytest.raises(SourceError, match=r"b\.exe: files of this kind are not read"):
        add_files("news", [good, bad], settings=Settings(index_dir=index_dir))
    assert not (index_dir / "news" / "uploads").exists()


@pytest.mark.parametrize("name", ["...txt", "..\\..\\x.txt", "\u202e.txt", "a" * 200 + ".TXT"])
def test_names_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    file = tmp_path / name
    file.write_text("Text.", encoding="utf-8")
    (kept,) = add_files("news", [file], settings=Settings(index_dir=index_dir))
    assert kept.parent == index_dir / "news" / "uploads"
    assert kept.suffix == ".txt"
    assert not kept.name.startswith(".")
    assert kept.read_text() == "Text."


def test_an_index_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError):
        add_files("news", [], settings=Settings(index_dir=tmp_path))
