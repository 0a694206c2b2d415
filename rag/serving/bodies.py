"""What requests to the server's own interface hold, and what its lists of articles are."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from rag.answering.question import Kind
from rag.article import Article
from rag.following.followed import MIN_SCORE
from rag.index.filter import Day
from rag.retrieval import Filter
from rag.serving.service import MAX_QUESTION

Words = Annotated[str, Field(pattern=r"\S", max_length=MAX_QUESTION)]
INDEX_NAME = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
IndexName = Annotated[str, Field(pattern=INDEX_NAME)]
Yes = Annotated[bool, Field(strict=True)]
"""True or false, and neither 1 nor "yes": as the schema has it."""
QuestionName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,59}$")]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Earlier(_Request):
    """A turn of the conversation before the question.

    Attributes:
        question: As it was asked.
        answer: Its answer, without marks.
    """

    question: Words
    answer: Annotated[str, Field(max_length=20_000)] = ""


class AskRequest(_Request):
    """A question.

    Attributes:
        question: In plain words.
        index: Name of the index; the server's usual one without it.
        filter: Which articles may be found.
        asked_on: The day on which it is asked, today without it.
        kind: What kind of answer it wants; recognised without it.
        any_time: Do not search the time that the question speaks of first.
        earlier: The conversation so far, oldest first: the question may lean on it.
        stream: Send events as they come, rather than the answer alone.
    """

    question: Words
    index: IndexName | None = None
    filter: Filter = Filter()
    asked_on: Day | None = None
    kind: Kind | None = None
    any_time: Yes = False
    earlier: Annotated[tuple[Earlier, ...], Field(max_length=50)] = ()
    stream: Yes = False


class SubjectRequest(_Request):
    """A subject, to be told of in items.

    Attributes:
        subject: In plain words.
        index, filter: See `AskRequest`.
    """

    subject: Words
    index: IndexName | None = None
    filter: Filter = Filter()


class SearchRequest(_Request):
    """Words to search for.

    Attributes:
        query: A question or words.
        index, filter: See `AskRequest`.
        k: Hits wanted; the setting without it.
    """

    query: Words
    index: IndexName | None = None
    k: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    filter: Filter = Filter()


class FollowRequest(_Request):
    """A question to be followed; see `rag.Followed`."""

    question: Words
    name: QuestionName | None = None
    filter: Filter = Filter()
    min_score: Annotated[float, Field(ge=0, le=1, strict=True)] = MIN_SCORE
    versions: Yes = False


class BuildRequest(_Request):
    """An index to be brought up to date with its sources.

    Attributes:
        index: See `AskRequest`.
        full: Embed everything anew.
        allow_removal: Even if more than half of the articles are gone.
    """

    index: IndexName | None = None
    full: Yes = False
    allow_removal: Yes = False


class IndexRequest(_Request):
    """An index."""

    index: IndexName | None = None


class Span(BaseModel):
    """A span of a text, `[start, end)` in characters."""

    start: int
    end: int


class ArticleLine(BaseModel):
    """An article in a list, without its text of `n_characters`."""

    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    author: str | None
    url: str | None
    path: str | None
    n_characters: int


class ArticlePage(BaseModel):
    """Some articles of an index, in the order of reading; `n_articles` there are in all."""

    index: str
    version: int
    n_articles: int
    offset: int
    articles: tuple[ArticleLine, ...]


class ArticleText(BaseModel):
    """An article, and the spans of the sentences of its text.

    Attributes:
        article: With its cleaned text, which every offset counts in.
        sentences: Where each sentence stands.
        quote: article text[start:end], where the request names a span.
    """

    index: str
    version: int
    article: Article
    sentences: tuple[Span, ...]
    quote: str | None = None
