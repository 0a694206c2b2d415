"""The reference embedder: sentence-transformers itself, for any model it can load."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag import models
from rag.embedding import EmbedderIdentity, Spans, Vectors, embed_apart, unit
from rag.embedding.windows import pool, windows
from rag.errors import ModelError
from rag.models.known import mend_for_damage
from rag.settings import silence_telemetry

RUNTIME = "sentence-transformers"
_BATCH_TEXTS, _GPU_BATCH_TEXTS = 32, 1_024

_NVIDIA = Path("/proc/driver/nvidia")


def gpu_available() -> bool:
    """Whether torch has an NVIDIA GPU to run on; torch is imported only where there is one."""
    if not _NVIDIA.exists():
        return False
    import torch

    return torch.cuda.is_available()


class SentenceTransformersEmbedder:
    """A sentence-transformers model read from a local folder. See `rag.embedding.Embedder`.

    On a GPU it computes in bfloat16 and large batches; vectors are float32 either way.

    Args:
        path: The folder.
        model: Name of the model.
        n_threads: Threads to use without a GPU.
        fallback: Why it stands in for the export of the model.
        half: Whether to compute in bfloat16; None does so on a GPU.

    Attributes:
        fallback: Why it stands in for the export of the model; None where it was chosen.
    """

    def __init__(
        self,
        path: Path,
        *,
        model: str,
        n_threads: int,
        fallback: str | None = None,
        half: bool | None = None,
    ) -> None:
        silence_telemetry()
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        self.fallback = fallback
        # It counts tensors on stderr, in among our own output.
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(n_threads)
        try:
            self._model = SentenceTransformer(str(path), local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"embedding model {model!r} ({path}) does not load: {error}",
                mend=mend_for_damage(model),
            ) from error
        on_gpu = self._model.device.type == "cuda"
        self._batch_texts = _GPU_BATCH_TEXTS if on_gpu else _BATCH_TEXTS
        if on_gpu if half is None else half:
            self._model.bfloat16()
        # A copy: counting sets other options than encoding does, and threads do both at once.
        # tests/test_embedding.py::test_threads_at_once_give_the_same_vectors
        self._tokenizer = copy.deepcopy(self._model.tokenizer)
        special = self._tokenizer.num_special_tokens_to_add(pair=False)
        self.max_tokens = int(self._model.max_seq_length or 512) - special
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ModelError(f"embedding model {model!r} ({path}) does not state its dimension")
        self.identity = EmbedderIdentity(
            model=model, sha256=models.fingerprint(path), runtime=RUNTIME, dimension=dimension
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts), add_special_tokens=False, truncation=False, verbose=False
        )
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, shape (n, dimension)."""
        parts, owner = windows(texts, self.count_tokens, self.max_tokens)
        if not parts:
            return np.empty((0, self.identity.dimension), dtype=np.float32)
        vectors = self._model.encode(
            parts,
            batch_size=self._batch_texts,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return pool(unit(np.asarray(vectors, dtype=np.float32)), owner, len(texts))

    def embed_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        """Vectors of passages and of spans in them, each read as a text of its own."""
        return embed_apart(self, texts, spans)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, shape (n, dimension)."""
        return self.embed_documents(texts)
