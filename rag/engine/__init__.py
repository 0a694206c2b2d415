"""`Rag`: one open index with its models; everything a user can ask of it.

Modules:
    live    the version that is live, and the model that made it
    asking  a question on its way through them, to its answer
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Self

from rag.answering.answer import Answer
from rag.answering.confidence import Calibration
from rag.answering.events import Event
from rag.answering.question import Kind
from rag.article import Article
from rag.chat import Chat
from rag.cleaning import Removed
from rag.embedding import Embedder
from rag.engine.asking import SENT, Asking, answer_of, read_question
from rag.engine.live import LiveVersion
from rag.index.boilerplate import Boilerplate, boilerplate_of
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from rag.index.stories import Story, stories_of
from rag.lifetime import Lifetime
from rag.llm import LLM, SHARED
from rag.opening import embedder_of, ranker_of, reranker_of
from rag.ranking import Ranker
from rag.retrieval import Filter, Hit, retrieve
from rag.retrieval.reranking import Reranker
from rag.settings import Settings

__all__ = ["SENT", "Rag", "answer_of"]

# `close` waits so long for those who read the index: searching takes far less.
_CLOSE_SECONDS = 20


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
        folder: IndexFolder | None = None,
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
            folder: Where new versions of the index are published; None stays with this one.

        Raises:
            IndexFormatError: another embedding model than `embedder` made the index.
        """
        settings = settings or Settings()
        self._version = LiveVersion(index, embedder, settings, folder)
        self._asking = Asking(self._version, llm, settings, reranker, ranker, calibration)
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
        return cls(
            opened,
            embedder_of(opened.manifest.embedder, settings),
            SHARED.lease(settings),
            settings,
            reranker=reranker_of(settings),
            ranker=ranker_of(settings),
            folder=folder,
        )

    def load(self) -> None:
        """Load the language model now, rather than at the first question.

        Raises:
            ModelMissingError, ModelError: it is missing or does not load.
        """
        with self._life.in_use():
            self._asking.llm.count_tokens("")

    def close(self) -> None:
        """Close the index and free the models. Can be called twice.

        Answers being written end with a `CancelledError`; whatever is called afterwards raises
        `ClosedError`.
        """
        if not self._life.close():
            return
        self._asking.llm.close()
        if self._life.wait_until_unused(_CLOSE_SECONDS):
            self._version.close()  # else when nobody has it any more

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def index(self) -> OpenIndex:
        """The live version, opened."""
        with self._life.in_use():
            return self._version.now().index

    @property
    def embedder(self) -> Embedder:
        """The model that made it."""
        with self._life.in_use():
            return self._version.now().embedder

    @property
    def model(self) -> str:
        """Name of the language model."""
        return self._asking.llm.name

    @property
    def calibration(self) -> Calibration | None:
        """What was fitted for the embedding and the language model; None where nothing was."""
        return self._asking.calibration(self.embedder)

    @property
    def settings(self) -> Settings:
        """How it works."""
        return self._asking.settings

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
            live = self._version.now()
            found = retrieve(
                live.index,
                live.embedder,
                queries,
                k=k or self.settings.k,
                filter=filter or Filter(),
                reranker=self._asking.reranker,
            )
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
        read = [read_question(question, language, asked_on) for question in questions]
        return self._life.steps(self._asking.answers(read, filter or Filter()))

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
        read = read_question(question, self.index.language, asked_on, kind, any_time=any_time)
        return self._life.steps(self._asking.events(read, chosen, cancelled))

    def chat(self) -> Chat:
        """A conversation, in which a question may lean on the ones before it."""
        return Chat(self.stream, self.index.language)

    def article(self, article_id: str) -> Article | None:
        """An article of the index with its cleaned text; None if there is no such one."""
        with self._life.in_use():
            return self._version.now().index.catalog.article(article_id)

    def removed(self, article_id: str) -> tuple[Removed, ...]:
        """What cleaning took out of an article, and why."""
        with self._life.in_use():
            return self._version.now().index.catalog.removed(article_id)

    def boilerplate(self, article_id: str) -> tuple[Boilerplate, ...]:
        """The lines of an article that its publisher puts into many: they are no evidence."""
        with self._life.in_use():
            return boilerplate_of(self._version.now().index.catalog, article_id)

    def stories(self) -> list[Story]:
        """The stories that several articles tell, ordered by their first reports' reading."""
        with self._life.in_use():
            return stories_of(self._version.now().index.catalog)

    def articles(self) -> Iterator[Article]:
        """Every article of the index, in the order of reading."""
        index = self.index

        def articles() -> Generator[Article, None, None]:
            yield from index.catalog.all_articles()  # held: it closes when nobody holds it

        return self._life.steps(articles())
