"""`Rag`: one open index with its models; everything a user can ask of it."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from rag.answering.answer import Answer
from rag.answering.broad import BROAD
from rag.answering.confidence import Calibration, find_calibration
from rag.answering.events import AnswerReady, Event
from rag.answering.gathering import Gathered, gather
from rag.answering.question import Kind, Question, day_of, kind_named
from rag.answering.respond import Means, answer_events
from rag.article import Article
from rag.chat import Chat
from rag.cleaning import Removed
from rag.embedding import Embedder, Vectors
from rag.errors import IndexFormatError
from rag.index.boilerplate import Boilerplate, boilerplate_of
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from rag.index.stories import Story, stories_of
from rag.lifetime import Lifetime
from rag.llm import LLM, SHARED
from rag.opening import embedder_of, ranker_of, reranker_of
from rag.ranking import Ranker
from rag.readers import normalise
from rag.retrieval import (
    Filter,
    Found,
    Hit,
    QuestionTerms,
    check_question,
    retrieve,
    search,
    whole_article,
)
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
# `close` waits so long for those who read the index: searching takes far less.
_CLOSE_SECONDS = 20

SENT = "The question and the sentences found for it were sent to {place}."


@dataclass(frozen=True, slots=True)
class _Live:
    index: OpenIndex
    embedder: Embedder


class Rag:
    """Answers questions from one index. Safe to use from several threads.

    `Rag.open("news")` opens an index by name; `Rag(index, embedder, llm, settings)` takes parts
    that are ready, such as the fakes of `rag.testing`. A context manager: leaving it frees the
    models.
    """

    def __init__(
        self,
        index: OpenIndex,
        embedder: Embedder,
        llm: LLM,
        settings: Settings | None = None,
        *,
        reranker: Reranker | None = None,
        ranker: Ranker | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            index: An open version.
            embedder: The model that made it.
            llm: Writes the answers; closed with this.
            settings: None takes them from `rag.toml` and the environment.
            reranker: Reads the best hits again.
            ranker: Reads the question together with each sentence found.
            calibration: What was fitted for the two models; None takes what comes along for them.

        Raises:
            IndexFormatError: another embedding model than `embedder` made the index.
        """
        if index.manifest.embedder != embedder.identity:
            made = index.manifest.embedder
            raise IndexFormatError(
                f"index {index.name!r} was made by {made.model} ({made.runtime},"
                f" {made.sha256[:12]}); the embedding model here is {embedder.identity.model}"
                f" ({embedder.identity.runtime}, {embedder.identity.sha256[:12]})",
                mend=f"rag build {index.name} --full",
            )
        self._index = index
        self._embedder = embedder
        self._llm = llm
        self._reranker = reranker
        self._ranker = ranker
        self._given_calibration = calibration
        self._settings = settings or Settings()
        self._folder: IndexFolder | None = None
        self._swap = threading.Lock()
        self._life = Lifetime(f"index {index.name!r}")

    @classmethod
    def open(cls, index: str = "seeds", *, settings: Settings | None = None) -> Self:
        """Open the live version of an index. The language model loads at the first question.

        Engines of one process share their models: a second index costs no second one.

        Raises:
            IndexMissingError, IndexCorruptError, IndexFormatError: the index does not open.
            ModelMissingError, ModelError: the embedding model is missing or does not load.
        """
        settings = settings or Settings()
        folder = IndexFolder(settings.index_dir, index)
        opened = OpenIndex(folder, n_threads=settings.threads)
        rag = cls(
            opened,
            embedder_of(opened.manifest.embedder, settings),
            SHARED.lease(settings),
            settings,
            reranker=reranker_of(settings),
            ranker=ranker_of(settings),
        )
        rag._folder = folder
        return rag

    def load(self) -> None:
        """Load the language model now, rather than at the first question.

        Raises:
            ModelMissingError, ModelError: it is missing or does not load.
        """
        with self._life.in_use():
            self._llm.count_tokens("")

    def close(self) -> None:
        """Close the index and free the models. Can be called twice.

        Answers being written end with a `CancelledError`; whatever is called afterwards raises
        `ClosedError`.
        """
        if not self._life.close():
            return
        self._llm.close()
        if self._life.wait_until_unused(_CLOSE_SECONDS):
            self._index.close()  # else when nobody has it any more

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def index(self) -> OpenIndex:
        """The live version, opened."""
        with self._life.in_use():
            return self._live().index

    @property
    def embedder(self) -> Embedder:
        """The model that made it."""
        with self._life.in_use():
            return self._live().embedder

    @property
    def model(self) -> str:
        """Name of the language model."""
        return self._llm.name

    @property
    def calibration(self) -> Calibration | None:
        """What was fitted for the embedding and the language model; None where nothing was."""
        return self._calibration(self.embedder)

    @property
    def settings(self) -> Settings:
        """How it works."""
        return self._settings

    def search(
        self,
        query: str,
        *,
        k: int | None = None,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
        filter: Filter | None = None,
    ) -> list[Hit]:
        """The k best chunks, best first.

        Args:
            query: A question or words; syntax characters have no meaning.
            k: Hits wanted, at least 1; None takes the setting.
            since, until: First and last day of publication, both included.
            source: Only this publisher, or any of these.
            undated: Whether articles without a date pass `since` and `until`.
            where: Metadata fields that must equal these texts.
            filter: All of these in one, instead of them.

        Raises:
            QuestionError: an empty query, or a filter that does not fit.
            ClosedError: the engine was closed.
        """
        chosen = Filter.make(
            since=since, until=until, source=source, undated=undated, where=where, filter=filter
        )
        return self.search_many([query], k=k, filter=chosen)[0]

    def search_many(
        self, queries: Sequence[str], *, k: int | None = None, filter: Filter | None = None
    ) -> list[list[Hit]]:
        """Like `search`, for many queries embedded in one batch; the hits of each, in order."""
        with self._life.in_use():
            _, found = self._retrieved(queries, k or self._settings.k, filter or Filter())
            return [[item.hit for item in one.passages] for one in found]

    def ask(
        self,
        question: str,
        *,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
        filter: Filter | None = None,
        asked_on: datetime.date | str | None = None,
        kind: Kind | str | None = None,
        any_time: bool = False,
    ) -> Answer:
        """The checked answer to a question. Arguments and errors: see `search` and `stream`."""
        chosen = Filter.make(
            since=since, until=until, source=source, undated=undated, where=where, filter=filter
        )
        return answer_of(
            self.stream(question, filter=chosen, asked_on=asked_on, kind=kind, any_time=any_time)
        )

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        filter: Filter | None = None,
        asked_on: datetime.date | str | None = None,
    ) -> Iterator[Answer]:
        """Like `ask`, for many questions embedded in batches; answers come in order, as written."""
        language = self.index.language
        read = [self._read(question, language, asked_on) for question in questions]
        return self._life.steps(self._answers(read, filter or Filter()))

    def stream(
        self,
        question: str,
        *,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
        filter: Filter | None = None,
        asked_on: datetime.date | str | None = None,
        kind: Kind | str | None = None,
        any_time: bool = False,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Event]:
        """What was found, then the text as it is written, last the checked answer.

        Closing the iterator, or setting `cancelled`, stops the language model.

        Args:
            question: In plain words; for the kind `summary` also the id of an article, which alone
                is read then.
            since, until, source, undated, where, filter: See `search`.
            asked_on: The day on which it is asked, which "this week" is read by, and after which
                (but for a day) nothing is known yet; None takes today.
            kind: What kind of answer it wants (`rag.Kind`); None lets it be recognised.
            any_time: Do not search the time that the question speaks of first.
            cancelled: Stops the language model when it is set.

        Raises:
            QuestionError: an empty question, or a filter that does not fit.
            BusyError: too many questions are waiting for the language model.
            CancelledError: `cancelled` was set, or the engine was closed meanwhile.
            ClosedError: it was closed before.
            ModelMissingError, ModelError: the language model is missing or failed.
        """
        chosen = Filter.make(
            since=since, until=until, source=source, undated=undated, where=where, filter=filter
        )
        read = self._read(question, self.index.language, asked_on, kind, any_time=any_time)
        return self._life.steps(self._answering(read, chosen, cancelled))

    def _read(
        self,
        question: str,
        language: Language,
        asked_on: datetime.date | str | None,
        kind: Kind | str | None = None,
        *,
        any_time: bool = False,
    ) -> Question:
        check_question(question)
        return Question.read(
            normalise(question),  # as the articles are
            language,
            asked_on=day_of(asked_on),
            kind=kind_named(kind),
            uses_window=not any_time,
        )

    def _answering(
        self, question: Question, filter: Filter, cancelled: threading.Event | None
    ) -> Generator[Event, None, None]:
        started = time.perf_counter()
        live = self._live()
        if question.kind is Kind.SUMMARY:
            number = live.index.catalog.number(question.text)
            if number is not None:
                yield from self._summary_of(live, number, started)
                return
        question = question.for_index(live.index)
        (vector,) = live.embedder.embed_queries([question.text])
        yield from self._events(question, live, vector, filter, started, cancelled)

    def _summary_of(self, live: _Live, number: int, started: float) -> Iterator[Event]:
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

    def _answers(
        self, questions: Sequence[Question], filter: Filter
    ) -> Generator[Answer, None, None]:
        for at in range(0, len(questions), _BATCH_QUESTIONS):
            live = self._live()
            batch = [one.for_index(live.index) for one in questions[at : at + _BATCH_QUESTIONS]]
            vectors = live.embedder.embed_queries([question.text for question in batch])
            for question, vector in zip(batch, vectors, strict=True):
                events = self._events(question, live, vector, filter, time.perf_counter())
                yield answer_of(events)

    def _retrieved(
        self, questions: Sequence[str], k: int, filter: Filter
    ) -> tuple[_Live, list[Found]]:
        live = self._live()
        found = retrieve(
            live.index, live.embedder, questions, k=k, filter=filter, reranker=self._reranker
        )
        return live, found

    @property
    def _n_evidence_hits(self) -> int:
        return max(self._settings.k, _EVIDENCE_HITS)

    def _events(
        self,
        question: Question,
        live: _Live,
        vector: Vectors,
        filter: Filter,
        started: float,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Event]:
        terms = QuestionTerms(question.text, live.index, live.index.analyzer)

        def found(filter: Filter) -> Found:
            return search(
                live.index,
                terms,
                vector,
                k=_BROAD_HITS if question.kind in BROAD else self._n_evidence_hits,
                filter=filter,
                reranker=self._reranker,
            )

        gathered = gather(question, found, filter)
        means = self._means(live)
        events = answer_events(
            question, gathered, means, filter=filter, started=started, cancelled=cancelled
        )
        return map(_with_destination, events)

    def _means(self, live: _Live) -> Means:
        return Means(
            index=live.index,
            llm=self._llm,
            ranker=self._ranker,
            settings=self._settings,
            calibration=self._calibration(live.embedder),
        )

    def _calibration(self, embedder: Embedder) -> Calibration | None:
        return self._given_calibration or find_calibration(embedder.identity, self._llm.name)

    def chat(self) -> Chat:
        """A conversation, in which a question may lean on the ones before it."""
        return Chat(self.stream, self.index.language)

    def article(self, article_id: str) -> Article | None:
        """An article of the index with its cleaned text; None if there is no such one."""
        with self._life.in_use():
            return self._live().index.catalog.article(article_id)

    def removed(self, article_id: str) -> tuple[Removed, ...]:
        """What cleaning took out of an article, and why."""
        with self._life.in_use():
            return self._live().index.catalog.removed(article_id)

    def boilerplate(self, article_id: str) -> tuple[Boilerplate, ...]:
        """The lines of an article that its publisher puts into many: they are no evidence."""
        with self._life.in_use():
            return boilerplate_of(self._live().index.catalog, article_id)

    def stories(self) -> list[Story]:
        """The stories that several articles tell, ordered by their first reports' reading."""
        with self._life.in_use():
            return stories_of(self._live().index.catalog)

    def articles(self) -> Iterator[Article]:
        """Every article of the index, in the order of reading."""
        index = self.index

        def articles() -> Generator[Article, None, None]:
            yield from index.catalog.all_articles()  # held: it closes when nobody holds it

        return self._life.steps(articles())

    def _live(self) -> _Live:
        """The live version, opened anew if another was published; and the model that made it."""
        with self._swap:
            folder = self._folder
            if folder is not None and folder.current() not in (None, self._index.version):
                # The old version stays open for those who still read it.
                fresh = OpenIndex(folder, n_threads=self._settings.threads)
                if fresh.manifest.embedder != self._embedder.identity:
                    self._embedder = embedder_of(fresh.manifest.embedder, self._settings)
                self._index = fresh
            return _Live(self._index, self._embedder)


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
