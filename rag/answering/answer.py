"""The answer: sentences, each with its citations to exact spans of the articles.

Made by `rag.answering.checking` from what the language model wrote.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.answering.attribution import Status
from rag.answering.question import Kind
from rag.retrieval import Filter, Hit
from rag.retrieval.spelling import Correction
from rag.text.days import DatedPhrase
from rag.text.detect_language import language_name


class AnswerStatus(StrEnum):
    """How an answer came about.

    Values:
        answered: Written by the language model, every sentence supported.
        extracted: Verbatim sentences of the sources.
        no_answer: The articles do not say.
    """

    ANSWERED = "answered"
    EXTRACTED = "extracted"
    NO_ANSWER = "no_answer"


class Citation(BaseModel):
    """A span of an article that supports a sentence.

    Attributes:
        number: As in the text's `[n]`, from 1.
        article_id, title, published, source, url, path: Of the article.
        page: Number of the page that it begins on, from 1; None without pages.
        start, end: The span.
        quote: article text[start:end], always.
        dates: Relative days in the quote ("on Friday"), as the article's own day makes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    url: str | None
    path: str | None
    page: int | None = None
    start: int
    end: int
    quote: str
    dates: tuple[DatedPhrase, ...] = ()


class AnswerSentence(BaseModel):
    """One sentence of an answer.

    Attributes:
        text: Without citation marks. Days that it means are told in square brackets, and the first
            of an old answer begins with its day, also where the rest is verbatim.
        status: `quoted` or `supported`; of one that was withheld `partly` or `unsupported`.
        citations: Numbers of the citations that support it; none of one that was withheld.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    status: Status
    citations: tuple[int, ...]


class AnswerItem(BaseModel):
    """One item of a list, a summary, a timeline or a comparison.

    Attributes:
        text: As in the answer's text, without citation marks.
        day: The day of what it tells; None where none is known.
        day_from: Where that day comes from: the `sentence` itself or the `article`'s day.
        status: As in `AnswerSentence`.
        citations: Numbers of the citations that support it, the item's own first.
        n_articles: How many articles say it, as far as it was seen; no reprints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    day: datetime.date | None = None
    day_from: Literal["sentence", "article"] | None = None
    status: Status
    citations: tuple[int, ...]
    n_articles: int = 1


class Claim(BaseModel):
    """What one source says where sources disagree.

    Attributes:
        text: Its words on the point, verbatim but for spaces.
        day: The day that they mean, where the sources differ in one.
        citation: Number of the citation.
        published: Day of the article.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    day: datetime.date | None = None
    citation: int
    published: datetime.date | None


class Disagreement(BaseModel):
    """A point on which cited sources differ.

    Attributes:
        kind: A `figure`, a `day`, or a `statement` that another source denies; or a `toll` that
            rose from day to day, where no source contradicts another.
        claims: What each source says, the newest first, those without a date last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["figure", "day", "statement", "toll"]
    claims: tuple[Claim, ...]


class Answer(BaseModel):
    """The answer to a question.

    Attributes:
        question: As asked.
        searched: The question that was searched: another one for a follow-up, and where names were
            misspelt.
        corrections: Those names, each with what it was taken for.
        asked_on: The day on which it was asked.
        kind: What kind of answer it wants.
        window: First and last day of the articles that were searched first, where the question
            speaks of a time.
        text: The sentences with `[n]` marks; for `no_answer` a plain statement that the articles
            do not say, or that the question is in another language.
        sentences: Its sentences; empty for `no_answer`.
        citations: What they cite, by number.
        items: What a list, a summary, a timeline or a comparison is made of, in its order.
        closest: For `no_answer`, the sentences that come nearest.
        left_out: Sentences of the hits that speak to a machine, not to readers, and so are no
            evidence.
        hits: The chunks found, also for `no_answer`.
        status: How it came about.
        note: Why it is not what the language model wrote, if it is not; and that nothing was
            fitted for these models, if so.
        withheld: What the model wrote and the sources do not support, or not fully: no part of the
            answer.
        disagreements: Where cited sources differ; the text says so too.
        confidence: Share of such answers that is right, [0, 1]; for `no_answer`, of the
            answer that was not given. None where nothing was fitted for these models.
        signals: What the confidence was computed from, by name (`rag.answering.confidence`).
        index, version: What was searched.
        model: The language model; None when none was asked.
        n_prompt_tokens, n_answer_tokens: What the model read and wrote; 0 when none was asked.
        timings: Seconds from the question to `evidence`, `first_token` and `total`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    searched: str
    corrections: tuple[Correction, ...] = ()
    asked_on: datetime.date | None = None
    kind: Kind = Kind.FACT
    window: tuple[datetime.date, datetime.date] | None = None
    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    items: tuple[AnswerItem, ...] = ()
    closest: tuple[Citation, ...] = ()
    left_out: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...]
    status: AnswerStatus
    note: str | None = None
    withheld: tuple[AnswerSentence, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    confidence: float | None
    signals: dict[str, float] = Field(default_factory=dict)
    index: str
    version: int
    model: str | None
    n_prompt_tokens: int = 0
    n_answer_tokens: int = 0
    timings: dict[str, float]


def not_stated(n_articles: int, index: str, filter: Filter) -> str:
    """The text of an answer that is none: what was searched, and that it does not say."""
    searched = "The 1 article" if n_articles == 1 else f"The {n_articles:,} articles"
    says = "does" if n_articles == 1 else "do"
    if filter.passes_all:
        return f"{searched} of the index “{index}” {says} not answer this question."
    return (
        f"Those of the {n_articles:,} articles of the index “{index}” that are"
        f" {filter} do not answer this question."
    )


def not_understood(language: str, index: str, own: str) -> str:
    """The text of an answer to a question in another language than the articles.

    Args:
        language: What the question's language, or its script, is called.
        index: Name of the index.
        own: ISO 639-1 code of its language.
    """
    only = language_name(own) or f"the language “{own}”"
    return (
        f"This question seems to be in {language}. Only {only} is understood here, as the index"
        f" “{index}” is in {only}: please ask in {only}. Whether its articles answer it was not"
        " looked at."
    )
