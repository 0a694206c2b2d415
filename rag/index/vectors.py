"""Chunk vectors in FAISS, under the catalog's chunk ids."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import Vectors
from rag.errors import IndexCorruptError

KIND = "Flat"


def write_vectors(
    path: Path, dimension: int, batches: Iterable[tuple[NDArray[np.int64], Vectors]]
) -> str:
    """Build and write the vector index of a version.

    Args:
        path: The file to write.
        dimension: Length of a vector.
        batches: Chunk ids (n,) and their unit vectors (n, dimension).

    Returns:
        The kind of index chosen, for the manifest.
    """
    import faiss

    index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
    for ids, vectors in batches:
        index.add_with_ids(vectors, ids)
    faiss.write_index(index, os.fspath(path))
    return KIND


class VectorIndex:
    """The chunk vectors of one version, opened for searching. Safe for several threads."""

    def __init__(self, path: Path, *, n_threads: int) -> None:
        import faiss

        self._faiss: Any = faiss
        faiss.omp_set_num_threads(n_threads)
        try:
            self._index: Any = faiss.read_index(os.fspath(path))
        except RuntimeError as error:
            raise IndexCorruptError(f"{path} is not a FAISS index: {error}") from error

    @property
    def ids(self) -> NDArray[np.int64]:
        """Every id, in the order of adding."""
        return np.asarray(self._faiss.vector_to_array(self._index.id_map), dtype=np.int64)

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
        if allowed is not None and not len(allowed):
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        k = min(k, self._index.ntotal if allowed is None else len(allowed))
        if k == 0:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        parameters = None
        if allowed is not None:
            selector = self._faiss.IDSelectorBatch(allowed)
            parameters = self._faiss.SearchParameters(sel=selector)
        scores, ids = self._index.search(queries, k, params=parameters)
        return ids, np.clip(scores, -1.0, 1.0)
