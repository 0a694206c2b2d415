"""Candidates: the chunks that the vectors and the words of an index propose for a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.embedding import Vectors
from rag.index.filter import Filter
from rag.index.lexical import LexicalIndex
from rag.index.vectors import VectorIndex


class Candidates(NamedTuple):
    """Chunks with both of their scores; all arrays have shape (n,).

    Attributes:
        chunk_ids: Ascending, each once.
        cosines: Of the question and each chunk, [-1, 1].
        bm25: Of the question's terms in each chunk, 0 where it has none of them.
    """

    chunk_ids: NDArray[np.int64]
    cosines: NDArray[np.float32]
    bm25: NDArray[np.float32]


def propose(
    vectors: VectorIndex,
    lexical: LexicalIndex,
    questions: Sequence[tuple[Sequence[str], Vectors]],
    filter: Filter,
    allowed: NDArray[np.int64] | None,
    n: int,
    only: Sequence[int] | None = None,
) -> list[Candidates]:
    """The n best chunks by cosine and the n best by BM25, for each question.

    What one of the two found is looked up in the other: a part that is missing is not 0.

    Args:
        vectors, lexical: Of one version.
        questions: Of each its distinct terms and its vector, shape (dimension,), unit length.
        filter: Which chunks may be found.
        allowed: Their ids; None where the filter lets every chunk pass.
        n: Chunks wanted of each.
        only: `allowed`, where that says more than the filter.
    """
    if not questions:
        return []
    # All at once: going through the vectors costs more than comparing with them.
    nearest = _cosines(vectors, np.stack([vector for _, vector in questions]), n, allowed)
    return [
        _completed(vectors, lexical, *question, cosines, filter, n, only)
        for question, cosines in zip(questions, nearest, strict=True)
    ]


def _completed(
    vectors: VectorIndex,
    lexical: LexicalIndex,
    terms: Sequence[str],
    vector: Vectors,
    cosines: dict[int, float],
    filter: Filter,
    n: int,
    only: Sequence[int] | None,
) -> Candidates:
    bm25 = dict(lexical.search(terms, n, filter=filter, only=only))
    missing = [chunk_id for chunk_id in cosines if chunk_id not in bm25]
    bm25 |= dict(lexical.search(terms, len(missing), only=missing))
    unseen = np.array(sorted(bm25.keys() - cosines.keys()), dtype=np.int64)
    (others,) = _cosines(vectors, vector[np.newaxis], len(unseen), unseen)
    cosines |= others
    ids = sorted(cosines)
    return Candidates(
        np.array(ids, dtype=np.int64),
        np.array([cosines[chunk_id] for chunk_id in ids], dtype=np.float32),
        np.array([bm25.get(chunk_id, 0.0) for chunk_id in ids], dtype=np.float32),
    )


def _cosines(
    vectors: VectorIndex, queries: Vectors, n: int, allowed: NDArray[np.int64] | None
) -> list[dict[int, float]]:
    """By chunk id, of the n nearest chunks to each of the queries, shape (q, dimension)."""
    ids, cosines = vectors.search(queries, n, allowed=allowed)
    return [
        {chunk_id: cosine for chunk_id, cosine in zip(*pair, strict=True) if chunk_id >= 0}
        for pair in zip(ids.tolist(), cosines.tolist(), strict=True)
    ]
