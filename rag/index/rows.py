"""Rows of the catalog: the tables, and what a row holds as Python and NumPy values.

A published catalog of a large index is too big to hash whenever it is opened. So every row of
`articles` and `chunks` carries a checksum that is compared when the row is read, and what has to be
searched (days, sources, ids) stands in checked columns that are read once.
"""

from __future__ import annotations

import datetime
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.article import Article
from rag.chunking import Chunk
from rag.cleaning import CleanedArticle, Removed
from rag.embedding import Vectors
from rag.errors import IndexCorruptError
from rag.index.database import Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS articles (
    number INTEGER PRIMARY KEY,          -- in the order of reading
    article_id TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL,          -- of the article as read, before cleaning
    path TEXT,
    published TEXT,                      -- ISO 8601 day
    source TEXT,
    author TEXT,
    url TEXT,
    title TEXT NOT NULL,
    metadata TEXT NOT NULL,              -- JSON object; "rag:pages": where its pages begin
    text TEXT NOT NULL,                  -- cleaned; every offset counts its characters
    removed TEXT NOT NULL,               -- JSON list: what cleaning took out, and why
    checksum INTEGER NOT NULL            -- CRC-32 of the columns before it
);
-- Has all that building asks of every article, without reading the texts.
CREATE INDEX IF NOT EXISTS articles_heads
    ON articles (number, article_id, content_hash, path, published, source);
