"""What a search needs of a store: the chunks that it proposes for a question.

The local index (`rag.index.opened.OpenIndex`) is one; whatever else keeps vectors and words can be
another. Scores of chunks are looked at closely afterwards, so a store only has to find them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rag.embedding import Vectors
from rag.index.candidates import Candidates
from rag.index.filter import Filter


class CandidateStore(Protocol):
    """Proposes chunks. Safe to call from several threads.

    tests/test_retrieval_candidates.py holds what every store must do.
    """

    @property
    def n_chunks(self) -> int:
        """Number of chunks in it."""
        ...

    def document_frequency(self, term: str) -> int:
        """In how many chunks, or their titles, a term stands."""
        ...

    def candidates(
        self, terms: Sequence[str], vector: Vectors, filter: Filter, n: int
    ) -> Candidates:
        """The n best chunks by cosine and the n best by BM25, each with both scores.

        Args:
            terms: Distinct terms of the question, as the index's `Analyzer` makes them; none
                leaves only the cosine.
            vector: Of the question, shape (dimension,), unit length.
            filter: Chunks of other articles are never proposed.
            n: At least 1.

        Returns:
            At most 2 n chunks; fewer only where fewer pass the filter or have one of the terms.
        """
        ...
