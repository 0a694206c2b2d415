"""Environments of other libraries, each with what benchmarks/peers/NAME.txt pins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
TORCH = "torch==2.13.0"  # before the rest, so that the build for the processor is taken
# llama.cpp as `tools/setup.sh` builds it for us.
LLAMA = f"-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE={HERE.parent}/tools/llama-build.cmake"
OFFLINE = {"HF_HUB_OFFLINE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False"}


class PeerError(Exception):
    """A library could not be installed or run."""


def environment(name: str, work: Path) -> Path:
    """The interpreter of a library's environment below `work`, made now if it is not there.

    Raises:
        PeerError: it cannot be made.
    """
    folder = work / "environments" / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        pip = [python, "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check"]
        run([sys.executable, "-m", "venv", "--clear", folder], work)
        run([*pip, TORCH], work)
        pinned = HERE / "peers" / f"{name}.txt"
        run([*pip, TORCH, "--requirement", pinned], work, {"CMAKE_ARGS": LLAMA})
        (folder / "ready").touch()
    return python


def run(command: Sequence[object], work: Path, more: Mapping[str, str] | None = None) -> None:
    """Run a step to its end.

    Raises:
        PeerError: with the last line of what it said.
    """
    ran = subprocess.run(
        [str(part) for part in command],
        cwd=work, env={**os.environ, **OFFLINE, **(more or {})}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if ran.returncode:
        print(ran.stderr, file=sys.stderr)
        raise PeerError((ran.stderr.strip() or f"exit code {ran.returncode}").splitlines()[-1])
