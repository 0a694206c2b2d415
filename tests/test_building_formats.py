"""Building from many formats: citations point where they should, and no file ends a build."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.building.workers import read_blocks
from rag.engine import Rag
from rag.readers import Block, BlockReader, Skipped, files_of
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.made import PARAGRAPHS, page, pdf
from tests.support import build, open_index
from tests.test_building_inputs import children
from tests.test_readers_formats import ALL


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder of indexes; `news` reads a folder with a file of each format."""
    index = tmp_path / "indexes" / "news"
    index.mkdir(parents=True)
    (index / "index.toml").write_text('sources = ["../../mixed"]\n', encoding="utf-8")
    (tmp_path / "mixed").mkdir()
    for number, (name, data) in enumerate(ALL.items()):
        (tmp_path / "mixed" / f"f{number}{name[1:]}").write_bytes(data)
    return tmp_path / "indexes"


def blocks(folder: Path) -> list[Block]:
    found: list[Block] = []
    for file in files_of(["."], folder):
        assert not isinstance(file, Skipped)
        found += BlockReader(file).blocks()
    return found


@pytest.mark.slow
def test_citations_are_right_in_every_format(mixed: Path) -> None:
    report = build(mixed)
    assert set(report.n_read) == {
        *(
            "csv",
            "epub",
            "feed",
            "gzip",
            "html",
            "json",
            "json lines",
            "mail",
            "mailbox",
            "markdown",
        ),
        *("mhtml", "pdf", "text", "warc", "word"),
    }
    with open_index(mixed) as index:
        paths = set()
        for article in index.catalog.all_articles():
            paths.add(str(article.path).removeprefix("../../mixed/").partition("/")[0])
        assert paths == set(os.listdir(mixed.parent / "mixed"))


@pytest.mark.slow
def test_nothing_is_read_again_where_nothing_changed(mixed: Path) -> None:
    first = build(mixed)
    second = build(mixed)
    assert (second.published, second.unchanged) == (False, first.n_articles)
    next((mixed.parent / "mixed").glob("*.zip")).unlink()
    third = build(mixed)
    assert third.removed == 1


def test_pages_reach_hits(tmp_path: Path) -> None:
    index = tmp_path / "indexes" / "news"
    index.mkdir(parents=True)
    (index / "index.toml").write_text('sources = ["../../bridge.pdf"]\n', encoding="utf-8")
    (tmp_path / "bridge.pdf").write_bytes(pdf([PARAGRAPHS[:2], PARAGRAPHS[2:]]))
    build(tmp_path / "indexes")
    with open_index(tmp_path / "indexes") as opened:
        (article,) = opened.catalog.all_articles()
        assert len(article.pages) == 2
        assert article.page_at(article.text.index("Cyclists")) == 2
        question = "Cyclists may use the ferry without paying"
        with Rag(opened, FakeEmbedder(), FakeLLM([]), Settings(), calibration=None) as rag:
            assert rag.search(question, k=1)[0].page == 2


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (signal.SIGSTOP, "reading it takes longer than 15 s"),
        (signal.SIGKILL, "reading it was killed by SIGKILL"),
    ],
)
@pytest.mark.slow
def test_a_file_that_is_too_much_is_skipped_and_the_others_are_read(
    tmp_path: Path, sent: signal.Signals, reason: str
) -> None:
    for number in range(8):
        comment = f"<!-- {'x' * 2**18} -->"  # so that each is a job of its own
        (tmp_path / f"{number}.html").write_text(page(title=f"Number {number}") + comment)

    def disturbed() -> Iterator[Block]:
        for number, block in enumerate(blocks(tmp_path)):
            if number == 5:  # the first ones are read by now
                for pid in children():
                    os.kill(pid, sent)
            yield block

    jobs = read_blocks(disturbed(), (), n_workers=1, seconds=15)
    outcomes = [reads[0] for _, reads in jobs]
    assert [read.reason for read in outcomes if read.gave_up] == [reason]
    assert sum(read.cleaned is not None for read in outcomes) == 7
    assert children() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("bytearray(5 * 2**30)", "MemoryError"),
        ("socket.create_connection(('127.0.0.1', 9), timeout=1)", "PermissionError"),
        ("socket.getaddrinfo('example.org', 80)", "PermissionError"),
        ("urllib.request.urlopen('http://127.0.0.1:9')", "PermissionError"),
        ("subprocess.run(['true'])", "PermissionError"),
    ],
)
def test_a_process_that_reads_is_confined(what: str, error: str) -> None:
    code = "import socket, subprocess, urllib.request\nfrom rag.building.intake import confine\n"
    code += f"confine()\n{what}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert error in run.stderr
