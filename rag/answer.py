"""The answer: sentences, each with its citations to exact spans of the articles.

Citations are computed here and verified against the article's text; see `rag.attribution`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from rag.attribution import Attribution, Status, attribute, strip_marks
from rag.errors import RagError
from rag.evidence import Evidence
from rag.index.lexical import LexicalIndex
from rag.retrieval import Hit
from rag.sentences import split

MAX_EXTRACTED = 2
# A second verbatim sentence is shown only if it bears on the question nearly as much.
_SECOND_SHARE = 0.9


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
        start, end: The span.
        quote: article text[start:end], always.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    url: str | None
    path: str | None
    start: int
    end: int
    quote: str


class AnswerSentence(BaseModel):
    """One sentence of an answer.

    Attributes:
        text: Without citation marks.
        status: `quoted` or `supported`.
        citations: Numbers of the citations that support it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    status: Status
    citations: tuple[int, ...]


class Answer(BaseModel):
    """The answer to a question.

    Attributes:
        question: As asked.
        searched: The question that was searched: another one only for a follow-up.
        text: The sentences with `[n]` marks; for `no_answer` a plain statement that the articles
            do not say.
        sentences: Its sentences; empty for `no_answer`.
        citations: What they cite, by number.
        hits: The chunks found, also for `no_answer`.
        status: How it came about.
        confidence: Share of such answers that is right, [0, 1].
        index, version: What was searched.
        model: The language model; None when none was asked.
        timings: Seconds from the question to `evidence`, `first_token` and `total`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    searched: str
    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    status: AnswerStatus
    confidence: float
    index: str
    version: int
    model: str | None
    timings: dict[str, float]


class Body(BaseModel):
    """The part of an answer that its sentences make up."""

    model_config = ConfigDict(frozen=True)

    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]


def written(
    completion: str, question: str, evidence: Sequence[Evidence], lexical: LexicalIndex
) -> Body | None:
    """An answer from what the language model wrote.

    Marks that the model wrote are removed; each sentence is attributed anew; what is not
    supported is left out.

    Returns:
        None when no sentence is left.
    """
    text = strip_marks(" ".join(completion.split()))
    kept: list[tuple[str, Attribution]] = []
    for span in split(text):
        sentence = text[span.start : span.end]
        found = attribute(sentence, question, evidence, lexical.terms, lexical.content_terms)
        if found.status in (Status.QUOTED, Status.SUPPORTED):
            kept.append((sentence, found))
    return _body(kept) if kept else None


def extracted(evidence: Sequence[Evidence]) -> Body:
    """An answer of the best sentences of the sources, verbatim."""
    return _body(
        [
            (" ".join(source.text.split()), Attribution(Status.QUOTED, (source,), 1.0))
            for source in evidence[:MAX_EXTRACTED]
            if source.score >= _SECOND_SHARE * evidence[0].score
        ]
    )


def not_stated(n_articles: int, index: str) -> str:
    """The text of an answer that is none."""
    searched = "The 1 article" if n_articles == 1 else f"The {n_articles:,} articles"
    says = "does" if n_articles == 1 else "do"
    return f"{searched} of the index “{index}” {says} not answer this question."


def _body(kept: Sequence[tuple[str, Attribution]]) -> Body:
    citations: dict[tuple[str, int, int], Citation] = {}
    sentences, texts = [], []
    for text, found in kept:
        numbers = []
        for source in found.sources:
            key = (source.article.article_id, source.start, source.end)
            if key not in citations:
                citations[key] = _citation(len(citations) + 1, source)
            numbers.append(citations[key].number)
        numbers.sort()
        sentences.append(AnswerSentence(text=text, status=found.status, citations=tuple(numbers)))
        texts.append(text + " " + "".join(f"[{number}]" for number in numbers))
    return Body(
        text=" ".join(texts), sentences=tuple(sentences), citations=tuple(citations.values())
    )


def _citation(number: int, source: Evidence) -> Citation:
    article = source.article
    quote = article.text[source.start : source.end]
    if not quote or len(quote) != source.end - source.start:
        raise RagError(
            f"span {source.start}:{source.end} is not in article {article.article_id!r}",
            mend="rag check",
        )
    return Citation(
        number=number,
        article_id=article.article_id,
        title=article.title,
        published=article.published,
        source=article.source,
        url=article.url,
        path=article.path,
        start=source.start,
        end=source.end,
        quote=quote,
    )
