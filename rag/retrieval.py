"""Retrieval: a question to the chunks that bear on it, best first.

Hybrid search by convex combination of scores (Bruch, Gai and Ingber, "An Analysis of Fusion
Functions for Hybrid Retrieval", ACM TOIS 2023), with the best sentence of each chunk as a third
signal. Weights and what else was tried: docs/decisions.md.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.article import Article
from rag.embedding import Embedder, Vectors
from rag.errors import QuestionError
from rag.index.reader import OpenIndex
from rag.index.rows import StoredChunk

LEXICAL_WEIGHT = 0.3
DENSE_WEIGHT = 0.35
SENTENCE_WEIGHT = 0.35
N_CANDIDATES = 100
MAX_QUERY_TERMS = 64


class Filter(BaseModel):
    """Which articles may be found.

    Attributes:
        since, until: First and last day of publication, both included.
        undated: Whether articles without a date pass `since` and `until`.
        source: Any of these publishers; empty lets every one pass.
        where: Metadata fields that must equal these texts, such as {"section": "sport"}.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: datetime.date | None = None
    until: datetime.date | None = None
    undated: bool = False
    source: tuple[str, ...] = ()
    where: Mapping[str, str] = Field(default_factory=dict)

    @classmethod
    def make(
        cls,
        *,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
    ) -> Filter:
        """A filter from what people write.

        Raises:
            QuestionError: a day that is none, or `since` after `until`.
        """
        sources = (source,) if isinstance(source, str) else tuple(source or ())
        try:
            made = cls(
                since=since,  # pydantic reads ISO days
                until=until,
                undated=undated,
                source=sources,
                where=dict(where or {}),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise QuestionError(
                f"filter {first['loc'][0]}={first['input']!r}: {first['msg']}",
                mend="write days as 2024-08-31",
            ) from error
        if made.since and made.until and made.since > made.until:
            raise QuestionError(f"since={made.since} is after until={made.until}")
        return made

    @property
    def passes_all(self) -> bool:
        """Whether it leaves nothing out."""
        return not (self.since or self.until or self.source or self.where)


class HitScores(BaseModel):
    """What a hit's score is made of.

    Attributes:
        dense: Cosine of question and chunk, [-1, 1].
        sentence: Cosine of question and the chunk's best sentence, [-1, 1].
        lexical: BM25 as a share of the best BM25 among the candidates, [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dense: float
    sentence: float
    lexical: float


class Hit(BaseModel):
    """A chunk found for a question.

    Attributes:
        rank: From 1.
        score: Higher is better; in [0, 1].
        scores: Its parts.
        article_id, title, published, source, url, path: Of the article.
        start, end: Span of the chunk in the article's text.
        text: The chunk: article text[start:end].
        sentence_start, sentence_end: Span of its best sentence in the article's text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int
    score: float
    scores: HitScores
    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    url: str | None
    path: str | None
    start: int
    end: int
    text: str
    sentence_start: int
    sentence_end: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A hit with what the next steps need of it.

    Attributes:
        hit: What users see.
        article: Its article, with the text.
        chunk: The stored chunk: sentence spans and vectors.
        sentence_cosines: Shape (n,): question against each sentence of the chunk.
    """

    hit: Hit
    article: Article
    chunk: StoredChunk
    sentence_cosines: Vectors


def retrieve(
    index: OpenIndex,
    embedder: Embedder,
    questions: Sequence[str],
    *,
    k: int,
    filter: Filter | None = None,
) -> list[list[Retrieved]]:
    """The k best chunks for each question.

    Args:
        index: An open index.
        embedder: The model that made it.
        questions: Any text; syntax characters have no meaning.
        k: Hits wanted, at least 1.
        filter: Which articles may be found; evaluated inside the search.

    Returns:
        For each question its hits, best first; empty when nothing passes the filter.

    Raises:
        QuestionError: an empty question.
    """
    for question in questions:
        check_question(question)
    vectors = embedder.embed_queries(questions)
    return [
        search(index, question, vector, k=k, filter=filter)
        for question, vector in zip(questions, vectors, strict=True)
    ]


def check_question(question: str) -> None:
    """Refuse a question that is empty.

    Raises:
        QuestionError: it is empty or white space.
    """
    if not question.strip():
        raise QuestionError("the question is empty", mend='rag ask "What did … say?"')


def search(
    index: OpenIndex, question: str, vector: Vectors, *, k: int, filter: Filter | None = None
) -> list[Retrieved]:
    """Like `retrieve`, for one question whose vector (shape (dimension,)) is known."""
    filter = filter or Filter()
    n = max(N_CANDIDATES, 2 * k)
    dense_ids = _dense(index, vector, n, filter)
    lexical = _lexical(index, question, n, filter, dense_ids)
    chunks = index.catalog.chunks(sorted({*dense_ids, *lexical}))
    if not chunks:
        return []
    best = max(lexical.values(), default=0.0) or 1.0
    scored = []
    for chunk_id, chunk in chunks.items():
        cosines = chunk.sentence_vectors @ vector
        scores = HitScores(
            dense=float(chunk.vector @ vector),
            sentence=float(cosines.max()),
            lexical=lexical.get(chunk_id, 0.0) / best,
        )
        scored.append((combine(scores), chunk, scores, cosines))
    scored.sort(key=lambda row: (-row[0], row[1].chunk_id))
    scored = scored[:k]
    articles = index.catalog.articles(sorted({row[1].article for row in scored}))
    return [
        Retrieved(_hit(rank, score, scores, articles[chunk.article], chunk, cosines),
                  articles[chunk.article], chunk, cosines)
        for rank, (score, chunk, scores, cosines) in enumerate(scored, start=1)
    ]  # fmt: skip


def combine(scores: HitScores) -> float:
    """One score in [0, 1] from the parts; a negative cosine counts as none."""
    return (
        LEXICAL_WEIGHT * scores.lexical
        + DENSE_WEIGHT * max(scores.dense, 0.0)
        + SENTENCE_WEIGHT * max(scores.sentence, 0.0)
    )


def _dense(index: OpenIndex, vector: Vectors, n: int, filter: Filter) -> list[int]:
    allowed = None
    if not filter.passes_all:
        allowed = index.chunk_ids_where(
            since=filter.since,
            until=filter.until,
            undated=filter.undated,
            sources=filter.source,
            metadata=filter.where,
        )
    ids, _ = index.vectors.search(vector[np.newaxis], n, allowed=allowed)
    return [int(chunk_id) for chunk_id in ids[0] if chunk_id >= 0]


def _lexical(
    index: OpenIndex, question: str, n: int, filter: Filter, dense_ids: Sequence[int]
) -> dict[int, float]:
    """BM25 of the n best chunks by words, and of the chunks found by their vectors."""
    terms = index.lexical.query_terms(question)[:MAX_QUERY_TERMS]
    where = index.lexical.filter(
        since=filter.since,
        until=filter.until,
        undated=filter.undated,
        sources=filter.source,
        metadata=filter.where,
    )
    found = dict(index.lexical.search(terms, n, where=where))
    missing = [chunk_id for chunk_id in dense_ids if chunk_id not in found]
    only = index.lexical.filter(chunk_ids=missing)
    return found | dict(index.lexical.search(terms, len(missing), where=only))


def _hit(
    rank: int,
    score: float,
    scores: HitScores,
    article: Article,
    chunk: StoredChunk,
    cosines: Vectors,
) -> Hit:
    start, end = chunk.sentences[int(cosines.argmax())]
    return Hit(
        rank=rank,
        score=score,
        scores=scores,
        article_id=article.article_id,
        title=article.title,
        published=article.published,
        source=article.source,
        url=article.url,
        path=article.path,
        start=chunk.start,
        end=chunk.end,
        text=article.text[chunk.start : chunk.end],
        sentence_start=int(start),
        sentence_end=int(end),
    )
