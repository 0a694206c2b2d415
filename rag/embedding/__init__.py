"""Embedding: texts to unit-length vectors.

`Embedder` is what the rest of the package knows. `load` gives the implementation that an index
names: `rag.embedding.reference` (sentence-transformers itself, any model) or
`rag.embedding.onnx` (an int8 export of it run by ONNX Runtime: quicker, and no torch).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from rag.errors import ModelError

Vectors = NDArray[np.float32]
Spans = Sequence[tuple[int, int]]


class EmbedderIdentity(BaseModel):
    """Which model made the vectors of an index; vectors of unequal identities do not mix.

    Attributes:
        model: Name or path, as in `index.toml`.
        sha256: Fingerprint of the model's files (`rag.models.fingerprint`).
        runtime: `sentence-transformers` or `onnx-int8-3`.
        dimension: Length of a vector.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    sha256: str
    runtime: str
    dimension: int


class Embedder(Protocol):
    """Turns texts into vectors. Safe to call from several threads.

    Attributes:
        identity: Which model this is.
        max_tokens: Most tokens of one text that the model reads, special tokens not counted.
    """

    identity: EmbedderIdentity
    max_tokens: int

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted, nothing truncated."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages: shape (n, dimension), float32, unit length.

        A text longer than `max_tokens` is read in windows whose vectors are averaged: nothing is
        silently cut off.
        """
        ...

    def embed_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        """Vectors of passages, and of spans in them, such as their sentences.

        Args:
            texts: The passages.
            spans: For each passage the spans `[start, end)` wanted of it, in characters.

        Returns:
            As `embed_documents` gives them, and for each passage its spans' vectors, shape
            (n_spans, dimension), float32, unit length.
        """
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions: shape (n, dimension), float32, unit length."""
        ...


def embed_apart(
    embedder: Embedder, texts: Sequence[str], spans: Sequence[Spans]
) -> tuple[Vectors, list[Vectors]]:
    """`Embedder.embed_passages` by reading each span as a text of its own."""
    parts = [text[start:end] for text, own in zip(texts, spans, strict=True) for start, end in own]
    vectors = embedder.embed_documents([*texts, *parts])  # at once: it is quicker
    ends = np.cumsum([len(texts), *(len(own) for own in spans)])
    return vectors[: len(texts)], [vectors[a:b] for a, b in itertools.pairwise(ends)]


def load(model: str, *, models_dir: Path, n_threads: int, runtime: str | None = None) -> Embedder:
    """Open an embedding model.

    Args:
        model: A name that `rag models` lists, or the folder of a sentence-transformers model.
        models_dir: Folder of downloaded models.
        n_threads: Threads to use, at least 1.
        runtime: `onnx-int8-3` or `sentence-transformers`, as an index names it; None takes the
            second where there is a GPU or the model cannot be exported, else the first. Where
            exporting fails, the second stands in for it: `fallback_of` says so.

    Raises:
        ModelMissingError: the model is not on this machine.
        ModelError: its files do not load, or it does not work with that runtime.
    """
    from rag import models
    from rag.embedding import export, reference
    from rag.embedding.onnx import OnnxEmbedder

    path = models.find(model, models_dir=models_dir, kind="embedding")
    if runtime == export.RUNTIME:
        folder = _export(path, model, models_dir)
        return OnnxEmbedder(folder, model=model, n_threads=n_threads, weights=path)
    if runtime not in (None, reference.RUNTIME):
        raise ModelError(
            f"no runtime {runtime!r} for embedding model {model!r}",
            mend="build the index anew with this version of rag",
        )
    fallback = None
    if runtime is None and not reference.gpu_available():
        try:
            folder = _export(path, model, models_dir)
            return OnnxEmbedder(folder, model=model, n_threads=n_threads, weights=path)
        except export.NotExportableError:
            pass  # the reference is the one for this model
        except ModelError as error:
            fallback = f"{error.message} ({error.mend})" if error.mend else error.message
    return reference.SentenceTransformersEmbedder(
        path, model=model, n_threads=n_threads, fallback=fallback
    )


def fallback_of(embedder: Embedder) -> str | None:
    """Why an embedder stands in for the quicker export; None for one that was chosen."""
    from rag.embedding.reference import SentenceTransformersEmbedder

    return embedder.fallback if isinstance(embedder, SentenceTransformersEmbedder) else None


def _export(path: Path, model: str, models_dir: Path) -> Path:
    from rag.embedding import export

    try:
        return export.export(path, models_dir=models_dir)
    except OSError as error:
        raise ModelError(
            f"embedding model {model!r} cannot be exported to {models_dir}: {error}",
            mend="make that folder writable, with 200 MB to spare, or set RAG_MODELS_DIR",
        ) from error


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32, copy=False)
    return scaled
