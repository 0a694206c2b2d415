"""Fakes for tests: an embedder and a language model that need no files and no time.

    rag = Rag(index, FakeEmbedder(), FakeLLM(["The bridge closes on Monday."]))

They satisfy the same contracts as the real ones (tests/test_embedding.py, tests/test_llm.py).
"""

from __future__ import annotations

import datetime
import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.embedding import Embedder, EmbedderIdentity, Spans, Vectors, embed_apart, unit
from rag.embedding.windows import pool, windows
from rag.errors import CancelledError
from rag.lifetime import Lifetime
from rag.llm import Prompt, Token

if TYPE_CHECKING:
    from rag.answering.confidence import Calibration
    from rag.building.report import BuildReport
    from rag.engine import Rag
    from rag.llm import LLM
    from rag.settings import Settings

_WORD = re.compile(r"\w+")


class FakeEmbedder:
    """Bags of hashed words: texts that share words have a positive cosine.

    Deterministic across processes. See `rag.embedding.Embedder`.
    """

    def __init__(self, dimension: int = 64, max_tokens: int = 256) -> None:
        self.max_tokens = max_tokens
        self.identity = EmbedderIdentity(
            model="fake", sha256="0" * 64, runtime="fake", dimension=dimension
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words of each text."""
        return [len(_WORD.findall(text)) for text in texts]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, shape (n, dimension)."""
        parts, owner = windows(texts, self.count_tokens, self.max_tokens)
        vectors = np.zeros((len(parts), self.identity.dimension), dtype=np.float32)
        for row, part in zip(vectors, parts, strict=True):
            for word in _WORD.findall(part.lower()) or [part]:
                row[self._slot(word)] += 1.0
        return pool(unit(vectors), owner, len(texts))

    def embed_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        """Vectors of passages and of spans in them, each read as a text of its own."""
        return embed_apart(self, texts, spans)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, shape (n, dimension)."""
        return self.embed_documents(texts)

    def _slot(self, word: str) -> int:
        digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=4).digest()
        return int.from_bytes(digest, "big") % self.identity.dimension


class FakeLLM:
    """Writes what it is told to; without a script, the best sentence of the evidence.

    Args:
        script: Completions, one per question, the last one again and again.

    Attributes:
        prompts: What it was asked, in order.
        closed: Whether `close` was called.
    """

    name = "fake"
    context_tokens = 2048

    def __init__(self, script: Sequence[str] = ()) -> None:
        self._script = list(script)
        self.prompts: list[Prompt] = []
        self._life = Lifetime("the fake language model")

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._life.closed

    def count_tokens(self, text: str) -> int:
        """Words of a text."""
        self._life.check()
        return len(_WORD.findall(text))

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        """The completion, word by word."""
        self._life.check()
        self.prompts.append(prompt)
        if self._script:
            text = self._script[min(len(self.prompts), len(self._script)) - 1]
        else:
            text = prompt.passages[0] if prompt.passages else ""
        return self._words(re.findall(r"\S+\s*", text)[:max_tokens], cancelled)

    def _words(self, words: Sequence[str], cancelled: threading.Event | None) -> Iterator[Token]:
        for word in words:
            if self.closed or (cancelled is not None and cancelled.is_set()):
                raise CancelledError("the answer was stopped")
            yield Token(word)

    def close(self) -> None:
        """Note that it was closed."""
        self._life.close()


def fake_calibration() -> Calibration:
    """What `Rag(..., calibration=...)` takes for the two fakes, so that answers have a confidence.

    Nothing was fitted: what counts is the share of the question's words that the sources hold.
    """
    from rag.answering.confidence import Calibration, Logistic

    return Calibration(
        embedding="fake",
        llm="fake",
        fitted_on="nothing",
        fitted_at=datetime.date(2026, 1, 1),
        min_evidence=0.5,
        evidence=Logistic(intercept=-4.0, weights={"sentence_words": 8.0}),
        refused_share=0.5,
        answer=Logistic(intercept=-4.0, weights={"cited_words": 8.0}),
    )


def build_with(
    index_dir: Path,
    name: str,
    embedder: Embedder,
    *,
    full: bool = False,
) -> BuildReport:
    """Build an index by an embedder that is at hand, whatever its `index.toml` names."""
    from rag.building.builder import build_index
    from rag.index.layout import IndexFolder

    return build_index(
        IndexFolder(index_dir, name),
        model_sha256=embedder.identity.sha256,
        load_embedder=lambda _: embedder,
        full=full,
    )


def open_with(
    index_dir: Path,
    name: str,
    embedder: Embedder,
    llm: LLM | None = None,
    *,
    settings: Settings | None = None,
    calibration: Calibration | None = None,
) -> Rag:
    """Open an index that such an embedder built; without `llm` by one that writes evidence.

    As with `Rag.open`, what is published later is seen.
    """
    from rag.engine import Rag
    from rag.index.layout import IndexFolder
    from rag.index.opened import OpenIndex

    folder = IndexFolder(index_dir, name)
    index = OpenIndex(folder, n_threads=1)
    llm = llm or FakeLLM()
    return Rag(index, embedder, llm, settings, calibration=calibration, folder=folder)
