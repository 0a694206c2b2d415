"""The catalog: articles, chunks and their sentences in one SQLite file. The truth of an index.

FAISS and tantivy files are derived from it. While a version is built the catalog takes one
transaction per batch of articles, so a killed build goes on where it was; once published it is
opened read-only and immutable.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.article import Article
from rag.chunking import Chunk
from rag.cleaning import CleanedArticle, Removed
from rag.embedding import Vectors
from rag.errors import IndexCorruptError
from rag.readers import Skipped

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE articles (
    number INTEGER PRIMARY KEY,          -- in the order of reading
    article_id TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL,          -- of the article as read, before cleaning
    title TEXT NOT NULL,
    text TEXT NOT NULL,                  -- cleaned; every offset counts its characters
    published TEXT,                      -- ISO 8601 day
    source TEXT,
    author TEXT,
    url TEXT,
    path TEXT,
    metadata TEXT NOT NULL,              -- JSON object
    removed TEXT NOT NULL                -- JSON list: what cleaning took out, and why
);
CREATE INDEX articles_published ON articles (published);
CREATE INDEX articles_source ON articles (source);
CREATE TABLE chunks (
    chunk_id INTEGER PRIMARY KEY,        -- the id in vectors.faiss and lexical/
    article INTEGER NOT NULL REFERENCES articles (number),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    vector BLOB NOT NULL,                -- float16 little-endian, unit length
    sentences BLOB NOT NULL,             -- int32 pairs [start, end)
    sentence_vectors BLOB NOT NULL       -- float16, one row per sentence
);
CREATE INDEX chunks_article ON chunks (article);
CREATE TABLE skipped (path TEXT NOT NULL, line INTEGER, reason TEXT NOT NULL);
"""
_ARTICLE_COLUMNS = "article_id, title, text, published, source, author, url, path, metadata"
_Row = tuple[Any, ...]
_MAX_VARIABLES = 900  # SQLite's own limit was 999 for long


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as the index keeps it.

    Attributes:
        chunk_id: Its id in every part of the index.
        article: Number of its article within the catalog.
        start, end: Span in the article's text.
        vector: Shape (dimension,), unit length.
        sentences: Shape (n, 2): spans in the article's text.
        sentence_vectors: Shape (n, dimension), unit length.
    """

    chunk_id: int
    article: int
    start: int
    end: int
    vector: Vectors
    sentences: NDArray[np.int32]
    sentence_vectors: Vectors


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """A chunk with its vectors, ready to be stored."""

    chunk: Chunk
    vector: Vectors
    sentence_vectors: Vectors


class Catalog:
    """Reads and, while a version is built, writes `articles.sqlite`.

    Safe to use from several threads: they take turns.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path) -> Catalog:
        """Open for building; makes the file and its tables where they are missing."""
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # WAL with NORMAL survives a killed process; the finished file is synced before it counts.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='meta'").fetchone():
            connection.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        return cls(connection)

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """Open a published catalog: read-only, no lock files, never changed."""
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        try:
            return cls(sqlite3.connect(uri, uri=True, check_same_thread=False))
        except sqlite3.Error as error:
            raise IndexCorruptError(f"{path} does not open: {error}") from error

    def close(self) -> None:
        """Close the file. Nothing can be read afterwards."""
        with self._lock:
            self._connection.close()

    def finish(self) -> None:
        """End building: everything into the one file, compact, no side files left."""
        with self._lock:
            self._connection.execute("ANALYZE")
            self._connection.execute("PRAGMA journal_mode=DELETE")
            self._connection.close()

    # Building

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def meta(self, key: str) -> str | None:
        """A value kept with the catalog, such as the recipe it is built by."""
        row = self._row("SELECT value FROM meta WHERE key=?", (key,))
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value with the catalog (inside a transaction)."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def content_hashes(self) -> dict[str, str]:
        """article_id to content hash, of every stored article."""
        return dict(self._rows("SELECT article_id, content_hash FROM articles"))

    def add(
        self, cleaned: CleanedArticle, content_hash: str, chunks: Sequence[EmbeddedChunk]
    ) -> None:
        """Store an article with its chunks, in place of one with the same id."""
        article = cleaned.article
        self.remove(article.article_id)
        number = self._connection.execute(
            "INSERT INTO articles VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                article.article_id,
                content_hash,
                article.title,
                article.text,
                article.published.isoformat() if article.published else None,
                article.source,
                article.author,
                article.url,
                article.path,
                json.dumps(article.metadata, ensure_ascii=False, sort_keys=True),
                json.dumps([piece.model_dump() for piece in cleaned.removed], ensure_ascii=False),
            ),
        ).lastrowid
        self._connection.executemany(
            "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            (
                (
                    number,
                    embedded.chunk.start,
                    embedded.chunk.end,
                    embedded.vector.astype("<f2").tobytes(),
                    np.asarray(embedded.chunk.sentences, dtype="<i4").tobytes(),
                    embedded.sentence_vectors.astype("<f2").tobytes(),
                )
                for embedded in chunks
            ),
        )

    def remove(self, article_id: str) -> None:
        """Remove an article and its chunks, if it is there (inside a transaction)."""
        self._connection.execute(
            "DELETE FROM chunks WHERE article IN (SELECT number FROM articles WHERE article_id=?)",
            (article_id,),
        )
        self._connection.execute("DELETE FROM articles WHERE article_id=?", (article_id,))

    def set_paths(self, paths: Mapping[str, str | None]) -> None:
        """Note where unchanged articles lie now (inside a transaction)."""
        self._connection.executemany(
            "UPDATE articles SET path=?1 WHERE article_id=?2 AND path IS NOT ?1",
            ((path, article_id) for article_id, path in paths.items()),
        )

    def set_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Replace the list of what was skipped (inside a transaction)."""
        self._connection.execute("DELETE FROM skipped")
        self._connection.executemany(
            "INSERT INTO skipped VALUES (?, ?, ?)",
            ((item.path, item.line, item.reason) for item in skipped),
        )

    # Reading

    def counts(self) -> tuple[int, int, int]:
        """Numbers of articles, chunks and skipped inputs."""
        row = self._row(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM chunks),"
            " (SELECT count(*) FROM skipped)"
        )
        assert row is not None
        return row[0], row[1], row[2]

    def skipped(self) -> list[Skipped]:
        """What was skipped in the last build, and why."""
        rows = self._rows("SELECT path, line, reason FROM skipped ORDER BY rowid")
        return [Skipped(path=path, line=line, reason=reason) for path, line, reason in rows]

    def articles(self, numbers: Sequence[int]) -> dict[int, Article]:
        """Articles by their number."""
        rows = self._rows_in(
            f"SELECT number, {_ARTICLE_COLUMNS} FROM articles WHERE number IN", numbers
        )
        return {row[0]: _article(row[1:]) for row in rows}

    def article(self, article_id: str) -> Article | None:
        """An article by its id."""
        row = self._row(
            f"SELECT {_ARTICLE_COLUMNS} FROM articles WHERE article_id=?", (article_id,)
        )
        return None if row is None else _article(row)

    def removed(self, article_id: str) -> tuple[Removed, ...]:
        """What cleaning took out of an article."""
        row = self._row("SELECT removed FROM articles WHERE article_id=?", (article_id,))
        pieces = json.loads(row[0]) if row else []
        return tuple(Removed.model_validate(piece) for piece in pieces)

    def all_articles(self) -> Iterator[Article]:
        """Every article, in the order of reading."""
        for (number,) in self._rows("SELECT number FROM articles ORDER BY number"):
            yield from self.articles([number]).values()

    def chunks(self, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Chunks by their id; an id that is not there is left out."""
        rows = self._rows_in(
            "SELECT chunk_id, article, start, end, vector, sentences, sentence_vectors"
            " FROM chunks WHERE chunk_id IN",
            chunk_ids,
        )
        return {row[0]: _chunk(row) for row in rows}

    def chunk_texts(self, batch: int = 1000) -> Iterator[tuple[int, Article, str]]:
        """Every chunk as (chunk_id, its article without the text, its own text)."""
        last = -1
        while True:
            rows = self._rows(
                "SELECT chunk_id, article, start, end FROM chunks WHERE chunk_id > ?"
                " ORDER BY chunk_id LIMIT ?",
                (last, batch),
            )
            if not rows:
                return
            articles = self.articles(sorted({row[1] for row in rows}))
            for chunk_id, number, start, end in rows:
                yield chunk_id, articles[number], articles[number].text[start:end]
            last = rows[-1][0]

    def chunk_vectors(
        self, dimension: int, batch: int = 20_000
    ) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Every chunk's id and vector, in batches: shapes (n,) and (n, dimension)."""
        last = -1
        while True:
            rows = self._rows(
                "SELECT chunk_id, vector FROM chunks WHERE chunk_id > ? ORDER BY chunk_id LIMIT ?",
                (last, batch),
            )
            if not rows:
                return
            blob = b"".join(row[1] for row in rows)
            vectors = np.frombuffer(blob, dtype="<f2").reshape(len(rows), dimension)
            yield np.array([row[0] for row in rows], dtype=np.int64), vectors.astype(np.float32)
            last = rows[-1][0]

    def chunk_ids_where(
        self,
        *,
        since: datetime.date | None,
        until: datetime.date | None,
        undated: bool,
        sources: Sequence[str],
        metadata: Mapping[str, str],
    ) -> NDArray[np.int64]:
        """Ids of the chunks whose article passes a filter, ascending.

        Args:
            since, until: First and last day of publication, both included.
            undated: Whether an article without a date passes `since` and `until`.
            sources: Any of these; empty lets every source pass.
            metadata: Fields of the article's metadata that must equal these texts.
        """
        conditions, values = ["1"], list[str]()
        for operator, day in ((">=", since), ("<=", until)):
            if day is not None:
                conditions.append(f"(published {operator} ?{' OR published IS NULL' * undated})")
                values.append(day.isoformat())
        if sources:
            conditions.append(f"source IN ({','.join('?' * len(sources))})")
            values.extend(sources)
        for key, value in metadata.items():
            conditions.append("CAST(json_extract(metadata, ?) AS TEXT) = ?")
            values.extend([f"$.{json.dumps(key)}", value])
        rows = self._rows(
            "SELECT chunk_id FROM articles JOIN chunks ON article = number WHERE"
            f" {' AND '.join(conditions)} ORDER BY chunk_id",
            values,
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def _row(self, query: str, values: Sequence[object] = ()) -> _Row | None:
        rows = self._rows(query, values)
        return rows[0] if rows else None

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[_Row]:
        with self._lock:
            try:
                return self._connection.execute(query, tuple(values)).fetchall()
            except sqlite3.DatabaseError as error:
                raise IndexCorruptError(f"articles.sqlite cannot be read: {error}") from error

    def _rows_in(self, query: str, numbers: Sequence[int]) -> Iterator[_Row]:
        for at in range(0, len(numbers), _MAX_VARIABLES):
            part = [int(number) for number in numbers[at : at + _MAX_VARIABLES]]
            yield from self._rows(f"{query} ({','.join('?' * len(part))})", part)


def _article(row: Sequence[Any]) -> Article:
    names = [name.strip() for name in _ARTICLE_COLUMNS.split(",")]
    fields = dict(zip(names, row, strict=True))
    fields["metadata"] = json.loads(str(fields["metadata"]))
    return Article.model_validate(fields)


def _chunk(row: Sequence[Any]) -> StoredChunk:
    chunk_id, article, start, end, vector, sentences, sentence_vectors = row
    flat = np.frombuffer(vector, dtype="<f2").astype(np.float32)
    return StoredChunk(
        chunk_id=chunk_id,
        article=article,
        start=start,
        end=end,
        vector=flat,
        sentences=np.frombuffer(sentences, dtype="<i4").reshape(-1, 2),
        sentence_vectors=np.frombuffer(sentence_vectors, dtype="<f2")
        .astype(np.float32)
        .reshape(-1, len(flat)),
    )
