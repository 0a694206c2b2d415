"""Indexes and models kept open for everybody who asks, and whether they are ready."""

from __future__ import annotations

import datetime
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rag import Article, EnginePool, Rag, RagError, Settings, Story, list_indexes

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
    """An article in the table of the library.

    Attributes:
        article_id, title, published, source: Of the article.
        n_same: Number of other articles that tell the same story.
        told: What it is among them: `first report`, `reprint` or `earlier version`.
    """

    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    n_same: int = 0
    told: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """What an index holds, without the texts.

    Attributes:
        index, version: Which one.
        rows: Its articles, in the order of reading.
        n_removed: Pieces that cleaning took out, by article; may be counted when first asked for.
    """

    index: str
    version: int
    rows: tuple[Row, ...]
    n_removed: Mapping[str, int]

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


def _rows(articles: Iterable[Article], stories: Iterable[Story]) -> tuple[Row, ...]:
    told: dict[str, tuple[int, str]] = {}
    for story in stories:
        for one in story.articles:
            what = "first report" if one in (story.first, story.shown) else "reprint"
            what = "earlier version" if one in story.superseded else what
            told[one] = len(story.articles) - 1, what
    return tuple(
        Row(one.article_id, one.title, one.published, one.source, *told.get(one.article_id, ()))
        for one in articles
    )


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
                rows = _rows(articles, rag.stories())
                known = Overview(name, opened.version, rows, _Removed(rag))
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
