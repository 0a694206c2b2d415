"""What the tools return: answers, passages and articles, as small as an assistant can use them.

Field names of search and fetch (`id`, `title`, `url`, `text`, `metadata`) are those that research
modes of assistants look for.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from rag.answering.answer import Answer, AnswerItem, AnswerSentence, AnswerStatus, Citation
from rag.article import Article
from rag.index.opened import IndexInfo
from rag.retrieval import Hit

SCHEME = "rag"


def article_uri(index: str, article_id: str) -> str:
    """The resource of an article."""
    return f"{SCHEME}://{index}/{quote(article_id, safe='')}"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Shape):
    """A citation: words of an article, and where they stand in it."""

    number: int = Field(description="The n of [n] in the text.")
    id: str = Field(description="What `fetch` takes.")
    title: str
    url: str
    published: datetime.date | None
    source: str | None
    start: int = Field(description="Offset in the article's text, in characters.")
    end: int
    quote: str = Field(description="The article's text[start:end], word for word.")

    @classmethod
    def of(cls, citation: Citation, index: str) -> Source:
        """A citation of an answer from an index."""
        return cls(
            number=citation.number,
            id=f"{index}/{citation.article_id}",
            title=citation.title,
            url=citation.url or article_uri(index, citation.article_id),
            published=citation.published,
            source=citation.source,
            start=citation.start,
            end=citation.end,
            quote=citation.quote,
        )


class Reply(_Shape):
    """An answer whose sentences were each checked against the articles."""

    text: str = Field(description="With [n] marks; plain about it where the articles do not say.")
    status: AnswerStatus
    confidence: float | None = Field(description="Share of such answers that is right, if known.")
    note: str | None
    sentences: tuple[AnswerSentence, ...]
    items: tuple[AnswerItem, ...] = Field(description="Of a list, a summary or a timeline.")
    citations: tuple[Source, ...]
    closest: tuple[Source, ...] = Field(description="Without an answer, what comes nearest.")
    index: str
    version: int
    model: str | None

    @classmethod
    def of(cls, answer: Answer) -> Reply:
        """What an assistant needs of an answer."""
        return cls(
            text=answer.text,
            status=answer.status,
            confidence=answer.confidence,
            note=answer.note,
            sentences=answer.sentences,
            items=answer.items,
            citations=tuple(Source.of(one, answer.index) for one in answer.citations),
            closest=tuple(Source.of(one, answer.index) for one in answer.closest),
            index=answer.index,
            version=answer.version,
            model=answer.model,
        )


class Passage(_Shape):
    """A passage that was found."""

    start: int = Field(description="Offset in the article's text, in characters.")
    end: int
    score: float = Field(description="Higher is better, in [0, 1].")
    text: str = Field(description="The article's text[start:end].")


class Result(_Shape):
    """An article that was found, with the passages that were."""

    id: str = Field(description="What `fetch` takes.")
    title: str
    url: str
    text: str = Field(description="The best passage.")
    published: datetime.date | None
    source: str | None
    passages: tuple[Passage, ...] = Field(description="Best first.")


class Results(_Shape):
    """What was found, best first."""

    results: tuple[Result, ...]

    @classmethod
    def of(cls, hits: Iterable[Hit], index: str) -> Results:
        """Hits by article, each at the place of its best one."""
        by_article: dict[str, list[Hit]] = {}
        for hit in hits:
            by_article.setdefault(hit.article_id, []).append(hit)
        return cls(results=tuple(_result(found, index) for found in by_article.values()))


def _result(hits: list[Hit], index: str) -> Result:
    best = hits[0]
    return Result(
        id=f"{index}/{best.article_id}",
        title=best.title,
        url=best.url or article_uri(index, best.article_id),
        text=best.text,
        published=best.published,
        source=best.source,
        passages=tuple(
            Passage(start=hit.start, end=hit.end, score=hit.score, text=hit.text) for hit in hits
        ),
    )


class Document(_Shape):
    """A whole article."""

    id: str
    title: str
    text: str = Field(description="What offsets of passages and citations point into.")
    url: str
    metadata: dict[str, Any]

    @classmethod
    def of(cls, article: Article, index: str) -> Document:
        """An article of an index."""
        known = {
            "published": article.published.isoformat() if article.published else None,
            "source": article.source,
            "author": article.author,
            "index": index,
        }
        return cls(
            id=f"{index}/{article.article_id}",
            title=article.title,
            text=article.text,
            url=article.url or article_uri(index, article.article_id),
            metadata=article.metadata | {name: value for name, value in known.items() if value},
        )


class Indexes(_Shape):
    """The indexes that there are."""

    indexes: tuple[IndexInfo, ...]
