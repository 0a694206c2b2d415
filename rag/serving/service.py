"""What the interfaces ask: engines, the lanes in which they work, and builds."""

from __future__ import annotations

import asyncio
import datetime
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field

from rag.answering.answer import Answer
from rag.answering.events import AnswerReady, Event
from rag.answering.question import Kind
from rag.building.report import BuildReport
from rag.engine import Rag
from rag.errors import QuestionError, RagError, TooLongError
from rag.index.opened import IndexInfo, list_indexes
from rag.pool import EnginePool
from rag.retrieval import Filter, Hit, check_question
from rag.serving.jobs import Job, Jobs
from rag.serving.metrics import Metrics
from rag.serving.recent import Recent
from rag.serving.running import Lane, Result
from rag.serving.together import Together
from rag.settings import Settings

_log = logging.getLogger(__name__)
MAX_QUESTION = 2000
"""Characters of a question, as on the page."""


@dataclass(frozen=True)
class Limits:
    """What the server takes on.

    Attributes:
        answer_seconds: Longest time of an answer, from the request on.
        search_seconds: The same for anything else but a build.
        n_searching: Searches at work at once.
        n_waiting: Searches that may wait.
        body_bytes: Largest body of a request.
    """

    answer_seconds: float = 300.0
    search_seconds: float = 30.0
    n_searching: int = 2
    n_waiting: int = 256
    body_bytes: int = 2**20


@dataclass(frozen=True)
class Asked:
    """A question as an interface took it.

    Attributes:
        index: Name of the index.
        question: In plain words; it may lean on the turns before it.
        filter, asked_on, kind, any_time: See `Rag.stream`.
        earlier: Questions before it, each with the sentences of its answer, oldest first.
    """

    index: str
    question: str
    filter: Filter = field(default_factory=Filter)
    asked_on: datetime.date | None = None
    kind: Kind | None = None
    any_time: bool = False
    earlier: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class _Search:
    """What searches that are made together have in common; the filter as JSON, to be a key."""

    index: str
    k: int | None
    filter: str


