"""Files handed over: kept as a source of the index, none lost, and removed again."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag import Settings, Upload, add_files, list_files, remove_files
from rag.errors import IndexMissingError, IndexWriteError, SourceError
from tests.support import ARTICLES, build, open_index, write_articles


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(index_dir=write_articles(tmp_path, ARTICLES))


@pytest.fixture
def uploads(settings: Settings) -> Path:
    return settings.index_dir / "news" / "uploads"


def write(path: Path, words: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(words, encoding="utf-8")
    return path


def texts(settings: Settings) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in list_files("news", settings=settings)]


def test_the_next_build_takes_them_in(tmp_path: Path, settings: Settings, uploads: Path) -> None:
    file = write(tmp_path / "Storm & flood.txt", "A storm flooded the cellars of Lindal on Sunday.")
    path = uploads / "Storm _ flood.txt"
    kept = Upload(name="Storm & flood.txt", path=path, outcome="added")
    assert add_files("news", [file], settings=settings) == [kept]
    assert list_files("news", settings=settings) == [path]
    assert build(settings.index_dir).added == len(ARTICLES) + 1
    with open_index(settings.index_dir) as index:
        article = index.catalog.article("Storm _ flood")
    assert article is not None
    assert (article.text, article.path) == (file.read_text(), "uploads/Storm _ flood.txt")


# Nothing is lost


def test_files_of_the_same_or_a_similar_name_are_all_kept(
    tmp_path: Path, settings: Settings
) -> None:
    names = ["a/storm.txt", "b/storm.txt", "c&d.txt", "c|d.txt", "storm.TXT", "c*d.txt"]
    files = [write(tmp_path / name.replace("/", "-dir/"), f"Text of {name}.") for name in names]
    kept = add_files("news", files, settings=settings)
    assert [(upload.path.name, upload.outcome) for upload in kept] == [
        ("storm.txt", "added"),
        ("storm (2).txt", "renamed"),
        ("c_d.txt", "added"),
        ("c_d (2).txt", "renamed"),
        ("storm (3).txt", "renamed"),
        ("c_d (3).txt", "renamed"),
    ]
    assert sorted(texts(settings)) == sorted(f"Text of {name}." for name in names)
    assert build(settings.index_dir).added == len(ARTICLES) + len(names)


def test_a_later_file_of_the_same_name_is_kept_beside_the_earlier(
    tmp_path: Path, settings: Settings
) -> None:
    for words in ("The storm comes on Sunday.", "The storm came on Monday."):
        add_files("news", [write(tmp_path / "storm.txt", words)], settings=settings)
    assert sorted(texts(settings)) == ["The storm came on Monday.", "The storm comes on Sunday."]


def test_the_same_file_again_is_one_file(tmp_path: Path, settings: Settings) -> None:
    first, second = (write(tmp_path / n / "storm.txt", f"Storm {n}.") for n in ("1", "2"))
    add_files("news", [first, second], settings=settings)
    again = add_files("news", [second, first], settings=settings)
    assert [(upload.path.name, upload.outcome) for upload in again] == [
        ("storm (2).txt", "unchanged"),
        ("storm.txt", "unchanged"),
    ]
    assert len(list_files("news", settings=settings)) == 2


def test_replacing_is_a_choice_that_is_told(tmp_path: Path, settings: Settings) -> None:
    add_files("news", [write(tmp_path / "storm.txt", "It comes on Sunday.")], settings=settings)
    build(settings.index_dir)
    file = write(tmp_path / "storm.txt", "It came on Monday.")
    (upload,) = add_files("news", [file], replace=True, settings=settings)
    assert (upload.path.name, upload.outcome) == ("storm.txt", "replaced")
    report = build(settings.index_dir)
    assert (report.changed, report.n_articles) == (1, len(ARTICLES) + 1)
    with open_index(settings.index_dir) as index:
        article = index.catalog.article("storm")
    assert article is not None
    assert article.text == "It came on Monday."


@pytest.mark.parametrize("first", ["Storm 0.", "Storm 1."])
def test_of_files_that_replace_none_replaces_another(
    tmp_path: Path, settings: Settings, first: str
) -> None:
    add_files("news", [write(tmp_path / "storm.txt", first)], settings=settings)
    files = [write(tmp_path / str(n) / "storm.txt", f"Storm {n}.") for n in (1, 2, 3)]
    add_files("news", files, replace=True, settings=settings)
    assert sorted(texts(settings)) == ["Storm 1.", "Storm 2.", "Storm 3."]


def test_files_handed_over_at_once_are_all_kept(tmp_path: Path, settings: Settings) -> None:
    files = [write(tmp_path / str(n) / "storm.txt", f"Storm {n}.") for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda file: add_files("news", [file], settings=settings), files):
            pass
    assert sorted(texts(settings)) == sorted(f"Storm {n}." for n in range(24))


def test_nothing_is_kept_if_one_is_of_another_kind(
    tmp_path: Path, settings: Settings, uploads: Path
) -> None:
    good, bad = write(tmp_path / "a.txt", "text"), write(tmp_path / "b.exe", "text")
    with pytest.raises(SourceError, match=r"b\.exe: files of this kind are not read"):
        add_files("news", [good, bad], settings=settings)
    with pytest.raises(SourceError, match=r"c\.txt does not exist"):
        add_files("news", [good, tmp_path / "c.txt"], settings=settings)
    assert not uploads.exists()


_LIMITED = """
import resource, sys
from pathlib import Path
from rag import Settings, add_files
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
add_files("news", sys.argv[2:], settings=Settings(index_dir=Path(sys.argv[1])))
"""


def test_all_of_them_or_none_when_the_disk_is_full(
    tmp_path: Path, settings: Settings, uploads: Path
) -> None:
    files = [write(tmp_path / "a.txt", "Short."), write(tmp_path / "b.txt", "Long. " * 1000)]
    command = [sys.executable, "-c", _LIMITED, str(settings.index_dir), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "IndexWriteError" in done.stderr
    assert [path.name for path in uploads.iterdir()] == [".lock"]


@pytest.mark.parametrize("name", ["...txt", "..\\..\\x.txt", "\u202e.txt", "a" * 240 + ".TXT"])
def test_names_lead_nowhere_else(
    tmp_path: Path, settings: Settings, uploads: Path, name: str
) -> None:
    (kept,) = add_files("news", [write(tmp_path / name, "Text.")], settings=settings)
    assert kept.path.parent == uploads
    assert kept.path.suffix == ".txt"
    assert not kept.path.name.startswith(".")
    assert kept.path.read_text() == "Text."


def test_long_names_of_other_scripts_fit(tmp_path: Path, settings: Settings) -> None:
    name = "é" * 125 + ".txt"  # 254 bytes; with a number it would be more than 255
    for n in (1, 2):
        file = write(tmp_path / str(n) / name, f"Text {n}.")
        add_files("news", [file], settings=settings)
    assert sorted(texts(settings)) == ["Text 1.", "Text 2."]


def test_both_ends_of_a_name_stay_together(tmp_path: Path, settings: Settings) -> None:
    files = [tmp_path / str(n) / "crawl.warc.gz" for n in (1, 2)]
    for n, file in enumerate(files):
        file.parent.mkdir()
        file.write_bytes(b"%d" % n)
    add_files("news", files, settings=settings)
    kept = list_files("news", settings=settings)
    assert [path.name for path in kept] == ["crawl (2).warc.gz", "crawl.warc.gz"]


def test_an_index_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError):
        add_files("news", [], settings=Settings(index_dir=tmp_path))


# Removing


def test_the_next_build_takes_out_what_was_removed(tmp_path: Path, settings: Settings) -> None:
    files = [write(tmp_path / f"{name}.txt", f"{name} text.") for name in ("storm", "flood")]
    add_files("news", files, settings=settings)
    build(settings.index_dir)
    (removed,) = remove_files("news", ["storm.txt"], settings=settings)
    assert not removed.exists()
    assert [path.name for path in list_files("news", settings=settings)] == ["flood.txt"]
    report = build(settings.index_dir)
    assert (report.removed, report.n_articles) == (1, len(ARTICLES) + 1)


@pytest.mark.parametrize("name", ["no.txt", "../index.toml", "", ".lock", "folder"])
def test_what_is_no_upload_is_not_removed(
    tmp_path: Path, settings: Settings, uploads: Path, name: str
) -> None:
    add_files("news", [write(tmp_path / "storm.txt", "Storm.")], settings=settings)
    (uploads / "folder").mkdir()
    before = sorted(os.walk(settings.index_dir))
    with pytest.raises(SourceError, match="no uploaded file") as refused:
        remove_files("news", ["storm.txt", name], settings=settings)
    assert "storm.txt" in (refused.value.mend or "")
    assert sorted(os.walk(settings.index_dir)) == before


def test_a_folder_that_cannot_be_changed_is_told(settings: Settings, uploads: Path) -> None:
    uploads.write_text("not a folder")
    with pytest.raises(IndexWriteError, match="uploads cannot be changed"):
        remove_files("news", ["storm.txt"], settings=settings)


def test_files_that_are_moved_are_gone_whatever_became_of_them(
    tmp_path: Path, settings: Settings
) -> None:
    good, bad = write(tmp_path / "a.txt", "Rain fell."), write(tmp_path / "b.mp3", "x")
    add_files("news", [good], move=True, settings=settings)
    assert (good.exists(), texts(settings)) == (False, ["Rain fell."])
    with pytest.raises(SourceError):
        add_files("news", [bad], move=True, settings=settings)
    assert not bad.exists()
