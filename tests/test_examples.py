"""The scripts of `examples/` run and print what they promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = {"cited_answer.py", "search_a_period.py", "without_models.py"}


def run(script: str, *arguments: str, cwd: Path) -> str:
    path = ROOT / "examples" / script
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run_here() -> None:
    assert {path.name for path in (ROOT / "examples").iterdir() if path.suffix == ".py"} == RUN


def test_without_models(tmp_path: Path) -> None:
    assert run("without_models.py", cwd=tmp_path) == (
        "The harbour bridge closes on Monday [4 March 2024]. [1]\n"
        "withheld: Repairs cost 9 million crowns.\n"
    )


@pytest.mark.models
def test_search_a_period(seeds_project: Path) -> None:
    printed = run(
        "search_a_period.py", "visit to Qatar", "2024-01-01", "2024-12-31", cwd=seeds_project
    )
    hits = [json.loads(line) for line in printed.splitlines()]
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    assert "Qatar" in hits[0]["sentence"]


@pytest.mark.models
def test_cited_answer(seeds_project: Path) -> None:
    first, *lines = run("cited_answer.py", cwd=seeds_project).splitlines()
    assert first.startswith(("answered, confidence 0.", "extracted, confidence 0."))
    quoted = [line for line in lines if line.startswith("  [1] ")]
    assert quoted
    assert "Israel" in "".join(lines)
    assert any(line.strip().startswith("seeds/") or ".txt, characters" in line for line in lines)
