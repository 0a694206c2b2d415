"""Questions, what was told, and which articles were seen: one SQLite file beside the index.

A round of looking for news writes in one transaction, so that a killed one neither loses a story
nor tells it twice. Rounds of several processes follow one another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.errors import ExistsError, IndexCorruptError, IndexLockedError, NotFoundError
from rag.following.followed import Followed, News
from rag.index.database import Database
from rag.index.layout import IndexFolder, Step, no_step, not_written

_FILE = "questions.sqlite"
_WAIT_SECONDS = 60
_SCHEMA = """
CREATE TABLE IF NOT EXISTS followed (name TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS news (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again
    followed TEXT NOT NULL,
    json TEXT NOT NULL                         -- of News, without the number
);
CREATE INDEX IF NOT EXISTS news_followed ON news (followed, number);
CREATE TABLE IF NOT EXISTS seen (key INTEGER PRIMARY KEY);  -- see rag.following.news
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def following_path(folder: IndexFolder) -> Path:
    """The folder in which all of this lies; it need not be there."""
    return folder.path / "following"


class Store:
    """What is followed in one index. Safe to use from several threads.

    Args:
        database: Open for writing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def exists(cls, folder: IndexFolder) -> bool:
        """Whether anything was ever followed there."""
        return (following_path(folder) / _FILE).is_file()

    @classmethod
    @contextlib.contextmanager
    def reading(cls, folder: IndexFolder) -> Iterator[Self]:
        """What is stored, to look at.

        Raises:
            IndexCorruptError: the file is damaged.
        """
        path = following_path(folder) / _FILE
        with _told_apart(path), contextlib.closing(Database.create(path, _SCHEMA)) as database:
            yield cls(database)

    @classmethod
    @contextlib.contextmanager
    def turn(cls, folder: IndexFolder) -> Iterator[Self]:
        """What is stored, to be changed: nobody else changes it meanwhile.

        Raises:
            IndexMissingError: there is no such index.
            IndexLockedError: another process has it, and keeps it for long.
            IndexWriteError: it cannot be written.
            IndexCorruptError: the file is damaged.
        """
        from filelock import FileLock, Timeout

        folder.config()  # there is no question without an index
        path = following_path(folder)
        lock = FileLock(path / "LOCK", timeout=_WAIT_SECONDS, fallback_to_soft=False)
        try:
            path.mkdir(exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise IndexLockedError(
                f"another process looks for news in index {folder.name!r}",
                mend="wait for it to end, then try again",
            ) from error
        except OSError as error:
            raise not_written(path, error.strerror or str(error)) from error
        try:
            with cls.reading(folder) as store:
                yield store
        finally:
            lock.release()

    def followed(self) -> list[Followed]:
        """The questions, by name."""
        rows = self._database.rows("SELECT json FROM followed ORDER BY name")
        return [Followed.model_validate_json(text) for (text,) in rows]

    def keep(self, question: Followed) -> None:
        """Add a question.

        Raises:
            ExistsError: there is one of its name.
        """
        if self._database.row("SELECT 1 FROM followed WHERE name=?", (question.name,)):
            raise ExistsError(
                f"a question called {question.name!r} is followed already",
                mend=f"give it another --name, or rag follow remove {question.name}",
            )
        row = question.name, question.model_dump_json()
        self._database.run("INSERT INTO followed VALUES (?, ?)", row)

    def forget(self, name: str) -> None:
        """Remove a question and what was told about it.

        Raises:
            NotFoundError: there is none of that name.
        """
        if not self._database.row("SELECT 1 FROM followed WHERE name=?", (name,)):
            raise NotFoundError(
                f"no question called {name!r} is followed", mend="rag follow list lists them"
            )
        with self._database.transaction():
            self._database.run("DELETE FROM followed WHERE name=?", (name,))
            self._database.run("DELETE FROM news WHERE followed=?", (name,))

    def seen(self) -> NDArray[np.int64]:
        """Keys of what was looked at before, ascending."""
        rows = self._database.rows("SELECT key FROM seen ORDER BY key")
        return np.array([key for (key,) in rows], dtype=np.int64)

    def state(self, key: str) -> str | None:
        """Something noted, such as up to which version was looked."""
        row = self._database.row("SELECT value FROM state WHERE key=?", (key,))
        return None if row is None else str(row[0])

    def note(self, key: str, value: str) -> None:
        """Note something."""
        self._database.run("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))

    def record(
        self, news: Iterable[News], seen: Collection[int], looked: str, step: Step = no_step
    ) -> list[News]:
        """Write down a round: all of it or nothing.

        Args:
            news: What is told; gets its numbers here.
            seen: Keys of what was looked at.
            looked: Which version that was.
            step: Called with `written` before it counts.
        """
        told = []
        with self._database.transaction():
            for one in news:
                row = one.followed, one.model_dump_json(exclude={"number"})
                self._database.run("INSERT INTO news (followed, json) VALUES (?, ?)", row)
                told.append(one.model_copy(update={"number": self.last_number()}))
            self._database.run_many(
                "INSERT OR IGNORE INTO seen VALUES (?)", ((key,) for key in seen)
            )
            self.note("looked", looked)
            step("written")
        return told

    def last_number(self) -> int:
        """Number of the last piece of news; 0 before there is any."""
        row = self._database.row("SELECT seq FROM sqlite_sequence WHERE name='news'")
        return int(row[0]) if row else 0

    def news(self, name: str | None = None, *, after: int = 0, limit: int = 100) -> list[News]:
        """What was told, in order.

        Args:
            name: Only about this question.
            after: Only with higher numbers.
            limit: At most so many, at least 1.
        """
        rows = self._database.rows(
            f"SELECT number, json FROM news WHERE number > ? {_of(name)} ORDER BY number LIMIT ?",
            (after, *([name] if name else []), limit),
        )
        return [_read(*row) for row in rows]

    def newest(self, name: str | None = None, *, limit: int) -> list[News]:
        """What was told last, the newest first. Arguments: see `news`."""
        rows = self._database.rows(
            f"SELECT number, json FROM news WHERE number > 0 {_of(name)}"
            " ORDER BY number DESC LIMIT ?",
            (*([name] if name else []), limit),
        )
        return [_read(*row) for row in rows]


def _of(name: str | None) -> str:
    return "AND followed = ?" if name else ""


def _read(number: int, text: str) -> News:
    return News.model_validate_json(f'{{"number":{number},{text[1:]}')


@contextlib.contextmanager
def _told_apart(path: Path) -> Iterator[None]:
    """Damage here is none of the index, and not mended by building it."""
    try:
        yield
    except IndexCorruptError as error:
        if str(path.name) not in error.message:
            raise
        raise IndexCorruptError(
            f"{path} is damaged: the questions that are followed cannot be read",
            mend=f"put a copy of it in its place, or rm '{path}' and follow them anew",
        ) from error