class Service:
    """Everything that can be asked of the server.

    Args:
        pool: Where engines are opened.
        settings: How they work, and where indexes lie.
        index: Name of the one that is asked when a request names none.
        build: Like `rag.build`.
        limits: What it takes on.
        log_questions: Write questions into the log.
    """

    def __init__(
        self,
        pool: EnginePool,
        settings: Settings,
        *,
        index: str,
        build: Callable[..., BuildReport],
        limits: Limits,
        log_questions: bool = False,
    ) -> None:
        self.settings = settings
        self.index = index
        self.limits = limits
        self._pool = pool
        self._log_questions = log_questions
        # One is written, the others wait in the model's own queue.
        self._asking = Lane(
            "questions",
            n_threads=settings.queue_size + 1,
            n_waiting=0,
            seconds=limits.answer_seconds,
        )
        self._searching = Lane(
            "searches",
            n_threads=limits.n_searching,
            n_waiting=limits.n_waiting,
            seconds=limits.search_seconds,
        )
        self._searches = Together(
            self._searching,
            self._search_many,
            n_batches=limits.n_searching,
            n_waiting=limits.n_waiting,
        )
        self._recent = Recent()
        self._reading = Lane(
            "look-ups", n_threads=2, n_waiting=limits.n_waiting, seconds=limits.search_seconds
        )
        self._checking = Lane("checks", n_threads=1, n_waiting=0, seconds=limits.answer_seconds)
        self.metrics = Metrics(lambda: self._asking.n_busy, self.indexes)
        self.jobs = Jobs(
            lambda name, **options: build(name, settings=settings, **options), self._built
        )
        self._failed: RagError | None = None
        self._loaded = threading.Event()

    def indexes(self) -> list[IndexInfo]:
        """Every index, with its state."""
        return list_indexes(self.settings.index_dir)

    def names(self) -> list[str]:
        """Indexes that can be asked, the usual one first."""
        ready = [info.name for info in self.indexes() if info.state == "ready"]
        return sorted(ready, key=lambda name: name != self.index)

    def engine(self, index: str) -> Rag:
        """The engine of an index, opened if it is not yet. Not to be called on the loop.

        Raises:
            RagError: it does not open.
        """
        return self._pool.get(index, self.settings)

    def events(self, asked: Asked) -> AsyncGenerator[Event, None]:
        """What `Rag.stream` tells about a question. Closing it stops the answer.

        Raises:
            QuestionError: the question is too long, or does not fit.
            FullError: as many are being answered as there is room for.
            TooLongError: it took too long.
            RagError: see `Rag.stream`.
        """
        _check(asked.question)

        def stream(cancelled: threading.Event) -> Iterator[Event]:
            chat = self.engine(asked.index).chat()
            for question, sentences in asked.earlier:
                chat.recall(question, sentences)
            for event in chat.stream(
                asked.question,
                filter=asked.filter.checked(),
                asked_on=asked.asked_on,
                kind=asked.kind,
                any_time=asked.any_time,
                cancelled=cancelled,
            ):
                if isinstance(event, AnswerReady):
                    self._note(event.answer)
                yield event

        return self._asking.items(stream)

    async def answer(self, asked: Asked) -> Answer:
        """The checked answer. Being cancelled stops it. Errors: see `events`."""
        return await last(self.events(asked))

    async def search(self, index: str, query: str, k: int | None, filter: Filter) -> list[Hit]:
        """See `Rag.search`; and FullError, TooLongError."""
        _check(query)
        chosen = filter.checked()
        search = _Search(index, k, chosen.model_dump_json())
        seconds = self.limits.search_seconds
        try:
            async with asyncio.timeout(seconds):  # waiting counts too
                return await self._searches.call(search, query)
        except TimeoutError as error:
            raise TooLongError(f"the search took longer than {seconds:g} s") from error

    def _search_many(self, search: _Search, queries: list[str]) -> list[list[Hit]]:
        chosen = Filter.model_validate_json(search.filter)
        engine = self.engine(search.index)

        def find(queries: list[str]) -> list[list[Hit]]:
            return engine.search_many(queries, k=search.k, filter=chosen)

        return self._recent.find((search, engine.index.version), queries, find)

    async def read(self, work: Callable[[], Result]) -> Result:
        """What a short function returns, called in a thread. FullError, TooLongError."""
        return await self._reading.call(work)

    async def check(self, work: Callable[[], Result]) -> Result:
        """What a function returns that reads a whole index; one works at a time.

        Raises:
            FullError: another is at work.
            TooLongError: it took too long.
        """
        return await self._checking.call(work)

    def warm_up(self) -> None:
        """Open the usual index and load its models, in the background."""
        threading.Thread(target=self._load, name="rag-warm-up", daemon=True).start()

    def readiness(self) -> tuple[bool, RagError | None]:
        """Whether the usual index and its models are ready, and why not if they failed."""
        return self._loaded.is_set() and self._failed is None, self._failed

    def close(self) -> None:
        """Stop builds and take nothing more; the pool is its owner's to close."""
        self.jobs.close()
        for lane in (self._asking, self._searching, self._reading, self._checking):
            lane.close()

    def _note(self, answer: Answer) -> None:
        self.metrics.answered(answer)
        told = {
            "index": answer.index,
            "version": answer.version,
            "answer_status": str(answer.status),
            "confidence": answer.confidence,
            "seconds": round(answer.timings["total"], 3),
        }
        if self._log_questions:
            told["question"] = answer.question
        _log.info("answered", extra=told)

    def _load(self) -> None:
        try:
            self.engine(self.index).load()
            self._failed = None
        except RagError as error:
            _log.error("index %r is not ready: %s", self.index, error.message)
            self._failed = error
        except Exception as error:  # noqa: BLE001 - whatever it is, `/ready` tells it
            _log.exception("index %r is not ready", self.index)
            self._failed = RagError(str(error) or type(error).__name__)
        finally:
            self._loaded.set()

    def _built(self, job: Job) -> None:
        self.metrics.built(job.index, job.state)
        if job.index == self.index and self._failed is not None:
            self.warm_up()  # what it lacked may be there now


async def last(events: AsyncGenerator[Event, None]) -> Answer:
    """The answer with which events end; being cancelled closes them."""
    try:
        async for event in events:
            if isinstance(event, AnswerReady):
                return event.answer
    finally:
        await events.aclose()
    raise AssertionError("events end with the answer")


def _check(question: str) -> None:
    check_question(question)
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"the question is longer than {MAX_QUESTION:,} characters", mend="ask it in fewer words"
        )
