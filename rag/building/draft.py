"""The catalog while a version is built: a transaction per batch of articles.

A killed build goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.building.inputs import Input
from rag.index.catalog import HAS_EARLIER, Catalog
from rag.index.columns import NO_SOURCE, Columns, article_key
from rag.index.database import Database, Row
from rag.index.rows import (
    ARTICLE_COLUMNS,
    ARTICLE_FIELDS,
    CHUNK_COLUMNS,
    SCHEMA,
    EmbeddedArticle,
    article_checksum,
    article_row,
    chunk_row,
    day_number,
    read_article,
)
from rag.readers import READING, Skipped

_READING = "reading"


class DraftCatalog(Catalog):
    """An `articles.sqlite` that is being written."""

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open for building; makes the file and its tables where they are missing.

        Raises:
            IndexWriteError: it cannot be written.
            IndexCorruptError: it is no catalog.
        """
        return cls._of(Database.create(path, SCHEMA))

    @classmethod
    def create_changes(cls, path: Path) -> Self:
        """Like `create`, of a catalog that holds what changes of `earlier.sqlite` beside it."""
        draft = cls.create(path)
        try:
            draft._read_earlier()
            with draft.transaction():
                for table in ("meta", "inputs"):
                    draft._database.run(f"INSERT INTO main.{table} SELECT * FROM earlier.{table}")
                draft.set_meta(HAS_EARLIER, "yes")
        except BaseException:
            draft.close()
            raise
        return draft

    def merge(self, changes: Path) -> None:
        """Take in what another catalog says has changed of this one."""
        run = self._database.run
        self._database.attach(changes, "changes")
        with self.transaction():
            gone = "(SELECT number FROM changes.gone)"
            run(f"DELETE FROM chunks WHERE article IN {gone}")
            run(f"DELETE FROM articles WHERE number IN {gone}")
            for table in ("meta", "inputs"):
                run(f"DELETE FROM {table}")
            for table in ("articles", "chunks", "meta", "inputs"):
                run(f"INSERT OR REPLACE INTO {table} SELECT * FROM changes.{table}")
            run("DELETE FROM meta WHERE key=?", (HAS_EARLIER,))

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing.

        Raises:
            IndexWriteError: the disk is full, or cannot be written for another reason.
        """
        return self._database.transaction()

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value with the catalog (inside a transaction)."""
        self._database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def add(self, articles: Sequence[EmbeddedArticle]) -> None:
        """Store articles with their chunks, in place of any with the same ids (in a transaction).

        Numbers of articles and chunks only ever grow, so that an id never changes its meaning.
        """
        self.remove([article.cleaned.article.article_id for article in articles])
        number, chunk_id = self._next("next_article"), self._next("next_chunk")
        article_rows: list[Row] = []
        chunk_rows: list[Row] = []
        for article in articles:
            article_rows.append(article_row(number, article.cleaned, article.content_hash))
            for chunk, vector, sentence_vectors in zip(
                article.chunks, article.vectors, article.sentence_vectors, strict=True
            ):
                chunk_rows.append(chunk_row(chunk_id, number, chunk, vector, sentence_vectors))
                chunk_id += 1
            number += 1
        insert = self._database.run_many
        insert(f"INSERT INTO main.articles VALUES ({_marks(ARTICLE_COLUMNS)})", article_rows)
        insert(f"INSERT INTO main.chunks VALUES ({_marks(CHUNK_COLUMNS)})", chunk_rows)
        self.set_meta("next_article", str(number))
        self.set_meta("next_chunk", str(chunk_id))

    def _next(self, key: str) -> int:
        known = int(self.meta(key) or 1)
        if not self.has_earlier:
            return known
        # What was linked was not hashed; its columns have a checksum.
        earlier = self._earlier_columns
        used = earlier.chunk_ids if key == "next_chunk" else earlier.article_numbers
        return max(known, int(used.max(initial=0)) + 1)

    @cached_property
    def _earlier_columns(self) -> Columns:
        rows = self._database.rows("SELECT name, data, checksum FROM earlier.columns")
        with self._checked():
            return Columns.unpack(rows)

    def remove(self, article_ids: Iterable[str]) -> None:
        """Remove articles with their chunks, those that are there (inside a transaction)."""
        run = self._database.run
        for article_id in article_ids:
            query = "SELECT number FROM articles WHERE article_id=?"
            row = self._database.row(query, (article_id,))
            if row is not None:
                run("DELETE FROM main.chunks WHERE article=?", row)
                run("DELETE FROM main.articles WHERE number=?", row)
                if self.has_earlier:
                    run("INSERT OR IGNORE INTO gone VALUES (?)", row)

    def set_path(self, article_id: str, path: str | None) -> None:
        """Note where an unchanged article lies now (inside a transaction)."""
        query = f"SELECT {ARTICLE_COLUMNS} FROM articles WHERE article_id=?"
        (row,) = self._database.rows(query, (article_id,))
        with self._checked():
            read_article(row)  # damage must not get a checksum that fits it
        values = list(row[:-1])
        values[ARTICLE_FIELDS.index("path")] = path
        self._database.run(
            f"INSERT OR REPLACE INTO main.articles VALUES ({_marks(ARTICLE_COLUMNS)})",
            (*values, article_checksum(values)),
        )

    def set_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Replace the list of what was skipped (inside a transaction)."""
        self._database.run("DELETE FROM skipped")
        self._database.run_many(
            "INSERT INTO skipped VALUES (?, ?, ?)",
            ((item.path, item.line, item.reason) for item in skipped),
        )

    def inputs(self) -> dict[str, Input]:
        """What each source file came to, by its path; nothing if files were read otherwise then."""
        if self.meta(_READING) != str(READING):
            return {}
        rows = self._database.rows("SELECT path, n_bytes, sha256, n_lines, entries FROM inputs")
        return {row[0]: Input.of(row[1:]) for row in rows}

    def set_inputs(self, paths: Iterable[str], new: Mapping[str, Input]) -> None:
        """Note what source files came to, and forget those that are gone (inside a transaction).

        Args:
            paths: Every file.
            new: Those of which something else is to be noted.
        """
        if self.meta(_READING) != str(READING):
            self._database.run("DELETE FROM inputs")
            self.set_meta(_READING, str(READING))
        stored = {path for (path,) in self._database.rows("SELECT path FROM inputs")}
        gone = ((path,) for path in sorted(stored - set(paths)))
        self._database.run_many("DELETE FROM inputs WHERE path=?", gone)
        rows = (known.row(path) for path, known in new.items())
        self._database.run_many("INSERT OR REPLACE INTO inputs VALUES (?, ?, ?, ?, ?)", rows)

    def finish(self) -> Columns:
        """End building: columns written, everything in the one file, closed."""
        columns = self._make_columns()
        with self.transaction():
            self._database.run("DELETE FROM main.columns")
            self._database.run_many("INSERT INTO main.columns VALUES (?, ?, ?)", columns.pack())
        self._database.finish()
        return columns

    def _make_columns(self) -> Columns:
        own = self._own_columns()
        if not self.has_earlier:
            return own
        earlier = self._earlier_columns
        gone = "(SELECT number FROM main.gone)"
        chunks = self._database.rows(f"SELECT chunk_id FROM earlier.chunks WHERE article IN {gone}")
        articles = self._database.rows("SELECT number FROM main.gone")
        # One that only moved stands in both.
        articles += [(number,) for number in own.article_numbers.tolist()]
        return earlier.without(_numbers(articles), _numbers(chunks)).joined(own)

    def _own_columns(self) -> Columns:
        days: dict[int, int] = {}
        places: dict[int, int] = {}
        names: dict[str, int] = {}
        keys: list[int] = []
        for number, article_id, published, source in self._database.rows(
            "SELECT number, article_id, published, source FROM main.articles"
            " INDEXED BY articles_heads ORDER BY number"
        ):
            keys.append(article_key(article_id))
            days[number] = day_number(published)
            places[number] = NO_SOURCE if source is None else names.setdefault(source, len(names))
        pairs = self._database.rows(
            "SELECT chunk_id, article FROM main.chunks INDEXED BY chunks_article"
        )
        pairs.sort()
        return Columns(
            chunk_ids=np.array([chunk_id for chunk_id, _ in pairs], dtype=np.int64),
            days=np.array([days[number] for _, number in pairs], dtype=np.int32),
            sources=np.array([places[number] for _, number in pairs], dtype=np.int32),
            source_names=tuple(names),
            article_numbers=np.array(list(days), dtype=np.int64),
            article_keys=np.array(keys, dtype=np.int64),
        )


def _numbers(rows: Sequence[Row]) -> NDArray[np.int64]:
    return np.array([number for (number,) in rows], dtype=np.int64)


def _marks(columns: str) -> str:
    return ",".join("?" * (columns.count(",") + 1))
