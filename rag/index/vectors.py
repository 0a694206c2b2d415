"""Chunk vectors in FAISS, under the catalog's chunk ids."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import Vectors
from rag.index.layout import damaged, not_written

Batches = Iterable[tuple[NDArray[np.int64], Vectors]]
"""Chunk ids (n,) and their unit vectors (n, dimension)."""

# Measured: docs/decisions.md, "The kind of FAISS index". Whatever the kind, retrieval scores its
# candidates again with the catalog's own vectors.
FLAT_UNTIL = 50_000
SQ8_UNTIL = 150_000
_VECTORS_PER_LIST = 512
_TRAINING_VECTORS = 50_000
_TRAINING_VECTORS_PER_LIST = 48
_SEARCHED_LISTS = 128
_LOOKED_UP = 2_000  # so few allowed ids are looked up one by one
_ONE_THREAD = 16  # for so few queries one thread is enough


def kind_for(n_chunks: int) -> str:
    """The kind of index for so many chunks, in the words of `faiss.index_factory`."""
    if n_chunks <= FLAT_UNTIL:
        return "Flat"
    if n_chunks <= SQ8_UNTIL:
        return "SQ8"
    # Powers of two: an index that grows is trained anew each time it has doubled.
    return f"IVF{2 ** round(np.log2(n_chunks / _VECTORS_PER_LIST))},SQ8"


def n_training(kind: str) -> int:
    """Vectors that an index of this kind wants to be trained on, at most."""
    if kind == "Flat":
        return 0
    lists = kind.removeprefix("IVF").partition(",")[0]
    return int(lists) * _TRAINING_VECTORS_PER_LIST if lists.isdigit() else _TRAINING_VECTORS


def write_vectors(path: Path, kind: str, dimension: int, sample: Vectors, batches: Batches) -> None:
    """Build and write the vector index of a version.

    Args:
        path: The file to write.
        kind: From `kind_for`.
        dimension: Length of a vector.
        sample: Vectors to train on, drawn from all over the chunks; shape (n, dimension).
        batches: Ids and vectors of every chunk.

    Raises:
        IndexWriteError: the file cannot be written.
    """
    import faiss

    index = faiss.index_factory(dimension, kind, faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        index.train(sample)
    if not kind.startswith("IVF"):  # which keeps ids itself
        index = faiss.IndexIDMap2(index)
    for ids, vectors in batches:
        index.add_with_ids(vectors, ids)
    _write(index, path)


def update_vectors(old: Path, new: Path, removed: NDArray[np.int64], added: Batches) -> None:
    """Write the vector index of a version from the one of another version.

    Args:
        old: The file of the other version.
        new: The file to write.
        removed: Ids that are no more.
        added: Ids and vectors of the chunks that are new.

    Raises:
        IndexCorruptError: `old` is not a FAISS index.
        IndexWriteError: `new` cannot be written.
    """
    index = _read(old, 0)
    if len(removed):
        index.remove_ids(removed)
    for ids, vectors in added:
        index.add_with_ids(vectors, ids)
    _write(index, new)


class VectorIndex:
    """The chunk vectors of one version, memory-mapped for searching. Safe for several threads."""

    def __init__(self, path: Path, *, n_threads: int) -> None:
        import faiss

        self._faiss: Any = faiss
        self._n_threads = n_threads
        self._index: Any = _read(path, faiss.IO_FLAG_MMAP_IFC)
        self._n_lists: int = getattr(self._index, "nlist", 0)
        if self._n_lists:
            self._index = _read(path, faiss.IO_FLAG_MMAP)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Every id, ascending."""
        parts = list(self._ids())
        return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)

    def _ids(self) -> Iterator[NDArray[np.int64]]:
        if not self._n_lists:
            yield self._faiss.vector_to_array(self._index.id_map).astype(np.int64)
            return
        lists = self._index.invlists
        for number in range(self._n_lists):
            size = lists.list_size(number)
            if size:
                yield self._faiss.rev_swig_ptr(lists.get_ids(number), size).copy()

    def search(
        self, queries: Vectors, k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], Vectors]:
        """The k nearest chunks of each query by cosine.

        Args:
            queries: Shape (q, dimension), unit length.
            k: Neighbours wanted.
            allowed: Search only among these ids.

        Returns:
            Ids and cosines in [-1, 1], both (q, k'), best first; k' is k or the number of chunks.
        """
        n_searched = len(self) if allowed is None else len(allowed)
        k = min(k, n_searched)
        if k == 0:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        if self._n_lists and allowed is not None and len(allowed) <= _LOOKED_UP:
            return self._search_few(queries, k, allowed)
        selector, bits = None, None
        if allowed is not None:
            bits = _bitmap(allowed)  # FAISS keeps a pointer only
            selector = self._faiss.IDSelectorBitmap(len(bits), self._faiss.swig_ptr(bits))
        if self._n_lists:
            # The fewer may be found, the more lists they are to be looked for in.
            n_probe = _SEARCHED_LISTS * len(self) // n_searched
            parameters = self._faiss.SearchParametersIVF(
                sel=selector, nprobe=min(self._n_lists, n_probe)
            )
        else:
            parameters = self._faiss.SearchParameters(sel=selector)
        # FAISS keeps this for each calling thread. A few questions are answered sooner by one
        # thread: others only wait for each other, and the longer the busier the machine is.
        few = len(queries) <= _ONE_THREAD
        self._faiss.omp_set_num_threads(1 if few else self._n_threads)
        scores, ids = self._index.search(queries, k, params=parameters)
        return ids, np.clip(scores, -1.0, 1.0)

    def _search_few(
        self, queries: Vectors, k: int, allowed: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], Vectors]:
        """Like `search`, by looking up each vector: going through all lists takes far longer."""
        ids, lists, offsets = self._places
        places = np.searchsorted(ids, allowed)
        vectors = np.empty((len(allowed), self._index.d), np.float32)
        for row, place in zip(vectors, places.tolist(), strict=True):
            pointer = self._faiss.swig_ptr(row)
            self._index.reconstruct_from_offset(int(lists[place]), int(offsets[place]), pointer)
        scores = np.clip(queries @ vectors.T, -1.0, 1.0)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return allowed[order], np.take_along_axis(scores, order, axis=1)

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
        """Every id, ascending, with its list and its place there; made when first needed."""
        inverted = self._index.invlists
        sizes = np.array([inverted.list_size(number) for number in range(self._n_lists)])
        ids = np.concatenate(list(self._ids()))
        lists = np.repeat(np.arange(self._n_lists, dtype=np.int32), sizes)
        offsets = np.arange(len(ids)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        order = np.argsort(ids)
        return ids[order], lists[order], offsets[order].astype(np.int32)


def _bitmap(ids: NDArray[np.int64]) -> NDArray[np.uint8]:
    marks = np.zeros(int(ids.max()) + 1, dtype=bool)
    marks[ids] = True
    return np.packbits(marks, bitorder="little")


def _read(path: Path, flags: int) -> Any:
    import faiss

    try:
        return faiss.read_index(os.fspath(path), flags)
    except RuntimeError as error:
        raise damaged(path.parent, f"{path.name} is not a FAISS index: {error}") from error


def _write(index: Any, path: Path) -> None:
    import faiss

    try:
        faiss.write_index(index, os.fspath(path))
    except RuntimeError as error:
        raise not_written(path, str(error)) from error
