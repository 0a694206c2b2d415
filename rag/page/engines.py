"""Indexes and models kept open for everybody who asks, and whether they are ready."""

from __future__ import annotations

import logging
import threading
from enum import StrEnum

from rag import EnginePool, Rag, RagError, Settings, list_indexes
from rag.page.examples import questions
from rag.page.overview import Overview, rows_of

_log = logging.getLogger(__name__)


class Readiness(StrEnum):
    """How far an index with its models is."""

    OPENING = "opening"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class _Removed(dict[str, int]):
    """Counts pieces when an article is looked at: for all of them that takes longer than to read.

    Args:
        rag: Where the articles are.
    """

    def __init__(self, rag: Rag) -> None:
        super().__init__()
        self._rag = rag

    def __missing__(self, article_id: str) -> int:
        self[article_id] = len(self._rag.removed(article_id))
        return self[article_id]


class Engines:
    """The engines of a pool, and whether each is ready to be asked.

    Args:
        pool: Where they are opened.
        settings: Where the indexes lie.
    """

    def __init__(self, pool: EnginePool, settings: Settings) -> None:
        self._pool = pool
        self.settings = settings
        self._reading: dict[str, threading.Lock] = {}
        self._loaded: dict[str, threading.Event] = {}
        self._failed: dict[str, RagError] = {}
        self._overviews: dict[str, Overview] = {}
        self._guard = threading.Lock()

    def names(self) -> list[str]:
        """Indexes that can be asked."""
        found = list_indexes(self.settings.index_dir)
        return [info.name for info in found if info.state == "ready"]

    def get(self, name: str) -> Rag:
        """The engine for an index, opened if it is not yet.

        Raises:
            RagError: it does not open.
        """
        return self._pool.get(name, self.settings)

    def warm_up(self, name: str) -> None:
        """Open an index and load its models in the background."""
        with self._guard:
            if name in self._loaded and name not in self._failed:
                return
            self._failed.pop(name, None)
            self._loaded[name] = threading.Event()
        threading.Thread(target=self._load, args=(name,), name="warm-up", daemon=True).start()

    def wait(self, name: str, seconds: float) -> bool:
        """Wait until `warm_up` ended; whether it did."""
        return self._loaded[name].wait(seconds)

    def readiness(self, name: str) -> tuple[Readiness, RagError | None]:
        """How far an index is, and why it failed."""
        if error := self._failed.get(name):
            return Readiness.FAILED, error
        if name in self._loaded and self._loaded[name].is_set():
            return Readiness.READY, None
        opened = self._pool.is_open(name, self.settings)
        return (Readiness.LOADING if opened else Readiness.OPENING), None

    def overview(self, name: str) -> Overview:
        """What the live version of an index holds; read once for each version."""
        rag = self.get(name)
        with self._guard:
            reading = self._reading.setdefault(name, threading.Lock())
        with reading:
            articles = rag.articles()  # of the live version, which may be newer than before
            opened = rag.index  # it stays open while it is read, whatever is published meanwhile
            known = self._overviews.get(name)
            if known is None or known.version != opened.version:
                stories = rag.stories()
                rows = tuple(rows_of(articles, stories))
                known = Overview(
                    name,
                    opened.version,
                    rows,
                    _Removed(rag),
                    {one: story.articles for story in stories for one in story.articles},
                    tuple(questions(rag, rows)),
                )
                self._overviews[name] = known
            return known

    def close(self) -> None:
        """Close everything."""
        self._pool.close()

    def _load(self, name: str) -> None:
        try:
            self.overview(name)  # before the model: it is what a visitor sees first
            self.get(name).load()
        except RagError as error:
            _log.warning("index %r is not ready: %s", name, error)
            self._failed[name] = error
        finally:
            self._loaded[name].set()
