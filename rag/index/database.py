"""SQLite: one file opened for writing or for reading, its errors translated."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from rag.index.layout import damaged, not_written

Row = tuple[Any, ...]
_MAX_VARIABLES = 900  # SQLite's own limit was 999 for long
# A build writes gigabytes: fewer and longer runs of copying the log into the file.
_CHECKPOINT_PAGES = 16_384


class Database:
    """A SQLite file. Safe to use from several threads: they take turns.

    Attributes:
        path: The file.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def create(cls, path: Path, schema: str) -> Self:
        """Open for writing; makes the file, and by `schema` the tables that are missing.

        Raises:
            IndexWriteError: it cannot be written.
            IndexCorruptError: it is no SQLite file.
        """
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        database = cls(connection, path)
        # WAL with NORMAL survives a killed process; the finished file is synced before it counts.
        database.run("PRAGMA journal_mode=WAL")
        database.run("PRAGMA synchronous=NORMAL")
        database.run(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        with database._translated():
            database._connection.executescript(f"BEGIN;{schema}COMMIT;")
        return database

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file that never changes: read-only, without lock files.

        Raises:
            IndexCorruptError: it does not open.
        """
        try:
            uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            return cls(sqlite3.connect(uri, uri=True, check_same_thread=False), path)
        except sqlite3.Error as error:
            raise damaged(path.parent, f"{path.name} does not open: {error}") from error

    def close(self) -> None:
        """Close the file. Nothing can be read afterwards."""
        with self._lock:
            self._connection.close()

    def finish(self) -> None:
        """End writing: everything into the one file, no side files left, closed."""
        self.run("PRAGMA journal_mode=DELETE")
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; other threads wait.

        Raises:
            IndexWriteError: the disk is full, or cannot be written for another reason.
        """
        with self._lock:
            self.run("BEGIN IMMEDIATE")
            try:
                yield
                self.run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back when a disk is full
                    self.run("ROLLBACK")
                raise

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        """Execute a statement that writes."""
        with self._lock, self._translated():
            self._connection.execute(statement, tuple(values))

    def run_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement that writes, once for each row."""
        with self._lock, self._translated():
            self._connection.executemany(statement, rows)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        with self._lock, self._translated():
            return self._connection.execute(query, tuple(values)).fetchall()

    def row(self, query: str, values: Sequence[object] = ()) -> Row | None:
        """The first row of a query; None if there is none."""
        return next(iter(self.rows(query, values)), None)

    def rows_in(self, query: str, numbers: Sequence[int]) -> Iterator[Row]:
        """All rows of a query that ends in `IN`, for these numbers."""
        for at in range(0, len(numbers), _MAX_VARIABLES):
            part = [int(number) for number in numbers[at : at + _MAX_VARIABLES]]
            yield from self.rows(f"{query} ({','.join('?' * len(part))})", part)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # a mistake of ours, such as reading after closing
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith(_CANNOT_WRITE):
                raise not_written(self.path, str(error)) from error
            problem = f"{self.path.name} cannot be read: {error}"
            raise damaged(self.path.parent, problem) from error


_CANNOT_WRITE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
