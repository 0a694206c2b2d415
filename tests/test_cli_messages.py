"""What is told when something is in the way, and how far long work is."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.building.report import BuildProgress
from rag.cli.output import log
from rag.cli.progress import LINE_EVERY_SECONDS, LogLines, build_progress
from tests.support import ARTICLES, build, write_articles
from tests.test_cli import process

LOST = "Error: the results cannot be written to stdout: "


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    return index_dir


def run(index_dir: Path, *arguments: str, **options: Any) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in a process of its own."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with process(index_dir, *arguments, **streams) as command:
        out, err = command.communicate(timeout=120)
    return command.returncode, out or "", err or ""


# stdout and stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["--help"], ["show", "news"]])
def test_a_full_disk_behind_stdout_is_told(index_dir: Path, arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        code, _, err = run(index_dir, *arguments, stdout=full)
    assert code == 1
    assert err == (
        f"{LOST}No space left on device\n"
        "  To mend it: send them elsewhere, and run the same command again\n"
    )


def closing(*descriptors: int) -> Callable[[], None]:
    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["--help"]])
def test_a_closed_stdout_is_told(index_dir: Path, arguments: list[str]) -> None:
    code, _, err = run(index_dir, *arguments, stdout=None, preexec_fn=closing(1))
    assert (code, err.splitlines()[0]) == (1, f"{LOST}it is closed")


@pytest.mark.slow
def test_closed_streams_do_no_harm(index_dir: Path) -> None:
    """No file of an index takes their place."""
    write_articles(index_dir.parent, ARTICLES[:2])
    code, _, _ = run(
        index_dir, "build", "news", stdout=None, stderr=None, preexec_fn=closing(0, 1, 2)
    )
    assert code == 1  # what it did could not be told
    code, out, _ = run(index_dir, "check", "news")
    assert (code, out) == (0, "news: version 2 is whole\n")


@pytest.mark.slow
def test_a_log_that_cannot_be_written_stops_nothing(index_dir: Path) -> None:
    write_articles(index_dir.parent, ARTICLES[:2])
    with open("/dev/full", "w") as full:
        code, out, _ = run(index_dir, "build", "news", stderr=full)
    assert (code, out[:16]) == (0, "news: version 2,")
    code, out, _ = run(index_dir, "show", "nothing", stderr=None, preexec_fn=closing(2))
    assert (code, out) == (1, "")


@pytest.mark.slow
# Names and paths


@pytest.mark.slow
def test_a_folder_of_indexes_that_is_not_utf8(index_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b\udcff"
    index_dir.rename(folder)
    for arguments in (["list", "--json"], ["show", "news"], ["build", "news"], ["search", "x"]):
        code, out, err = run(folder, *arguments)
        assert (code, out) == (1, "")
        assert "Error: setting 'index_dir': the path is not valid UTF-8" in err
        assert "Traceback" not in err


@pytest.mark.slow
def test_an_index_whose_name_is_not_utf8_is_listed(index_dir: Path) -> None:
    odd = index_dir / "b\udcffd"
    odd.mkdir()
    (odd / "index.toml").write_text("sources = []\n")
    code, out, _ = run(index_dir, "list", "--json")
    assert code == 0
    states = {info["name"]: info["state"] for info in json.loads(out)}
    assert states["news"] == "ready"
    assert "is not a name of an index" in states["b\ufffdd"]
    code, _, err = run(index_dir, "build", "--all")
    assert code == 1  # for the one, and the other is built
    assert "news: " in err
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["RAG_INDEX_DIR", "RAG_MODELS_DIR"])
def test_a_path_of_500_characters(index_dir: Path, variable: str) -> None:
    code, out, err = run(index_dir, "models", env={"PATH": "/usr/bin:/bin", variable: "x" * 500})
    assert (code, out) == (1, "")
    assert "the path has a name that is too long" in err
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["models", "pull", "all-MiniLM-L6-v2", "--source", "/" + "x" * 500],
        ["batch", "x" * 500, "-i", "news"],
        ["show", "news", "x" * 500],
        ["show", "x" * 500],
    ],
)
def test_arguments_of_500_characters(index_dir: Path, tmp_path: Path, arguments: list[str]) -> None:
    paths = {"RAG_INDEX_DIR": str(index_dir), "RAG_MODELS_DIR": str(tmp_path / "models")}
    code, out, err = run(index_dir, *arguments, env={"PATH": "/usr/bin:/bin", **paths})
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert "Traceback" not in err


@pytest.mark.slow
def test_home_is_found(index_dir: Path) -> None:
    home = index_dir.parent
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(home), "RAG_INDEX_DIR": "~/indexes"}
    code, out, err = run(index_dir, "list", "--json", env=variables)
    assert (code, err) == (0, "")
    assert [info["name"] for info in json.loads(out)] == ["news"]
    variables["RAG_INDEX_DIR"] = "~nobody-here/indexes"
    assert "nobody knows whose home that is" in run(index_dir, "list", env=variables)[2]


# How far it is


def test_a_log_gets_a_line_though_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A build of long articles was silent for minutes."""
    told = BuildProgress(index="news", phase="read", n_done=1)
    with build_progress("news", every=0.05) as progress:
        time.sleep(0.4)
        progress(told)
        time.sleep(0.4)
        progress(told.model_copy(update={"phase": "embed", "n_chunks": 9}))
        time.sleep(0.4)
    lines = capsys.readouterr().err.splitlines()
    first = lines.index("news: reading (1 articles, 0 new chunks)")
    assert set(lines[:first]) == {"news: opening, 0 s so far"}
    again = [line for line in lines[first + 1 :] if line.startswith(lines[first])]
    latest = [line for line in lines if line.startswith("news: embedding (1 articles, 9 new")]
    assert len(again) >= 2
    assert len(latest) >= 2  # though it gets no line of its own
    assert lines[-1].endswith(" s so far")
    assert LINE_EVERY_SECONDS < 10


@pytest.mark.slow
def test_lines_that_are_told_often_enough_are_not_written_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with LogLines(log(), "opening", every=30) as lines:
        for number in range(5):
            lines.tell(f"{number} of 5", now=number % 2 == 0)
    assert capsys.readouterr().err.splitlines() == ["0 of 5", "2 of 5", "4 of 5"]


@pytest.mark.slow
def test_the_index_tells_how_many_articles_have_no_date(index_dir: Path) -> None:
    code, out, _ = run(index_dir, "show", "news")
    assert code == 0
    assert "\narticles    3, 1 without a date\n" in out
    assert json.loads(run(index_dir, "show", "news", "--json")[1])["n_undated"] == 1
    write_articles(index_dir.parent, ARTICLES[:2])
    assert run(index_dir, "build", "news")[0] == 0
    assert "\narticles    2\n" in run(index_dir, "show", "news")[1]
