"""The catalog: articles, chunks and their sentences in SQLite. The truth of an index.

FAISS and tantivy files are derived from it. `rag.building.draft` writes it; once finished it is
opened here, read-only and immutable.
"""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.article import Article
from rag.cleaning import CleanedArticle, Removed
from rag.embedding import Vectors
from rag.errors import IndexCorruptError
from rag.index.columns import Columns, article_key
from rag.index.database import Database, Row
from rag.index.filter import Filter
from rag.index.layout import damaged
from rag.index.rows import (
    ARTICLE_COLUMNS,
    CHUNK_COLUMNS,
    STORED,
    UNDATED,
    ChunkText,
    StoredChunk,
    day_number,
    read_article,
    read_chunk,
)
from rag.readers import Skipped

FALLBACK = "fallback"
"""Key of `Catalog.meta`: why another runtime than the quickest made the vectors, if it had to."""
_BATCH_VECTORS = 20_000
_BATCH_ARTICLES = 2_000
# Checking and decoding an article costs as much as searching for it.
_RECENT_CHARACTERS = 32_000_000


class Catalog:
    """A finished `articles.sqlite`. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent: dict[int, Article] = {}
        self._n_recent = 0  # characters
        self._keeping = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a finished catalog.

        Raises:
            IndexCorruptError: it is no catalog.
        """
        return cls(Database.open(path))

    def close(self) -> None:
        """Close the file. Nothing can be read afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def meta(self, key: str) -> str | None:
        """A value kept with the catalog, such as the recipe it is built by."""
        row = self._database.row("SELECT value FROM meta WHERE key=?", (key,))
        return None if row is None else str(row[0])

    def known(self) -> dict[str, tuple[str, str | None]]:
        """article_id to content hash and path, of every stored article."""
        rows = self._database.rows("SELECT article_id, content_hash, path FROM articles")
        return {article_id: (digest, path) for article_id, digest, path in rows}

    def contents(self) -> dict[int, tuple[str, str]]:
        """article_id and content hash of every article, by its number."""
        rows = self._database.rows("SELECT number, article_id, content_hash FROM articles")
        return {number: (article_id, digest) for number, article_id, digest in rows}

    def chunk_ids_in(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """Ids of the chunks of these articles, ascending."""
        query = "SELECT chunk_id FROM chunks INDEXED BY chunks_article WHERE article IN"
        found = [row[0] for row in self._database.rows_in(query, numbers)]
        return np.sort(np.array(found, dtype=np.int64))

    def n_undated(self) -> int:
        """Number of articles without a day of publication."""
        row = self._database.row("SELECT count(*) FROM articles WHERE published IS NULL")
        return int(row[0]) if row else 0

    def skipped(self) -> list[Skipped]:
        """What was skipped in the last build, and why."""
        rows = self._database.rows("SELECT path, line, reason FROM skipped ORDER BY rowid")
        return [Skipped(path=path, line=line, reason=reason) for path, line, reason in rows]

    def chunk_texts(self, after: int = 0, batch: int = _BATCH_ARTICLES) -> Iterator[ChunkText]:
        """What the lexical index takes of each chunk of the articles numbered above `after`."""
        while True:
            articles = self._database.rows(
                "SELECT number, title, text, published, source, metadata FROM articles"
                " WHERE number > ? ORDER BY number LIMIT ?",
                (after, batch),
            )
            if not articles:
                return
            spans: dict[int, list[Row]] = {}
            for number, *span in self._database.rows(
                "SELECT article, start, end, chunk_id FROM chunks WHERE article BETWEEN ? AND ?",
                (articles[0][0], articles[-1][0]),
            ):
                spans.setdefault(number, []).append(tuple(span))
            for number, title, text, published, source, metadata in articles:
                for start, end, chunk_id in spans.get(number, ()):
                    passage = text[start:end]
                    yield ChunkText(
                        chunk_id, title, passage, day_number(published), source or "", metadata
                    )
            after = articles[-1][0]

    def chunk_vectors(
        self, dimension: int, *, after: int = 0, batch: int = _BATCH_VECTORS
    ) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Ids and vectors of the chunks with an id above `after`: shapes (n,), (n, dimension)."""
        while True:
            rows = self._database.rows(
                "SELECT chunk_id, vector FROM chunks WHERE chunk_id > ? ORDER BY chunk_id LIMIT ?",
                (after, batch),
            )
            if not rows:
                return
            blob = b"".join(row[1] for row in rows)
            vectors = np.frombuffer(blob, dtype="<f2").reshape(len(rows), dimension)
            yield np.array([row[0] for row in rows], dtype=np.int64), vectors.astype(np.float32)
            after = rows[-1][0]

    def vectors_of(self, chunk_ids: Sequence[int]) -> dict[int, Vectors]:
        """Vectors of chunks by their id, each of shape (dimension,)."""
        query = "SELECT chunk_id, vector FROM chunks WHERE chunk_id IN"
        rows = self._database.rows_in(query, chunk_ids)
        return {row[0]: np.frombuffer(row[1], dtype=STORED).astype(np.float32) for row in rows}

    def sample_vectors(self, dimension: int, n: int) -> Vectors:
        """At most n chunk vectors from all over the catalog, shape (n, dimension)."""
        ids = self.columns.chunk_ids
        ids = ids[np.linspace(0, len(ids) - 1, min(n, len(ids))).astype(int)] if n else ids[:0]
        rows = self._database.rows_in("SELECT vector FROM chunks WHERE chunk_id IN", ids.tolist())
        blob = b"".join(row[0] for row in rows)
        return np.frombuffer(blob, dtype="<f2").reshape(-1, dimension).astype(np.float32)

    # Every row of these is compared with its checksum

    @cached_property
    def columns(self) -> Columns:
        """What filters and look-ups search."""
        rows = self._database.rows("SELECT name, data, checksum FROM columns")
        with self._checked():
            return Columns.unpack(rows)

    def articles(self, numbers: Sequence[int]) -> dict[int, Article]:
        """Articles by their number; the last ones read are kept.

        Raises:
            IndexCorruptError: one is missing or damaged.
        """
        with self._keeping:
            kept = {n: self._recent[n] for n in numbers if n in self._recent}
        if len(kept) == len(numbers):
            return kept
        read = self._cleaned([number for number in numbers if number not in kept])
        fresh = {number: item.article for number, item in read.items()}
        with self._keeping:
            for number, article in fresh.items():
                if self._recent.setdefault(number, article) is article:
                    self._n_recent += len(article.text)
            while self._n_recent > _RECENT_CHARACTERS:
                oldest = next(iter(self._recent))
                self._n_recent -= len(self._recent.pop(oldest).text)
        return kept | fresh

    def article(self, article_id: str) -> Article | None:
        """An article by its id; None if there is no such one."""
        cleaned = self._by_id(article_id)
        return cleaned.article if cleaned else None

    def removed(self, article_id: str) -> tuple[Removed, ...]:
        """What cleaning took out of an article."""
        cleaned = self._by_id(article_id)
        return cleaned.removed if cleaned else ()

    def all_articles(self) -> Iterator[Article]:
        """Every article, in the order of reading."""
        for number in self.columns.article_numbers:
            yield from self.articles([number]).values()

    def chunks(self, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Chunks by their id.

        Raises:
            IndexCorruptError: one is missing or damaged.
        """
        query = f"SELECT {CHUNK_COLUMNS} FROM chunks WHERE chunk_id IN"
        with self._checked():
            chunks = {row[0]: read_chunk(row) for row in self._database.rows_in(query, chunk_ids)}
        self._all_there("chunk", chunk_ids, chunks)
        return chunks

    def passages(self, chunk_ids: Sequence[int]) -> dict[int, tuple[str, int, int]]:
        """By chunk: the id of its article, and its span there; without its vectors."""
        rows = self._database.rows_in(
            "SELECT chunk_id, articles.article_id, start, end FROM chunks"
            " JOIN articles ON articles.number = chunks.article WHERE chunk_id IN",
            chunk_ids,
        )
        return {chunk: (article, start, end) for chunk, article, start, end in rows}

    def first_chunks(self, numbers: Sequence[int]) -> dict[int, int]:
        """The id of the first chunk of each of these articles."""
        query = "SELECT article, chunk_id FROM chunks INDEXED BY chunks_article WHERE article IN"
        found: dict[int, int] = {}
        for article, chunk_id in self._database.rows_in(query, numbers):
            found[article] = min(chunk_id, found.get(article, chunk_id))
        return found

    def chunk_ids_of(self, article: int) -> list[int]:
        """Ids of the chunks of the article with this number, in the order of its text."""
        query = "SELECT chunk_id FROM chunks INDEXED BY chunks_article WHERE article IN"
        return sorted(chunk_id for (chunk_id,) in self._database.rows_in(query, [article]))

    def chunk_ids_where(self, filter: Filter) -> NDArray[np.int64]:
        """Ids of the chunks whose article passes a filter but for its `where`, ascending."""
        columns = self.columns
        passes = np.ones(len(columns.chunk_ids), dtype=bool)
        if filter.since or filter.until:
            first = filter.since.toordinal() if filter.since else UNDATED + 1
            last = (filter.until or datetime.date.max).toordinal()
            passes = (columns.days >= first) & (columns.days <= last)
            if filter.undated:
                passes |= columns.days == UNDATED
        if filter.source:
            allowed = set(filter.source)
            wanted = [n for n, name in enumerate(columns.source_names) if name in allowed]
            passes &= np.isin(columns.sources, wanted)
        return columns.chunk_ids[passes]

    @property
    def sources(self) -> tuple[str, ...]:
        """The distinct publishers of its articles."""
        return self.columns.source_names

    def number(self, article_id: str) -> int | None:
        """The number of an article; None if there is no such one."""
        columns = self.columns
        places = np.flatnonzero(columns.article_keys == article_key(article_id))
        found = self.articles(columns.article_numbers[places].tolist())
        return next((n for n, item in found.items() if item.article_id == article_id), None)

    def _by_id(self, article_id: str) -> CleanedArticle | None:
        number = self.number(article_id)
        return None if number is None else self._cleaned([number])[number]

    def _cleaned(self, numbers: Sequence[int]) -> dict[int, CleanedArticle]:
        query = f"SELECT {ARTICLE_COLUMNS} FROM articles WHERE number IN"
        with self._checked():
            articles = {row[0]: read_article(row) for row in self._database.rows_in(query, numbers)}
        self._all_there("article", numbers, articles)
        return articles

    def _all_there(self, kind: str, wanted: Sequence[int], found: Mapping[int, object]) -> None:
        missing = next((number for number in wanted if number not in found), None)
        if missing is not None:
            raise damaged(
                self._database.path.parent,
                f"{self._database.path.name}: {kind} {missing} is missing",
            )

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except IndexCorruptError as error:
            if error.mend:
                raise
            raise damaged(
                self._database.path.parent, f"{self._database.path.name}: {error.message}"
            ) from error
