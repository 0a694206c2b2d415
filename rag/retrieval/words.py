"""The words of a question, and how much of them a text holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.index.lexical import LexicalIndex

MAX_TERMS = 64
"""Distinct terms of a question that are looked for: the rarest, if it has more."""
_BM25_K1 = 1.2  # tantivy's


@dataclass(frozen=True, slots=True)
class Held:
    """How much of a question's words a passage holds; all are shares by rarity, in [0, 1].

    Attributes:
        by_sentence: Words held by each sentence together with the title.
        together: Words held by all of it together with the title.
        phrases: Pairs of neighbouring words of the question that are neighbours here too.
    """

    by_sentence: list[float]
    together: float
    phrases: float


class QuestionTerms:
    """The terms of a question with their weights.

    Attributes:
        weights: Of each distinct term (stemmed, without stop words unless there are no others)
            its inverse document frequency as BM25 has it, above 0.
        most_bm25: What no text's BM25 for these terms reaches; 0 where there are no terms.
    """

    def __init__(self, question: str, lexical: LexicalIndex) -> None:
        n = lexical.n_chunks
        content = lexical.content_terms(question)
        # Stop words only: then they are what is looked for.
        self._analyze = lexical.content_terms if content else lexical.terms
        idf = {
            term: _idf(lexical.document_frequency(term), n)
            for term in lexical.query_terms(question)
        }
        rarest = set(sorted(idf, key=lambda term: -idf[term])[:MAX_TERMS])
        self.weights = {term: weight for term, weight in idf.items() if term in rarest}
        self._total = sum(self.weights.values())
        self.most_bm25 = self._total * (_BM25_K1 + 1)
        self._pairs = {
            (one, other): self.weights[one] + self.weights[other]
            for one, other in pairwise(content)
            if one in rarest and other in rarest
        }
        self._pairs_total = sum(self._pairs.values())

    def look_in(self, title: str, sentences: Sequence[str]) -> Held:
        """How much of the question a passage under a title holds."""
        in_title = set(self._analyze(title))
        sequences = [self._analyze(sentence) for sentence in sentences]
        return Held(
            by_sentence=[self._share({*in_title, *sequence}) for sequence in sequences],
            together=self._share(in_title.union(*sequences)),
            phrases=self._phrases([term for sequence in sequences for term in sequence]),
        )

    def _share(self, held: set[str]) -> float:
        if not self._total:
            return 0.0
        # In the order of the terms, not that of a set: sums of floats depend on it.
        return min(1.0, sum(w for term, w in self.weights.items() if term in held) / self._total)

    def _phrases(self, sequence: Sequence[str]) -> float:
        if not self._pairs:
            return 0.0
        held = set(pairwise(sequence))
        found = sum(weight for pair, weight in self._pairs.items() if pair in held)
        return min(1.0, found / self._pairs_total)


def _idf(frequency: int, n: int) -> float:
    return math.log(1 + (n - frequency + 0.5) / (frequency + 0.5))
