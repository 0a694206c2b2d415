"""A hit: a passage found for a question, with what its score is made of."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from rag.article import Article
from rag.embedding import Vectors
from rag.index.rows import StoredChunk
from rag.retrieval.terms import QuestionTerms


class HitScores(BaseModel):
    """What a hit's score is made of; `rag.retrieval.combine` puts it together.

    Attributes:
        dense: Cosine of question and chunk, [-1, 1].
        sentence: Cosine of question and the chunk's best sentence, [-1, 1].
        sentence_words: Share of the question's words, by rarity, that this sentence and the title
            hold, [0, 1].
        words: Share of the question's words, by rarity, that the chunk and the title hold, [0, 1].
        phrases: Share of the question's pairs of neighbouring words, by rarity, that are
            neighbours in the chunk too, [0, 1].
        lexical: BM25 as a share of the most that any text could have for the question's words,
            [0, 1]; it decides what is looked at closely, and is not part of the score.
        reranker: What the cross-encoder says, [0, 1]; then this is the score. None without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dense: float
    sentence: float
    lexical: float
    sentence_words: float = 0.0
    words: float = 0.0
    phrases: float = 0.0
    reranker: float | None = None


Relation = Literal["first report", "reprint", "earlier version", "newer version", "same passage"]


class AlsoIn(BaseModel):
    """Another article that tells the same.

    Attributes:
        article_id, title, published, source, url, path: Of the other article.
        relation: What it is in the story of the hit, beside the hit's own article; `same passage`
            if it tells another story and only repeats the passage.
        start, end: Span in its text of the hit's best sentence, or of the passage; None where it
            lacks it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    url: str | None
    path: str | None
    relation: Relation
    start: int | None = None
    end: int | None = None


class Hit(BaseModel):
    """A passage found for a question: a chunk, or neighbouring chunks that were both found.

    Attributes:
        rank: From 1.
        score: Higher is better; in [0, 1], comparable between questions.
        scores: Its parts.
        article_id, title, published, source, url, path: Of the article.
        page: Number of the page that its best sentence stands on, from 1; None without pages.
        start, end: Span of the passage in the article's text.
        text: The passage: article text[start:end].
        sentence_start, sentence_end: Span of its best sentence in the article's text.
        story: `article_id` of the first report of its story; its own where it stands alone. Hits of
            one story are one source.
        superseded_by: `article_id` of the newest version of its article, if that is another one and
            passes the filter: the passage was taken out of it since.
        also_in: The other articles of its story, and those that repeat the passage; they take no
            rank of their own, but for what they have alone.
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
    page: int | None = None
    start: int
    end: int
    text: str
    sentence_start: int
    sentence_end: int
    story: str = ""
    superseded_by: str | None = None
    also_in: tuple[AlsoIn, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A hit with what the next steps need of it.

    Attributes:
        hit: What users see.
        article: Its article, with the text.
        chunk: The stored chunk, or its neighbours joined: sentence spans and vectors.
        sentence_cosines: Shape (n,): question against each sentence of the chunk.
        sentence_words: Shape (n,): share of the question's words, by rarity, that each sentence
            and the title hold, [0, 1].
        boilerplate: Where sentences of the article start that are boilerplate: no evidence.
    """

    hit: Hit
    article: Article
    chunk: StoredChunk
    sentence_cosines: Vectors
    sentence_words: NDArray[np.float64]
    boilerplate: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question.

    Attributes:
        terms: The question, as searched, with its terms.
        passages: Best first.
    """

    terms: QuestionTerms
    passages: tuple[Retrieved, ...]
