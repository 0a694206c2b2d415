"""Environments of other libraries, as benchmarks/peers/NAME.txt pins them, and running them."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
TORCH = "torch==2.13.0"  # before the rest, so that the build for the processor is taken
# llama.cpp as `tools/setup.sh` builds it for us.
LLAMA = f"-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE={HERE.parent}/tools/llama-build.cmake"
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "DO_NOT_TRACK": "1",
    "LOGFIRE_SEND_TO_LOGFIRE": "false",
}
SAMPLE_SECONDS = 0.2
_NEEDS = re.compile(r"^# needs Python 3\.(\d+)", re.MULTILINE)


class PeerError(Exception):
    """A library could not be installed or run."""


@dataclasses.dataclass(frozen=True)
class Ran:
    """A command that ran to its end.

    Attributes:
        started: On the clock of `time.perf_counter`, which all processes of a machine share.
        seconds: From its start to its end.
        peak_mb: The most memory that it and what it started held at once: proportional set size,
            so that shared pages count once, looked at five times a second.
    """

    started: float
    seconds: float
    peak_mb: float


def environment(name: str, work: Path) -> Path:
    """The interpreter of a library's environment below `work`, made now if it is not there.

    Raises:
        PeerError: it cannot be made.
    """
    folder = work / "environments" / name
    python, ready = folder / "bin" / "python", folder / "ready"
    pinned = HERE / "peers" / f"{name}.txt"
    if not ready.exists() or ready.read_text(encoding="utf-8") != pinned.read_text("utf-8"):
        # Compiled as pip does it: else the first run of each library would have it to do.
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        run([interpreter(pinned), "-m", "venv", "--clear", folder], work)
        run([*pip, TORCH], work)
        run([*pip, TORCH, "--requirement", pinned], work, {"CMAKE_ARGS": LLAMA})
        ready.write_text(pinned.read_text("utf-8"), encoding="utf-8")
    return python


def interpreter(pinned: Path) -> str:
    """One that is new enough for a library: this one, or another that is on the PATH.

    Raises:
        PeerError: there is none.
    """
    needed = _NEEDS.search(pinned.read_text("utf-8"))
    minor = int(needed[1]) if needed else 0
    if sys.version_info.minor >= minor:
        return sys.executable
    for other in range(minor, minor + 3):
        found = shutil.which(f"python3.{other}")
        if found and not subprocess.run([found, "--version"], capture_output=True).returncode:
            return found
    raise PeerError(f"needs Python 3.{minor} or later, and none is on the PATH")


def run(command: Sequence[object], work: Path, more: Mapping[str, str] | None = None) -> Ran:
    """Run a step to its end.

    Raises:
        PeerError: with the last line of what it said.
    """
    with (work / "said").open("w+", encoding="utf-8", errors="replace") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=work, env={**os.environ, **OFFLINE, **(more or {})}, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip
        peaks = [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks))
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        watcher.join()
        said.seek(0)
        told = said.read().strip()
    if code:
        print(told, file=sys.stderr)
        raise PeerError((told or f"exit code {code}").splitlines()[-1])
    return Ran(started, seconds, max(peaks))


def _watch(leader: int, peaks: list[float]) -> None:
    """Append what the session of a process holds, until it has ended."""
    while Path(f"/proc/{leader}").exists():
        peaks.append(sum(_pss_mb(pid) for pid in _session(leader)))
        time.sleep(SAMPLE_SECONDS)


def _session(leader: int) -> list[int]:
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(rest[3]) == leader:
            members.append(int(stat.parent.name))
    return members


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
