"""What the benchmarks share; the measuring itself is run by hand."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def machine() -> ModuleType:
    path = ROOT / "benchmarks" / "machine.py"
    spec = importlib.util.spec_from_file_location("machine", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_results_name_the_commit(machine: ModuleType) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    told = machine.describe()["commit"]
    assert head.startswith(told.removesuffix("+"))
    changed = subprocess.run(["git", "diff-index", "--quiet", "HEAD"], cwd=ROOT, check=False)
    assert told.endswith("+") == bool(changed.returncode)


def test_results_name_the_machine(machine: ModuleType) -> None:
    told = machine.describe()
    assert told["cores"] == len(os.sched_getaffinity(0))
    assert told.keys() >= {"architecture", "instructions", "memory_gib", "python"}
