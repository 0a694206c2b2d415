"""`Rag`: one open index with its models; everything a user can ask of it."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from rag import embedding, models
from rag.answering.answer import Answer
from rag.answering.events import AnswerReady, Event
from rag.answering.respond import answer_events
from rag.article import Article
from rag.chat import Chat
from rag.cleaning import Removed
from rag.embedding import Embedder
from rag.errors import IndexFormatError
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from rag.llm import LLM, LazyLLM, LlamaCppLLM
from rag.readers import normalise
from rag.retrieval import Filter, Found, Hit, retrieve
from rag.retrieval.reranking import CrossEncoderReranker, Reranker
from rag.settings import Settings

# Chunks whose sentences may become evidence; more are searched than shown.
_EVIDENCE_HITS = 10
# Questions of `ask_many` that are embedded together.
_BATCH_QUESTIONS = 64


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
    ) -> None:
        """Put the parts together.

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
        self._settings = settings or Settings()
        self._folder: IndexFolder | None = None
        self._swap = threading.Lock()

    @classmethod
    def open(cls, index: str = "seeds", *, settings: Settings | None = None) -> Self:
        """Open the live version of an index. The language model loads at the first question.

        Raises:
            IndexMissingError, IndexCorruptError, IndexFormatError: the index does not open.
            ModelMissingError, ModelError: the embedding model is missing or does not load.
        """
        settings = settings or Settings()
        folder = IndexFolder(settings.index_dir, index)
        opened = OpenIndex(folder, n_threads=settings.threads)
        reranker = None
        if settings.reranker:
            reranker = CrossEncoderReranker(settings.reranker, n_threads=settings.threads)
        embedder = _embedder(opened, settings)
        rag = cls(opened, embedder, _llm(settings), settings, reranker=reranker)
        rag._folder = folder
        return rag

    def load(self) -> None:
        """Load the language model now, rather than at the first question.

        Raises:
            ModelMissingError, ModelError: it is missing or does not load.
        """
        self._llm.count_tokens("")

    def close(self) -> None:
        """Close the index and free the models."""
        self._llm.close()
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def index(self) -> OpenIndex:
        """The live version, opened."""
        return self._current()[0]

    @property
    def embedder(self) -> Embedder:
        """The model that made it."""
        return self._current()[1]

    @property
    def model(self) -> str:
        """Name of the language model."""
        return self._llm.name

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
    ) -> list[Hit]:
        """The k best chunks, best first.

        Args:
            query: A question or words; syntax characters have no meaning.
            k: Hits wanted, at least 1; None takes the setting.
            since, until: First and last day of publication, both included.
            source: Only this publisher, or any of these.
            undated: Whether articles without a date pass `since` and `until`.
            where: Metadata fields that must equal these texts.

        Raises:
            QuestionError: an empty query, or a filter that does not fit.
        """
        return self.search_many(
            [query], k=k, since=since, until=until, source=source, undated=undated, where=where
        )[0]

    def search_many(
        self,
        queries: Sequence[str],
        *,
        k: int | None = None,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
    ) -> list[list[Hit]]:
        """Like `search`, for many queries embedded in one batch; the hits of each, in order."""
        chosen = Filter.make(since=since, until=until, source=source, undated=undated, where=where)
        _, found = self._retrieved(queries, k or self._settings.k, chosen)
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
    ) -> Answer:
        """The checked answer to a question. Arguments and errors: see `search` and `stream`."""
        for event in self.stream(
            question, since=since, until=until, source=source, undated=undated, where=where
        ):
            if isinstance(event, AnswerReady):
                return event.answer
        raise AssertionError("stream ends with the answer")

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:
        """Like `ask`, for many questions embedded in batches; answers come in order, as written."""
        chosen = Filter.make(since=since, until=until, source=source, undated=undated, where=where)
        for at in range(0, len(questions), _BATCH_QUESTIONS):
            batch = [normalise(question) for question in questions[at : at + _BATCH_QUESTIONS]]
            index, found = self._retrieved(batch, self._n_evidence_hits, chosen)
            for question, one in zip(batch, found, strict=True):
                for event in self._events(question, index, one, chosen, time.perf_counter()):
                    if isinstance(event, AnswerReady):
                        yield event.answer

    def stream(
        self,
        question: str,
        *,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Event]:
        """What was found, then the text as it is written, last the checked answer.

        Closing the iterator, or setting `cancelled`, stops the language model.

        Raises:
            QuestionError: an empty question, or a filter that does not fit.
            BusyError: too many questions are waiting for the language model.
            CancelledError: `cancelled` was set.
            ModelMissingError, ModelError: the language model is missing or failed.
        """
        chosen = Filter.make(since=since, until=until, source=source, undated=undated, where=where)
        started = time.perf_counter()
        question = normalise(question)  # as the articles are
        index, found = self._retrieved([question], self._n_evidence_hits, chosen)
        yield from self._events(question, index, found[0], chosen, started, cancelled)

    def _retrieved(
        self, questions: Sequence[str], k: int, filter: Filter
    ) -> tuple[OpenIndex, list[Found]]:
        index, embedder = self._current()
        found = retrieve(index, embedder, questions, k=k, filter=filter, reranker=self._reranker)
        return index, found

    @property
    def _n_evidence_hits(self) -> int:
        return max(self._settings.k, _EVIDENCE_HITS)

    def _events(
        self,
        question: str,
        index: OpenIndex,
        found: Found,
        filter: Filter,
        started: float,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Event]:
        return answer_events(
            question,
            found,
            index=index,
            llm=self._llm,
            settings=self._settings,
            filter=filter,
            started=started,
            cancelled=cancelled,
        )

    def chat(self) -> Chat:
        """A conversation, in which a question may lean on the ones before it."""
        return Chat(self.stream)

    def article(self, article_id: str) -> Article | None:
        """An article of the index with its cleaned text; None if there is no such one."""
        return self._current()[0].catalog.article(article_id)

    def removed(self, article_id: str) -> tuple[Removed, ...]:
        """What cleaning took out of an article, and why."""
        return self._current()[0].catalog.removed(article_id)

    def articles(self) -> Iterator[Article]:
        """Every article of the index, in the order of reading."""
        index, _ = self._current()

        def articles() -> Iterator[Article]:
            yield from index.catalog.all_articles()  # held: it closes when nobody holds it

        return articles()

    def _current(self) -> tuple[OpenIndex, Embedder]:
        """The live version, opened anew if another was published; and the model that made it."""
        with self._swap:
            folder = self._folder
            if folder is not None and folder.current() not in (None, self._index.version):
                # The old version stays open for those who still read it.
                fresh = OpenIndex(folder, n_threads=self._settings.threads)
                if fresh.manifest.embedder != self._embedder.identity:
                    self._embedder = _embedder(fresh, self._settings)
                self._index = fresh
            return self._index, self._embedder


def _embedder(index: OpenIndex, settings: Settings) -> Embedder:
    made = index.manifest.embedder
    return embedding.load(
        made.model,
        models_dir=settings.models_dir,
        n_threads=settings.threads,
        runtime=made.runtime,
    )


def _llm(settings: Settings) -> LLM:
    def load() -> LLM:
        path = models.find(settings.model, models_dir=settings.models_dir, kind="llm")
        return LlamaCppLLM(
            path,
            name=settings.model,
            context_tokens=settings.context_tokens,
            n_threads=settings.threads,
            queue_size=settings.queue_size,
        )

    return LazyLLM(settings.model, load)
