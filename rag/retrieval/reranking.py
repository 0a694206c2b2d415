"""Reranking: a cross-encoder reads question and passage together. Optional, off by default.

Slower than all of the search before it, and the better the model the more it mends: see Nogueira
and Cho, "Passage Re-ranking with BERT", 2019. Set `reranker` to a name or a folder.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.settings import silence_telemetry


class Reranker(Protocol):
    """Says how well passages answer a question. Safe to call from several threads."""

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """One score in [0, 1] for each passage; higher is better."""
        ...


class CrossEncoderReranker:
    """A `CrossEncoder` of sentence-transformers with one output.

    Args:
        model: Folder of the model, or a name under which the cache of the Hugging Face hub on this
            machine has it; nothing is downloaded.
        n_threads: Threads to use, at least 1.

    Raises:
        ModelError: it does not load, or has more than one output.
    """

    def __init__(self, model: str, *, n_threads: int) -> None:
        silence_telemetry()
        import torch
        from sentence_transformers import CrossEncoder

        torch.set_num_threads(n_threads)
        try:
            self._model: Any = CrossEncoder(
                str(Path(model).expanduser()),
                device="cpu",
                activation_fn=torch.nn.Sigmoid(),
                local_files_only=True,
            )
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"the reranker {model!r} does not load: {error}",
                mend="name the folder of a sentence-transformers CrossEncoder, or unset `reranker`",
            ) from error
        n_outputs = self._model.model.config.num_labels
        if n_outputs != 1:
            raise ModelError(
                f"the reranker {model!r} has {n_outputs} outputs: one score is needed",
                mend="choose a cross-encoder made for reranking",
            )
        self._lock = threading.Lock()

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """One score in [0, 1] for each passage; higher is better."""
        if not passages:
            return np.empty(0, np.float32)
        with self._lock:
            pairs = [(question, passage) for passage in passages]
            scores = self._model.predict(pairs, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float32)
