"""The quick embedder: a model's export run by ONNX Runtime, without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from rag.embedding import EmbedderIdentity, Spans, Vectors, bert, embed_apart, unit
from rag.embedding.bf16 import Bf16Encoder, has_bf16_products, runs
from rag.embedding.export import DOCUMENTS, META, QUERIES, RUNTIME, TOKENIZER
from rag.embedding.graph import INPUT, OUTPUT, STATES
from rag.embedding.session import open_session
from rag.embedding.windows import pool, windows
from rag.errors import ModelError

# Tokens of one batch. Its activations should stay in a core's own cache: 8 times as many tokens
# are slower by a third, half as many by less than a tenth.
_BATCH_TOKENS = 320
# From so many passages at once, importing torch pays: it takes some seconds of one core.
_MANY_PASSAGES = 256


class OnnxEmbedder:
    """The export of a sentence-transformers model. See `rag.embedding.Embedder`.

    Batches run side by side, one thread each: on one batch, threads would wait for each other.
    A text's vector does not depend on the texts that it is embedded with.

    Args:
        folder: What `rag.embedding.export.export` returned.
        model: Name of the model.
        n_threads: Threads to use, at least 1.
        weights: Folder of the model itself: many passages are then read in bfloat16 where the
            processor has products for that (`rag.embedding.bf16`), which is nearer to float32 than
            int8 is, and quicker. None leaves them to the export.

    Raises:
        ModelError: a file of the export is missing or damaged.
    """

    def __init__(
        self, folder: Path, *, model: str, n_threads: int, weights: Path | None = None
    ) -> None:
        from tokenizers import Tokenizer

        self._folder = folder
        self._meta = _read_meta(folder)
        self._tokenizer = Tokenizer.from_str(self._read(TOKENIZER).decode())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.max_tokens = self._meta["max_length"] - self._tokenizer.num_special_tokens_to_add(
            False
        )
        self._n_threads = n_threads
        self._weights = weights if has_bf16_products() else None
        self._encoder: Bf16Encoder | None = None
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="embed")
        self.identity = EmbedderIdentity(
            model=model,
            sha256=self._meta["source_sha256"],
            runtime=RUNTIME,
            dimension=self._meta["dimension"],
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(text) for text in encoded]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, shape (n, dimension)."""
        return self._embed(self._documents, texts)

    def embed_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        """Vectors of passages and of spans in them, from one reading: the mean of their tokens.

        A span is read in its context then, and costs nothing. Where the model does not average
        its tokens, or a passage is longer than it reads, spans are read as texts of their own.
        """
        if self._meta["pooling"] != "mean":
            return embed_apart(self, texts, spans)
        encoded = self._tokenizer.encode_batch(list(texts))
        long = [at for at, text in enumerate(encoded) if len(text.ids) > self._meta["max_length"]]
        vectors = np.zeros((len(texts), self.identity.dimension), dtype=np.float32)
        parts: list[Vectors] = [vectors[:0]] * len(texts)

        short = sorted(set(range(len(texts))).difference(long))
        lengths = [len(encoded[row].ids) for row in short]
        encoder = self._for_many(len(short))

        def run(rows: list[int]) -> None:
            ids = [encoded[row].ids for row in rows]
            if encoder is not None:
                vectors[rows], states = encoder.run(ids)
            else:
                batch = np.array(ids, dtype=np.int64)
                vectors[rows], states = self._documents.run([OUTPUT, STATES], {INPUT: batch})
            for row, own in zip(rows, states, strict=True):
                parts[row] = _spans(own, encoded[row].offsets, spans[row])

        batches = _batches(lengths) if encoder is None else runs(lengths)
        for _ in self._threads.map(run, [[short[at] for at in rows] for rows in batches]):
            pass  # raises what a batch raised
        if long:
            own = embed_apart(self, [texts[at] for at in long], [spans[at] for at in long])
            for at, vector, part in zip(long, *own, strict=True):
                vectors[at], parts[at] = vector, part
        return vectors, parts

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, shape (n, dimension), at full precision: they are few."""
        return self._embed(self._queries, texts)

    def _for_many(self, n_passages: int) -> Bf16Encoder | None:
        """The encoder for many passages; once it is open, for few as well."""
        if self._encoder is None and self._weights is not None and n_passages >= _MANY_PASSAGES:
            self._encoder = Bf16Encoder(bert.read(self._weights))
        return self._encoder

    # Opened at first use: a search needs only the one, a build only the other.

    @cached_property
    def _documents(self) -> Any:
        # Without such products int8 sums overflow (vectors have a cosine of .995 with the right
        # ones) and are no quicker than float32.
        return self._opened(DOCUMENTS) if has_int8_products() else self._queries

    @cached_property
    def _queries(self) -> Any:
        return self._opened(QUERIES)

    def _embed(self, session: Any, texts: Sequence[str]) -> Vectors:
        parts, owner = windows(texts, self.count_tokens, self.max_tokens)
        row_of = {part: row for row, part in enumerate(dict.fromkeys(parts))}
        encoded = self._tokenizer.encode_batch_fast(list(row_of))
        ids = [text.ids for text in encoded]
        vectors = np.empty((len(ids), self.identity.dimension), dtype=np.float32)

        def run(rows: list[int]) -> None:
            batch = np.array([ids[row] for row in rows], dtype=np.int64)
            (vectors[rows],) = session.run([OUTPUT], {INPUT: batch})

        for _ in self._threads.map(run, _batches([len(text) for text in ids])):
            pass  # raises what a batch raised
        return pool(vectors[[row_of[part] for part in parts]], owner, len(texts))

    def _opened(self, name: str) -> Any:
        return open_session(self._read(name), n_threads=1)

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _damaged(path, str(error)) from error
        if hashlib.sha256(content).hexdigest() != self._meta["sha256"].get(name):
            raise _damaged(path, "its sha256 is not that of the export")
        return content


@cache
def has_int8_products() -> bool:
    """Whether the processor sums products of int8 in 32 bits (VNNI, or Arm's dot product)."""
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return False
    return not words.isdisjoint(("avx512_vnni", "avx_vnni", "asimddp"))


def _batches(lengths: list[int]) -> list[list[int]]:
    """Rows of equal length, at most `_BATCH_TOKENS` tokens at a time, the longest texts first."""
    batches = []
    by_length = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    for length, group in groupby(by_length, key=lambda row: lengths[row]):
        rows = list(group)
        n_rows = max(1, _BATCH_TOKENS // length)
        batches += [rows[start : start + n_rows] for start in range(0, len(rows), n_rows)]
    return batches


def _spans(states: Vectors, offsets: Sequence[tuple[int, int]], spans: Spans) -> Vectors:
    """The mean of the tokens that each span holds, scaled to length 1.

    Args:
        states: Of the tokens of a text, shape (n_tokens, dimension).
        offsets: Where each token stands in the text; special ones nowhere, `(0, 0)`.
        spans: In the text. One without a token is as the whole text.
    """
    starts, ends = np.array(offsets).T
    held = [(starts < end) & (ends > start) & (ends > starts) for start, end in spans]
    means = [states[own].mean(axis=0) if own.any() else states.mean(axis=0) for own in held]
    return unit(np.array(means, dtype=np.float32).reshape(len(spans), states.shape[1]))


def _read_meta(folder: Path) -> dict[str, Any]:
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        return {key: meta[key] for key in _META_KEYS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder / META, str(error)) from error


_META_KEYS = ("source_sha256", "dimension", "max_length", "pooling", "sha256")


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"exported embedding model {path} does not open: {why}",
        mend=f"rm -r '{path.parent}' (it is exported anew at the next use)",
    )
