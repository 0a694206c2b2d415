"""Evidence: the few sentences of the hits that bear on the question.

Reading the prompt is most of what an answer costs on a CPU, so the language model is given
sentences, not chunks. They are scored by cosine, by how much of the question's words they hold
(weighted by rarity), and by the score of their chunk.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.article import Article
from rag.embedding import Vectors
from rag.index.lexical import LexicalIndex
from rag.retrieval import Hit, Retrieved

_WORD = re.compile(r"\w[\w’'.-]*")

COSINE_WEIGHT = 1.0
COVERAGE_WEIGHT = 1.0
CHUNK_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence of a source, with its bearing on the question.

    Attributes:
        article: Its article.
        hit: The best hit it stands in.
        start, end: Span in the article's text.
        vector: Shape (dimension,), unit length.
        cosine: With the question, [-1, 1].
        coverage: Share of the question's words that it holds, by rarity, [0, 1].
        score: Higher is better.
    """

    article: Article
    hit: Hit
    start: int
    end: int
    vector: Vectors
    cosine: float
    coverage: float
    score: float

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.article.text[self.start : self.end]


class QuestionWords:
    """The words of a question, weighted by how rare they are in the index.

    Attributes:
        weights: Inverse document frequency of each term, in (0, 1]: 1 for a term that no chunk
            holds.
    """

    def __init__(self, question: str, lexical: LexicalIndex) -> None:
        self._lexical = lexical
        scale = math.log(lexical.n_chunks + 2)
        self.weights = {
            term: math.log((lexical.n_chunks + 2) / (lexical.document_frequency(term) + 1)) / scale
            for term in lexical.query_terms(question)
        }
        self._names = {
            term
            for position, word in enumerate(_WORD.findall(question))
            if position and (word[0].isupper() or word[0].isdigit())
            for term in lexical.content_terms(word)
        }

    def coverage(self, text: str) -> float:
        """Share of the question's words that a text holds, weighted; in [0, 1]."""
        total = sum(self.weights.values())
        if not total:
            return 0.0
        held = set(self._lexical.terms(text))
        return sum(weight for term, weight in self.weights.items() if term in held) / total

    def names_coverage(self, text: str) -> float:
        """Share of the question's names and numbers that a text holds; 1 when it has none."""
        if not self._names:
            return 1.0
        return len(self._names & set(self._lexical.terms(text))) / len(self._names)


def rank_sentences(found: Sequence[Retrieved], words: QuestionWords) -> list[Evidence]:
    """Every sentence of the hits, once, best first."""
    ranked: dict[tuple[str, int, int], Evidence] = {}
    for item in found:
        for (start, end), vector, cosine in zip(
            item.chunk.sentences.tolist(),
            item.chunk.sentence_vectors,
            item.sentence_cosines.tolist(),
            strict=True,
        ):
            key = (item.hit.article_id, start, end)
            if key in ranked:  # chunks overlap by a sentence; the better hit came first
                continue
            coverage = words.coverage(item.article.text[start:end])
            score = (
                COSINE_WEIGHT * cosine + COVERAGE_WEIGHT * coverage + CHUNK_WEIGHT * item.hit.score
            )
            ranked[key] = Evidence(
                item.article, item.hit, start, end, vector, cosine, coverage, score
            )
    return sorted(ranked.values(), key=lambda sentence: (-sentence.score, sentence.start))


def select(ranked: Sequence[Evidence], n: int) -> list[Evidence]:
    """The n best sentences that say different things, best first.

    A sentence that repeats a better one (a reprint, a caption) is passed over.
    """
    chosen: list[Evidence] = []
    for sentence in ranked:
        if len(chosen) == n:
            break
        if not any(same_statement(sentence, other) for other in chosen):
            chosen.append(sentence)
    return chosen


def same_statement(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences are the same but for spaces and letters' case."""
    return " ".join(one.text.lower().split()) == " ".join(other.text.lower().split())


def stacked(sentences: Sequence[Evidence]) -> Vectors:
    """Their vectors, shape (n, dimension)."""
    return np.stack([sentence.vector for sentence in sentences])
