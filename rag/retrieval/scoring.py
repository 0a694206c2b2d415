"""Scores: how well a chunk fits a question, as one number in [0, 1].

A convex combination of scores (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid
Retrieval", ACM TOIS 2023) with fixed scales: no part depends on what else was found, so scores can
be compared between questions. Weights, how they were found and what each part is worth:
docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.embedding import Vectors
from rag.index.rows import StoredChunk
from rag.retrieval.hit import HitScores
from rag.retrieval.terms import QuestionTerms

# The first look, at every candidate: vectors and BM25.
FIRST_DENSE_WEIGHT = 0.4
FIRST_LEXICAL_WEIGHT = 0.6

# The second look, at the best of them.
DENSE_WEIGHT = 0.19
SENTENCE_WEIGHT = 0.46
WORDS_WEIGHT = 0.23
PHRASES_WEIGHT = 0.12
# The best sentence is the one with the most of both.
SENTENCE_COSINE_WEIGHT = 2 / 3
SENTENCE_WORDS_WEIGHT = 1 / 3


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its score.

    Attributes:
        chunk: The stored chunk.
        title, text: Its article's title; its own text.
        scores: The parts.
        score: Higher is better; in [0, 1].
        sentence_cosines: Shape (n,): question against each sentence.
        sentence_words: Shape (n,): see `rag.retrieval.hit.Retrieved`.
        best_sentence: Which of its sentences fits best.
    """

    chunk: StoredChunk
    title: str
    text: str
    scores: HitScores
    score: float
    sentence_cosines: Vectors
    sentence_words: NDArray[np.float64]
    best_sentence: int

    def reranked(self, score: float) -> Scored:
        """The same with the score of a cross-encoder, in [0, 1]."""
        scores = self.scores.model_copy(update={"reranker": score})
        return replace(self, scores=scores, score=combine(scores))


def first_look(dense: float, lexical: float) -> float:
    """A rough score from what the indexes give; `lexical` as in `HitScores`."""
    return FIRST_DENSE_WEIGHT * dense + FIRST_LEXICAL_WEIGHT * lexical


def score_chunk(
    chunk: StoredChunk, article_text: str, title: str, terms: QuestionTerms, vector: Vectors,
    lexical: float,
) -> Scored:  # fmt: skip
    """Look at one candidate closely.

    Args:
        chunk: The candidate.
        article_text, title: Of its article.
        terms: The question's words.
        vector: The question's vector, shape (dimension,), unit length.
        lexical: As in `HitScores`.
    """
    texts = [article_text[start:end] for start, end in chunk.sentences.tolist()]
    held = terms.look_in(title, texts)
    cosines = chunk.sentence_vectors @ vector
    shares = np.array(held.by_sentence)
    fits = SENTENCE_COSINE_WEIGHT * cosines + SENTENCE_WORDS_WEIGHT * shares
    best = int(fits.argmax())
    scores = HitScores(
        dense=_cosine(float(chunk.vector @ vector)),
        sentence=_cosine(float(cosines[best])),
        sentence_words=held.by_sentence[best],
        lexical=lexical,
        words=held.together,
        phrases=held.phrases,
    )
    text = article_text[chunk.start : chunk.end]
    return Scored(chunk, title, text, scores, combine(scores), cosines, shares, best)


def combine(scores: HitScores) -> float:
    """One score in [0, 1] from the parts; a cosine below 0 counts as 0.

    A cross-encoder has the last word. BM25 is not among the parts: it decides what is looked at
    closely, and adds nothing after that.
    """
    if scores.reranker is not None:
        return scores.reranker
    sentence = (
        SENTENCE_COSINE_WEIGHT * max(scores.sentence, 0.0)
        + SENTENCE_WORDS_WEIGHT * scores.sentence_words
    )
    return (
        DENSE_WEIGHT * max(scores.dense, 0.0)
        + SENTENCE_WEIGHT * sentence
        + WORDS_WEIGHT * scores.words
        + PHRASES_WEIGHT * scores.phrases
    )


def best_first(scored: Sequence[Scored]) -> list[Scored]:
    """By score; of equal ones the chunk that was stored first."""
    return sorted(scored, key=lambda item: (-item.score, item.chunk.chunk_id))


def _cosine(value: float) -> float:
    return min(1.0, max(-1.0, value))  # rounding may leave it a hair outside
