"""A ranker of our own: MiniLM, trained on questions over news and encyclopaedia.

A BERT encoder reads "question [SEP] heading. passage"; the mean of a sentence's tokens and that of
all tokens go through a layer of 128 units to one number. `tools/train_ranker.py` trains it and
writes `model/`; without that folder engines go without. Reading question and passage together is
Nogueira and Cho, "Passage Re-ranking with BERT", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from rag.embedding import Vectors, export
from rag.embedding.onnx import OnnxEmbedder
from rag.errors import ModelError
from rag.ranking import RankedPassage

FOLDER = Path(__file__).parent / "model"
_HEAD = "head.safetensors"


class MiniLMRanker:
    """See `rag.ranking.Ranker`. Opened at the first question.

    Args:
        models_dir: Where its export for ONNX Runtime is kept.
        n_threads: Threads to use, at least 1.
        folder: The model; the one of the package unless it is trained anew.
    """

    name = "news-ranker-1"

    def __init__(self, models_dir: Path, n_threads: int, folder: Path = FOLDER) -> None:
        self._models_dir = models_dir
        self._n_threads = n_threads
        self._folder = folder

    def logits(self, question: str, passages: Sequence[RankedPassage]) -> list[Vectors]:
        """For each passage the number of each of its sentences."""
        if not passages:
            return []
        texts, spans = [], []
        for passage in passages:
            heading = f"{passage.heading}. " if passage.heading else ""
            before = f"{question} [SEP] {heading}"
            texts.append(before + passage.text)
            spans.append([(start + len(before), end + len(before)) for start, end in passage.spans])
        wholes, parts = self._encoder.embed_passages(texts, spans)
        return [self._head(part, whole) for part, whole in zip(parts, wholes, strict=True)]

    def _head(self, sentences: Vectors, whole: Vectors) -> Vectors:
        weights = self._weights
        both = np.hstack([sentences, np.broadcast_to(whole, sentences.shape)])
        scale = np.float32(np.sqrt(sentences.shape[1]))
        hidden = np.tanh(both * scale @ weights["up.weight"].T + weights["up.bias"])
        made: Vectors = hidden @ weights["out.weight"][0] + weights["out.bias"][0]
        return made

    @cached_property
    def _encoder(self) -> OnnxEmbedder:
        exported = export.export(self._folder, models_dir=self._models_dir)
        return OnnxEmbedder(exported, model=self.name, n_threads=self._n_threads)

    @cached_property
    def _weights(self) -> dict[str, Vectors]:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return dict(load_file(self._folder / _HEAD))
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"the ranker {self._folder} cannot be read: {error}",
                mend="install the package anew",
            ) from error
