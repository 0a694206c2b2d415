"""An embedder that takes its process with it, once: as when a machine of a cluster goes."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from rag.embedding import Spans, Vectors
from rag.testing import FakeEmbedder


class KillingEmbedder(FakeEmbedder):
    """The fake; the first process to embed `passages` with it in the folder of `mark` is killed."""

    def __init__(self, mark: Path, builder: int) -> None:
        super().__init__()
        self._mark, self._builder = mark, builder
        self._n_calls = 0

    def embed_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        self._n_calls += 1
        if self._n_calls > 1 and os.getpid() != self._builder:
            try:
                os.close(os.open(self._mark, os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)
            except FileExistsError:
                pass
        return super().embed_passages(texts, spans)


def load(mark: Path, builder: int, runtime: str | None) -> KillingEmbedder:
    return KillingEmbedder(mark, builder)


def plain(runtime: str | None) -> FakeEmbedder:
    return FakeEmbedder()
