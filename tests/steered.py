"""Fakes that files in a folder steer, for a page or a server that runs while a test looks at it.

hold-answer   answers stop after two words until it is gone
hold-queue    the queue to the language model is full
hold-facts    the language model makes something up
hold-crash    the language model raises what nobody foresaw
hold-build    a build waits while it is there
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rag import BuildReport, Calibration, Rag, Settings
from rag.building.builder import build_index
from rag.errors import BusyError, CancelledError
from rag.index.layout import IndexFolder
from rag.llm import Prompt, Token
from rag.testing import FakeEmbedder, FakeLLM, open_with


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


def opened_steered(folder: Path, calibration: Calibration | None = None) -> Callable[..., Rag]:
    """Stands for `Rag.open`: an index with these fakes."""

    def opened(name: str, *, settings: Settings) -> Rag:
        llm = SteeredLLM(folder)
        return open_with(
            settings.index_dir,
            name,
            FakeEmbedder(),
            llm,
            settings=settings,
            calibration=calibration,
        )

    return opened


def built_held(folder: Path) -> Callable[..., BuildReport]:
    """Stands for `rag.build`: with the fake embedder, and held while a file says so."""

    def built(name: str, *, progress: Any, settings: Settings, **options: Any) -> BuildReport:
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

    return built
