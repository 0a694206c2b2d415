"""Builds that kill themselves. Run as a process of its own: `python -m tests.killed_builds`.

Reads lines `INDEX_DIR<tab>STEP<tab>OCCURRENCE` and forks a child for each, which builds `news` and
ends itself by SIGKILL at that occurrence of that step. Writes one line for each: how it ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import faiss  # noqa: F401  loaded once, here, and not in each child
import tantivy  # noqa: F401

from rag.building.builder import build_index
from rag.index.layout import IndexFolder
from rag.testing import FakeEmbedder


def killed_build(index_dir: Path, step: str, occurrence: int) -> None:
    """Build and die on the way; returns if the step does not come that often."""
    seen, lock = 0, threading.Lock()

    def on_step(name: str) -> None:
        nonlocal seen
        with lock:
            seen += name == step
            if name == step and seen == occurrence:
                os.kill(os.getpid(), signal.SIGKILL)

    embedder = FakeEmbedder()
    build_index(
        IndexFolder(index_dir, "news"),
        model_sha256=embedder.identity.sha256,
        load_embedder=lambda _: embedder,
        on_step=on_step,
    )


def main() -> None:
    for line in sys.stdin:
        index_dir, step, occurrence = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            killed_build(Path(index_dir), step, int(occurrence))
            os._exit(0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
