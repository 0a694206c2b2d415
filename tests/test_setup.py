"""Set-up: what is pinned agrees with itself, and the commands of the Makefile do what they say."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"([A-Za-z0-9_.-]+)==([A-Za-z0-9_.]+)")


def pins(lines: list[str]) -> dict[str, str]:
    """Version by normalized name; fails on a line that is no exact pin."""
    found = {}
    for line in lines:
        match = PIN.fullmatch(line)
        assert match, f"{line!r} is not pinned"
        found[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[2]
    return found


def test_every_dependency_is_in_the_lock() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    lock = pins([line for line in lines if line and not line.startswith("#")])
    named = pins(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
    assert named.items() <= lock.items()
    assert len(lock) > 2 * len(named)  # what the dependencies need in turn is there too


@pytest.mark.parametrize("script", [".ci/run", "tools/setup.sh"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)


def make(stub: Path, *arguments: str) -> list[str]:
    """Runs make with commands that only note how they were called; returns the notes."""
    notes = stub / "notes"
    for command in ("rag", "python", "ruff", "mypy"):
        (stub / command).write_text(
            f'#!/bin/sh\nprintf "%s" "{command}" >> {notes}\n'
            f'for a in "$@"; do printf "|%s" "$a" >> {notes}; done; echo >> {notes}\n'
        )
        (stub / command).chmod(0o755)
    (stub / "ready").touch()  # newer than all it depends on: nothing is set up
    overrides = [f"BIN={stub}", f"READY={stub / 'ready'}"]
    subprocess.run(["make", "--silent", *arguments, *overrides], cwd=ROOT, check=True)
    return notes.read_text().splitlines()


def test_make_ask_builds_the_seeds_and_asks(tmp_path: Path) -> None:
    assert make(tmp_path, "ask") == [
        "rag|build|seeds",
        "rag|ask|--|What did Healey urge in Israel?",
    ]


@pytest.mark.parametrize("question", ["""Who said "it's $HOME (100%)"; `id`?""", "--help", "a\\b"])
def test_make_passes_a_question_as_it_is(tmp_path: Path, question: str) -> None:
    assert make(tmp_path, "ask", f"Q={question}")[-1] == f"rag|ask|--|{question}"


def test_make_check_runs_every_check(tmp_path: Path) -> None:
    assert make(tmp_path, "check") == [
        "ruff|format|--check",
        "ruff|check",
        "mypy",
        "python|-m|pytest",
    ]


def test_ci_runs_make_test() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
