"""The words of a question, and how much of them a text holds."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

from rag.retrieval.candidates import CandidateStore
from rag.text.analysed import Analysed
from rag.text.analysis import Analyzer

MAX_TERMS = 64
"""Distinct terms of a question that are looked for: the rarest, if it has more."""
_BM25_K1 = 1.2  # tantivy's
# Of a sentence that is looked at again, as in a server, the terms are known: tens of megabytes.
_KNOWN_SENTENCES = 100_000
_MAX_KNOWN_LENGTH = 1_000  # characters


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
    """The terms of a question with their weights: made once, and carried from search to answer.

    Attributes:
        question: The question, read once.
        weights: Of each distinct term (stemmed, without stop words unless there are no others)
            its inverse document frequency as BM25 has it, above 0.
        most_bm25: What no text's BM25 for these terms reaches; 0 where there are no terms.
    """

    def __init__(self, question: str, store: CandidateStore, analyzer: Analyzer) -> None:
        """Analyze a question.

        Args:
            question: As searched.
            store: Knows how rare terms are.
            analyzer: Makes the terms.
        """
        self.question = Analysed(question, analyzer)
        content = self.question.content_terms
        # Stop words only: then they are what is looked for.
        self._analyze = analyzer.content_terms if content else analyzer.terms
        n = store.n_chunks
        idf = {
            term: _idf(store.document_frequency(term), n)
            for term in dict.fromkeys(content or analyzer.terms(question))
        }
        rarest = set(sorted(idf, key=lambda term: -idf[term])[:MAX_TERMS])
        self.weights = {term: weight for term, weight in idf.items() if term in rarest}
        self._terms = frozenset(self.weights)
        self._total = math.fsum(self.weights.values())
        self.most_bm25 = self._total * (_BM25_K1 + 1)
        self._pairs = {
            (one, other): self.weights[one] + self.weights[other]
            for one, other in pairwise(content)
            if one in rarest and other in rarest
        }
        self._pairs_total = math.fsum(self._pairs.values())

    def look_in(self, title: str, sentences: Sequence[str]) -> Held:
        """How much of the question a passage under a title holds."""
        sequences = [self._terms_of(sentence) for sentence in sentences]
        in_title = self._terms.intersection(self._terms_of(title))
        held = [self._terms.intersection(sequence) | in_title for sequence in sequences]
        return Held(
            by_sentence=[self._share(terms) for terms in held],
            together=self._share(in_title.union(*held)),
            phrases=self._phrases(sequences),
        )

    def _terms_of(self, text: str) -> Sequence[str]:
        if len(text) > _MAX_KNOWN_LENGTH:
            return self._analyze(text)
        return _known_terms(self._analyze, text)

    def _share(self, held: Set[str]) -> float:
        if not held:
            return 0.0
        # fsum: the same whatever the order of a set.
        return min(1.0, math.fsum(self.weights[term] for term in held) / self._total)

    def _phrases(self, sequences: Sequence[Sequence[str]]) -> float:
        if not self._pairs:
            return 0.0
        held = self._pairs.keys() & set(pairwise(chain.from_iterable(sequences)))
        return min(1.0, math.fsum(self._pairs[pair] for pair in held) / self._pairs_total)


@lru_cache(_KNOWN_SENTENCES)
def _known_terms(analyze: Callable[[str], list[str]], text: str) -> tuple[str, ...]:
    return tuple(map(sys.intern, analyze(text)))


def _idf(frequency: int, n: int) -> float:
    return math.log(1 + (n - frequency + 0.5) / (frequency + 0.5))
