"""Indexes and models kept open for everybody who asks, and whether they are ready."""

from __future__ import annotations

import datetime
import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rag import Rag, RagError, Settings, list_indexes

_log = logging.getLogger(__name__)
_MAX_EXAMPLES = 3


class Readiness(StrEnum):
    """How far an index with its models is."""

    OPENING = "opening"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """An article in the table of the library."""

    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    n_words: int
    n_removed: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What an index holds, without the texts."""

    index: str
    version: int
    rows: tuple[Row, ...]

    @property
    def days(self) -> Counter[datetime.date]:
        """Number of articles by day of publication."""
        return Counter(row.published for row in self.rows if row.published)

    @property
    def n_undated(self) -> int:
        """Number of articles without a day."""
        return sum(row.published is None for row in self.rows)

    @property
    def sources(self) -> list[str]:
        """Publishers, the one with most articles first."""
        return [name for name, _ in Counter(r.source for r in self.rows if r.source).most_common()]

    @property
    def examples(self) -> list[str]:
        """Questions to begin with, made from titles: the newest articles, one per source first."""
        newest = sorted(
            (row for row in self.rows if len(row.title.split()) > 2),
            key=lambda row: (row.published or datetime.date.min, row.article_id),
            reverse=True,
        )
        firsts = list({row.source: row for row in reversed(newest)}.values())[::-1]
        chosen = dict.fromkeys(row.title for row in [*firsts, *newest])
        return [f"What is known about “{title}”?" for title in list(chosen)[:_MAX_EXAMPLES]]


class Engines:
    """Every index that was asked for, opened once.

    Args:
        open_index: Like `Rag.open`.
        settings: Where the indexes lie.
    """

    def __init__(self, open_index: Callable[..., Rag], settings: Settings) -> None:
        self._open_index = open_index
        self.settings = settings
        self._opened: dict[str, Rag] = {}
        self._locks: dict[str, threading.Lock] = {}
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
        with self._lock(name):
            if name not in self._opened:
                self._opened[name] = self._open_index(name, settings=self.settings)
            return self._opened[name]

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
        return (Readiness.LOADING if name in self._opened else Readiness.OPENING), None

    def overview(self, name: str) -> Overview:
        """What the live version of an index holds."""
        rag = self.get(name)
        articles = rag.articles()  # of the live version, which may be newer than the one before
        version = rag.index.version
        known = self._overviews.get(name)
        if known is None or known.version != version:
            rows = (
                Row(
                    article_id=article.article_id,
                    title=article.title,
                    published=article.published,
                    source=article.source,
                    n_words=len(article.text.split()),
                    n_removed=len(rag.removed(article.article_id)),
                )
                for article in articles
            )
            known = Overview(index=name, version=version, rows=tuple(rows))
            self._overviews[name] = known
        return known

    def close(self) -> None:
        """Close everything."""
        for name in list(self._opened):
            with self._lock(name):
                self._opened.pop(name).close()

    def _lock(self, name: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())

    def _load(self, name: str) -> None:
        try:
            self.get(name).load()
        except RagError as error:
            _log.warning("index %r is not ready: %s", name, error)
            self._failed[name] = error
        finally:
            self._loaded[name].set()
