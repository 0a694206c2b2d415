"""A server in a process of its own, for as long as a test needs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 120


@dataclass
class Server:
    """The page under test.

    Attributes:
        url: Where it is.
        folder: Files in it steer the fakes; see tests/steered.py.
    """

    url: str
    folder: Path

    def hold(self, what: str) -> None:
        (self.folder / f"hold-{what}").touch()

    def release(self, what: str) -> None:
        (self.folder / f"hold-{what}").unlink(missing_ok=True)


@contextmanager
def served(
    command: Sequence[str], folder: Path, index_dir: Path, **variables: str
) -> Iterator[Server]:
    """Run a server that takes its port as `PORT` until the block ends, with these variables set."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAG_INDEX_DIR": str(index_dir)}
    environment |= {"RAG_PAGE_DIR": str(folder / "kept")} | variables
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-u", *(part.replace("PORT", str(port)) for part in command)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    watch = threading.Timer(START_SECONDS, process.kill)  # one that says nothing is waited for too
    watch.start()
    started = next((line for line in process.stdout if f":{port}" in line), None)
    watch.cancel()
    assert started, (folder / "server.log").read_text()
    try:
        yield Server(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.communicate(timeout=60)
        log.close()