CREATE TABLE IF NOT EXISTS chunks (
    chunk_id INTEGER PRIMARY KEY,        -- the id in vectors.faiss and lexical/; never used again
    article INTEGER NOT NULL REFERENCES articles (number),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    vector BLOB NOT NULL,                -- float16 little-endian, unit length
    sentences BLOB NOT NULL,             -- int32 pairs [start, end)
    sentence_vectors BLOB NOT NULL,      -- float16, one row per sentence
    checksum INTEGER NOT NULL            -- CRC-32 of the columns before it
);
-- Has all that making the lexical index needs, without reading the vectors.
CREATE INDEX IF NOT EXISTS chunks_article ON chunks (article, start, end);
CREATE TABLE IF NOT EXISTS skipped (path TEXT NOT NULL, line INTEGER, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inputs (  -- for the next build: a file as it was need not be read
    path TEXT PRIMARY KEY,               -- as in articles
    n_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    n_lines INTEGER,                     -- if further lines may follow
    entries TEXT NOT NULL                -- JSON list: what stands in it
);
CREATE TABLE IF NOT EXISTS sketches (  -- these three too: by them the same texts are found
    article INTEGER PRIMARY KEY,
    runs BLOB NOT NULL                   -- uint64, ascending: see rag.building.stories
);
CREATE TABLE IF NOT EXISTS compared (
    one INTEGER NOT NULL,                -- numbers of two articles, the lower first
    other INTEGER NOT NULL,
    alike INTEGER NOT NULL,              -- 1 the same text, 2 versions of one article, 3 both
    PRIMARY KEY (one, other)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS repeats (
    article INTEGER PRIMARY KEY,
    shown INTEGER NOT NULL,              -- the articles that its chunks were looked for in
    newest INTEGER NOT NULL,
    chunks BLOB NOT NULL                 -- int64 pairs: chunk_id, the article that holds its text
);
CREATE TABLE IF NOT EXISTS lines (     -- by these boilerplate is found
    article INTEGER PRIMARY KEY,
    keys BLOB NOT NULL,                  -- uint64, one per sentence: see rag.building.boilerplate
    spans BLOB NOT NULL                  -- int32 pairs [start, end)
);
CREATE TABLE IF NOT EXISTS columns (  -- written last; what filters and look-ups search
    name TEXT PRIMARY KEY,
    data BLOB NOT NULL,
    checksum INTEGER NOT NULL            -- CRC-32 of data
);
"""
ARTICLE_COLUMNS = (
    "number, article_id, content_hash, path, published, source, author, url, title, metadata,"
    " text, removed, checksum"
)
ARTICLE_FIELDS = tuple(ARTICLE_COLUMNS.replace(" ", "").split(","))
CHUNK_COLUMNS = "chunk_id, article, start, end, vector, sentences, sentence_vectors, checksum"
STORED = "<f2"
"""How vectors are stored: float16, little-endian."""
PAGES = "rag:pages"
"""Where an article's pages stand in the column `metadata`."""
UNDATED = 0
"""Day of an article without a date; real days (proleptic Gregorian ordinals) start at 1."""


@dataclass(frozen=True, slots=True)
class EmbeddedArticle:
    """An article with its chunks and their vectors, ready to be stored.

    Attributes:
        cleaned: The article with its cleaned text.
        content_hash: Of the article as read.
        chunks: Its chunks.
        vectors: Shape (n_chunks, dimension), unit length, as `STORED`.
        sentence_vectors: For each chunk shape (n_sentences, dimension), as `vectors`.
    """

    cleaned: CleanedArticle
    content_hash: str
    chunks: Sequence[Chunk]
    vectors: NDArray[np.float16]
    sentence_vectors: Sequence[NDArray[np.float16]]


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


class ChunkText(NamedTuple):
    """What the lexical index takes of a chunk; `metadata` is a JSON object."""

    chunk_id: int
    title: str
    text: str
    day: int
    source: str
    metadata: str


def day_number(published: str | None) -> int:
    """Ordinal of an ISO 8601 day; `UNDATED` without one."""
    return datetime.date.fromisoformat(published).toordinal() if published else UNDATED


def article_row(number: int, cleaned: CleanedArticle, content_hash: str) -> Row:
    """The row of an article."""
    article = cleaned.article
    row = (
        number,
        article.article_id,
        content_hash,
        article.path,
        article.published.isoformat() if article.published else None,
        article.source,
        article.author,
        article.url,
        article.title,
        json.dumps(_stored_metadata(article), ensure_ascii=False, sort_keys=True),
        article.text,
        json.dumps([piece.model_dump() for piece in cleaned.removed], ensure_ascii=False),
    )
    return (*row, article_checksum(row))


def _stored_metadata(article: Article) -> dict[str, Any]:
    """The metadata, and with it the pages where there are any."""
    return {**article.metadata, PAGES: list(article.pages)} if article.pages else article.metadata


def article_checksum(row: Sequence[Any]) -> int:
    """CRC-32 of the columns of an article's row, the checksum left out; -1 if a type is wrong."""
    try:
        return zlib.crc32(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace"))
    except TypeError:
        return -1


def chunk_row(
    chunk_id: int,
    article: int,
    chunk: Chunk,
    vector: NDArray[np.float16],
    sentence_vectors: NDArray[np.float16],
) -> Row:
    """The row of a chunk."""
    row = (
        chunk_id,
        article,
        chunk.start,
        chunk.end,
        vector.tobytes(),
        np.asarray(chunk.sentences, dtype="<i4").tobytes(),
        sentence_vectors.tobytes(),
    )
    return (*row, _chunk_checksum(row))


def read_article(row: Sequence[Any]) -> CleanedArticle:
    """The article of a row, with what cleaning took out.

    Raises:
        IndexCorruptError: the row does not fit its checksum.
    """
    if article_checksum(row[:-1]) != row[-1]:
        raise IndexCorruptError(f"article {row[0]} is damaged")
    fields = dict(zip(ARTICLE_FIELDS, row, strict=True))
    known = {name: fields[name] for name in Article.model_fields if name in fields}
    metadata = json.loads(fields["metadata"])
    pages = tuple(metadata.pop(PAGES, ()))
    article = Article.model_validate({**known, "metadata": metadata, "pages": pages})
    removed = [Removed.model_validate(piece) for piece in json.loads(fields["removed"])]
    return CleanedArticle(article=article, removed=tuple(removed))


def read_chunk(row: Sequence[Any]) -> StoredChunk:
    """The chunk of a row.

    Raises:
        IndexCorruptError: the row does not fit its checksum.
    """
    if _chunk_checksum(row[:-1]) != row[-1]:
        raise IndexCorruptError(f"chunk {row[0]} is damaged")
    chunk_id, article, start, end, vector, sentences, sentence_vectors, _ = row
    flat = np.frombuffer(vector, dtype=STORED).astype(np.float32)
    return StoredChunk(
        chunk_id=chunk_id,
        article=article,
        start=start,
        end=end,
        vector=flat,
        sentences=np.frombuffer(sentences, dtype="<i4").reshape(-1, 2),
        sentence_vectors=np.frombuffer(sentence_vectors, dtype=STORED)
        .astype(np.float32)
        .reshape(-1, len(flat)),
    )


def _chunk_checksum(row: Sequence[Any]) -> int:
    numbers, blobs = row[:4], row[4:]
    try:
        checksum = zlib.crc32(struct.pack("<7q", *numbers, *map(len, blobs)))
        for blob in blobs:
            checksum = zlib.crc32(blob, checksum)
    except (TypeError, struct.error):  # damage can turn a number into a text
        return -1
    return checksum
