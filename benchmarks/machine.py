"""What results say of how they came about: machine and commit, and nothing that tells whose."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

_FLAGS = ("amx_int8", "avx512_vnni", "avx512f", "avx2", "asimd")


def describe() -> dict[str, object]:
    """Commit, cores that may be used, the widest instructions, memory and the Python version."""
    text = Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    lines = [line for line in text.splitlines() if line.lower().startswith(("flags", "features"))]
    flags = set(lines[0].split()) if lines else set()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "commit": commit(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [flag for flag in _FLAGS if flag in flags],
        "memory_gib": round(memory / 2**30),
        "load_when_measured": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def commit() -> str | None:
    """The commit that is measured, with "+" where files differ from it; None outside git."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    folder = Path(__file__).parent
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return told.stdout.strip() or None
