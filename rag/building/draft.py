"""The catalog while a version is built: a transaction per batch of articles.

A killed build goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.building.inputs import Input
from rag.building.known_stories import Stories
from rag.index.catalog import Catalog
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
        return cls(Database.create(path, SCHEMA))

    @property
    def database(self) -> Database:
        """The file, for what else is kept in it."""
        return self._database

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
        number = int(self.meta("next_article") or 1)
        chunk_id = int(self.meta("next_chunk") or 1)
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
        insert(f"INSERT INTO articles VALUES ({_marks(ARTICLE_COLUMNS)})", article_rows)
        insert(f"INSERT INTO chunks VALUES ({_marks(CHUNK_COLUMNS)})", chunk_rows)
        self.set_meta("next_article", str(number))
        self.set_meta("next_chunk", str(chunk_id))

    def remove(self, article_ids: Iterable[str]) -> None:
        """Remove articles with their chunks, those that are there (inside a transaction)."""
        run = self._database.run
        for article_id in article_ids:
            query = "SELECT number FROM articles WHERE article_id=?"
            row = self._database.row(query, (article_id,))
            if row is not None:
                run("DELETE FROM chunks WHERE article=?", row)
                run("DELETE FROM articles WHERE number=?", row)

    def set_path(self, article_id: str, path: str | None) -> None:
        """Note where an unchanged article lies now (inside a transaction)."""
        query = f"SELECT {ARTICLE_COLUMNS} FROM articles WHERE article_id=?"
        (row,) = self._database.rows(query, (article_id,))
        with self._checked():
            read_article(row)  # damage must not get a checksum that fits it
        values = list(row[:-1])
        values[ARTICLE_FIELDS.index("path")] = path
        self._database.run(
            f"INSERT OR REPLACE INTO articles VALUES ({_marks(ARTICLE_COLUMNS)})",
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

    def finish(self, stories: Stories, boilerplate: NDArray[np.int64]) -> Columns:
        """End building: columns written, everything in the one file, closed."""
        columns = self._make_columns(stories, boilerplate)
        with self.transaction():
            self._database.run("DELETE FROM columns")
            self._database.run_many("INSERT INTO columns VALUES (?, ?, ?)", columns.pack())
        self._database.finish()
        return columns

    def _make_columns(self, stories: Stories, boilerplate: NDArray[np.int64]) -> Columns:
        days: dict[int, int] = {}
        places: dict[int, int] = {}
        names: dict[str, int] = {}
        keys: list[int] = []
        for number, article_id, published, source in self._database.rows(
            "SELECT number, article_id, published, source FROM articles"
            " INDEXED BY articles_heads ORDER BY number"
        ):
            keys.append(article_key(article_id))
            days[number] = day_number(published)
            places[number] = NO_SOURCE if source is None else names.setdefault(source, len(names))
        pairs = self._database.rows(
            "SELECT chunk_id, article FROM chunks INDEXED BY chunks_article"
        )
        pairs.sort()
        members, repeats = stories.members, stories.repeats
        return Columns(
            chunk_ids=np.array([chunk_id for chunk_id, _ in pairs], dtype=np.int64),
            days=np.array([days[number] for _, number in pairs], dtype=np.int32),
            sources=np.array([places[number] for _, number in pairs], dtype=np.int32),
            source_names=tuple(names),
            article_numbers=np.array(list(days), dtype=np.int64),
            article_keys=np.array(keys, dtype=np.int64),
            firsts=np.array([members[n].first if n in members else n for n in days], np.int64),
            newest=np.array([members[n].newest if n in members else n for n in days], np.int64),
            repeats=np.array([repeats.get(chunk_id, 0) for chunk_id, _ in pairs], np.int64),
            boilerplate=boilerplate,
        )


def _marks(columns: str) -> str:
    return ",".join("?" * (columns.count(",") + 1))
