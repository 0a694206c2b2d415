"""The page with fakes, in a process of its own: python -m tests.browser.serve PORT FOLDER [AUTH].

Gradio leaves event loops open, and warnings are errors in the tests' own process. FOLDER holds
`indexes/`; files in it steer the fakes:

    hold-answer   answers stop after two words until it is gone
    hold-queue    the queue to the language model is full
    hold-facts    the language model makes something up
    hold-crash    the language model raises what nobody foresaw
    hold-build    a build waits while it is there

Addresses outside of this machine that anything here wants to speak to are written to `outside`.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag import BuildReport, Rag, Settings
from rag.building.builder import build_index
from rag.errors import BusyError, CancelledError
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from rag.llm import Prompt, Token
from rag.page import serve
from rag.testing import FakeEmbedder, FakeLLM

_LOCAL = re.compile(r"127\.|::1$|localhost$|0\.0\.0\.0$")


def watch_sockets(log: Path) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        host = None
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = str(arguments[1][0])
        elif event == "socket.getaddrinfo":
            host = str(arguments[0])
        if host and not _LOCAL.match(host):
            with log.open("a") as file:
                file.write(f"{event} {host}\n")

    sys.addaudithook(hook)


class SteeredLLM(FakeLLM):
    """The best sentence of the evidence; not at once, or not at all, if a file says so."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._hold = folder / "hold-answer"
        self._full = folder / "hold-queue"
        self._facts = folder / "hold-facts"
        self._crash = folder / "hold-crash"

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        if self._crash.exists():
            raise ZeroDivisionError("not foreseen")
        if self._full.exists():
            raise BusyError("8 questions are waiting for the language model already")
        if self._facts.exists():
            yield Token("Mayor Lena Holm said repairs cost 9 million crowns. Nobody paid tolls. ")
            return
        words = super().complete(prompt, max_tokens=max_tokens, cancelled=cancelled)
        for number, word in enumerate(words):
            while number == 2 and self._hold.exists():
                if cancelled is not None and cancelled.is_set():
                    raise CancelledError("the answer was stopped")
                time.sleep(0.02)
            yield word


def main(port: int, folder: Path, auth: Path | None = None) -> None:
    watch_sockets(folder / "outside")

    def opened(name: str, *, settings: Settings) -> Rag:
        index = IndexFolder(settings.index_dir, name)
        rag = Rag(OpenIndex(index, n_threads=1), FakeEmbedder(), SteeredLLM(folder), settings)
        rag._folder = index  # so that it sees new versions, as one opened by name does
        return rag

    def build(name: str, *, progress: Any, settings: Settings, **options: Any) -> BuildReport:
        def told(step: Any) -> None:
            progress(step)
            while (folder / "hold-build").exists():
                time.sleep(0.02)

        embedder = FakeEmbedder()
        return build_index(
            IndexFolder(settings.index_dir, name),
            model_sha256=embedder.identity.sha256,
            load_embedder=lambda _: embedder,
            progress=told,
            **options,
        )

    serve.main(
        index="news",
        port=port,
        auth=auth,
        open_index=opened,
        build=build,
        announce=lambda address: sys.stdout.write(f"The page: {address}\n") and sys.stdout.flush(),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(Path, sys.argv[2:]))
