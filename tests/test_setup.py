"""Set-up: what is pinned agrees with itself, and the commands of the Makefile do what they say."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from rag.errors import DISTRIBUTION

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def lock() -> dict[str, Version]:
    """Version by normalized name; fails on a line that is no exact pin."""
    found: dict[str, Version] = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            (only,) = pin.specifier
            assert only.operator == "==", f"{line!r} is not pinned"
            found[canonicalize_name(pin.name)] = Version(only.version)
    return found


def ranges(*extras: str) -> list[Requirement]:
    """What the package says that it needs; its own extras taken apart."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return [need for need in map(Requirement, lines) if need.name != DISTRIBUTION]


EXTRAS = PROJECT["optional-dependencies"].keys() - {"cluster", "tools"}


def test_the_lock_is_within_the_ranges() -> None:
    locked = lock()
    needed = ranges(*EXTRAS)
    assert [
        str(need) for need in needed if locked[canonicalize_name(need.name)] not in need.specifier
    ] == []
    assert len(locked) > 2 * len(needed)  # what these need in turn is there too


def test_ranges_have_two_ends() -> None:
    for need in ranges(*EXTRAS):
        operators = {specifier.operator for specifier in need.specifier}
        assert operators in ({">=", "<"}, {"=="}), str(need)


def test_the_pins_of_make_cluster_are_within_the_ranges_of_its_extra() -> None:
    lines = (ROOT / "tests" / "cluster" / "requirements.txt").read_text().splitlines()
    pins = {need.name: need for need in map(Requirement, lines)}
    needed = [Requirement(line) for line in PROJECT["optional-dependencies"]["cluster"]]
    assert pins.keys() <= {need.name for need in needed}
    for need in needed:
        assert {specifier.operator for specifier in need.specifier} == {">=", "<"}
        for pin in pins[need.name].specifier if need.name in pins else ():
            assert pin.version in need.specifier


def test_all_has_every_extra_for_users() -> None:
    (everything,) = map(Requirement, PROJECT["optional-dependencies"]["all"])
    assert PROJECT["name"] == everything.name == DISTRIBUTION
    assert everything.extras == EXTRAS - {"all", "dev"}


@pytest.mark.parametrize("script", [".ci/run", "tools/cluster.sh", "tools/setup.sh"])
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
    overrides = [f"BIN={stub}", f"READY={stub / 'ready'}", "CHROMIUM=true"]
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


TESTS = [
    "python|-m|pytest|-n|auto|--dist|loadfile|-m|not models and not network",
    "python|-m|pytest|-m|models and not network",
]


def test_make_check_runs_every_check_and_every_test(tmp_path: Path) -> None:
    assert make(tmp_path, "check") == ["ruff|format|--check", "ruff|check", "mypy", *TESTS]


def test_make_fast_leaves_out_what_takes_long(tmp_path: Path) -> None:
    (run,) = make(tmp_path, "fast")
    assert run.startswith(TESTS[0].rpartition("|")[0])
    left_out = run.rpartition("|")[2]
    assert left_out == "not (models or network or browser or package or slow)"


def test_every_file_with_types_is_checked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True
    assert set(settings["files"]) == {"rag", "app.py", "tests"}


def test_ci_runs_make_check() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make check"
