"""A question on its way through an open index: read, embedded, searched, answered."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering.answer import Answer
from rag.answering.broad import BROAD
from rag.answering.confidence import Calibration, find_calibration
from rag.answering.events import AnswerReady, Event
from rag.answering.gathering import Gathered, gather
from rag.answering.question import Kind, Question, day_of, kind_named
from rag.answering.respond import Means, answer_events
from rag.embedding import Embedder, Vectors
from rag.engine.live import Live, LiveVersion
from rag.llm import LLM
from rag.ranking import Ranker
from rag.readers import normalise
from rag.retrieval import Filter, Found, QuestionTerms, check_question, search, whole_article
from rag.retrieval.reranking import Reranker
from rag.settings import Settings, sent_to
from rag.text.language import Language

# Chunks whose sentences may become evidence; more are searched than shown.
_EVIDENCE_HITS = 10
# The same for lists, summaries and timelines.
_BROAD_HITS = 40
# Of an article without a title, so much says what it is about.
_HEADING_CHARACTERS = 200
# Questions of `ask_many` that are embedded together.
_BATCH_QUESTIONS = 64

SENT = "The question and the sentences found for it were sent to {place}."


def read_question(
    question: str,
    language: Language,
    asked_on: datetime.date | str | None,
    kind: Kind | str | None = None,
    *,
    any_time: bool = False,
) -> Question:
    """A question as it was asked. Arguments and errors: see `Rag.stream`."""
    check_question(question)
    return Question.read(
        normalise(question),  # as the articles are
        language,
        asked_on=day_of(asked_on),
        kind=kind_named(kind),
        uses_window=not any_time,
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """What questions are answered with.

    Attributes:
        version: The index, at whichever version is live.
        llm: Writes the answers.
        settings: How it works.
        reranker: Reads the best hits again.
        ranker: Reads the question together with each sentence found.
        given: What was fitted for the two models; None takes what comes along for them.
    """

    version: LiveVersion
    llm: LLM
    settings: Settings
    reranker: Reranker | None
    ranker: Ranker | None
    given: Calibration | None

    def calibration(self, embedder: Embedder) -> Calibration | None:
        """What was fitted for the pair of this and the language model; None where nothing was."""
        return self.given or find_calibration(embedder.identity, self.llm.name)

    def events(
        self, question: Question, filter: Filter, cancelled: threading.Event | None
    ) -> Generator[Event, None, None]:
        """What comes about until one question is answered."""
        started = time.perf_counter()
        live = self.version.now()
        if question.kind is Kind.SUMMARY:
            number = live.index.catalog.number(question.text)
            if number is not None:
                yield from self._summary_of(live, number, started)
                return
        question = question.for_index(live.index)
        (vector,) = live.embedder.embed_queries([question.searched])
        yield from self._events(question, live, vector, filter, started, cancelled)

    def answers(
        self, questions: Sequence[Question], filter: Filter
    ) -> Generator[Answer, None, None]:
        """The answers to many questions, embedded in batches, in order."""
        for at in range(0, len(questions), _BATCH_QUESTIONS):
            live = self.version.now()
            batch = [one.for_index(live.index) for one in questions[at : at + _BATCH_QUESTIONS]]
            vectors = live.embedder.embed_queries([question.searched for question in batch])
            for question, vector in zip(batch, vectors, strict=True):
                events = self._events(question, live, vector, filter, time.perf_counter())
                yield answer_of(events)

    def _summary_of(self, live: Live, number: int, started: float) -> Iterator[Event]:
        """The summary of the article with this number, by what its heading says."""
        article = live.index.catalog.articles([number])[number]
        asked = article.title or article.text[:_HEADING_CHARACTERS]
        day = article.published
        read = Question.read(asked, live.index.language, asked_on=day, kind=Kind.SUMMARY)
        question = replace(read, of_article=True)
        (vector,) = live.embedder.embed_queries([asked])
        terms = QuestionTerms(asked, live.index, live.index.analyzer)
        found = whole_article(live.index, terms, vector, number)
        gathered = Gathered(terms, list(found.passages), None)
        means = self._means(live)
        return answer_events(question, gathered, means, filter=Filter(), started=started)

    def _events(
        self,
        question: Question,
        live: Live,
        vector: Vectors,
        filter: Filter,
        started: float,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Event]:
        terms = QuestionTerms(question.searched, live.index, live.index.analyzer)
        n_hits = max(self.settings.k, _EVIDENCE_HITS)

        def found(filter: Filter) -> Found:
            return search(
                live.index,
                terms,
                vector,
                k=_BROAD_HITS if question.kind in BROAD else n_hits,
                filter=filter,
                reranker=self.reranker,
            )

        gathered = gather(question, found, filter)
        means = self._means(live)
        events = answer_events(
            question, gathered, means, filter=filter, started=started, cancelled=cancelled
        )
        return map(_with_destination, events)

    def _means(self, live: Live) -> Means:
        return Means(
            index=live.index,
            llm=self.llm,
            ranker=self.ranker,
            settings=self.settings,
            calibration=self.calibration(live.embedder),
        )


def _with_destination(event: Event) -> Event:
    """An answer that a model elsewhere has written says so, and what was sent there."""
    if not isinstance(event, AnswerReady):
        return event
    answer = event.answer
    place = sent_to(answer.model) if answer.model else None
    if place is None:
        return event
    note = " ".join(filter(None, (answer.note, SENT.format(place=place))))
    return AnswerReady(answer=answer.model_copy(update={"note": note}))


def answer_of(events: Iterable[Event]) -> Answer:
    """The answer with which events end."""
    for event in events:
        if isinstance(event, AnswerReady):
            return event.answer
    raise AssertionError("events end with the answer")
