"""Where an index lies, who may write it, and how a new version goes live.

indexes/<name>/index.toml          written by people
indexes/<name>/CURRENT             the live version and a checksum; the only file ever replaced
indexes/<name>/LOCK                held while building; says who
indexes/<name>/staging/            the version being built
indexes/<name>/uploads/            files that people handed over: a source like any other
indexes/<name>/following/          questions that are followed, and their news
indexes/<name>/trash/              what is about to be deleted
indexes/<name>/versions/000007/    published versions, never changed
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from rag.errors import (
    IndexCorruptError,
    IndexLockedError,
    IndexMissingError,
    IndexWriteError,
    QuestionError,
)
from rag.index.config import FILE_NAME, IndexConfig, read_config

STAGING, UPLOADS = "staging", "uploads"
CATALOG = "articles.sqlite"
VECTORS = "vectors.faiss"
LEXICAL = "lexical"
VOCABULARY = "vocabulary"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VERSION = re.compile(r"\d{6,}")

Step = Callable[[str], None]
"""Called with the name of each step of a build once it is done; tests stop builds there."""


def no_step(name: str) -> None:
    """The `Step` that does nothing."""


class IndexFolder:
    """The folder of one index.

    Args:
        index_dir: The folder of indexes.
        name: Name of the index: letters, digits, `.`, `_`, `-`.

    Raises:
        QuestionError: the name could not be a folder's name (or leads elsewhere).
    """

    def __init__(self, index_dir: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise QuestionError(
                f"{name!r} is not a name of an index (letters, digits, '.', '_', '-')",
                mend="rag list",
            )
        self.name = name
        self.path = index_dir / name
        self.config_path = self.path / FILE_NAME
        self.staging = self.path / STAGING
        self.versions_path = self.path / "versions"
        self._trash = self.path / "trash"
        self._current_path = self.path / "CURRENT"

    def config(self) -> IndexConfig:
        """What `index.toml` says now (a published version has its own copy)."""
        return read_config(self.config_path)

    def current(self) -> int | None:
        """Number of the live version; None before the first build.

        Raises:
            IndexCorruptError: `CURRENT` does not hold the number that was written there.
        """
        path = self._current_path
        try:
            text = path.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return None
        except IsADirectoryError as error:
            raise self._pointer_is_a_folder() from error
        except OSError as error:
            problem = f"{path} cannot be read: {error.strerror}"
            raise IndexCorruptError(problem, mend=f"make {path} readable for you") from error
        name, *checksum = text.split(" ")
        # Before there was a checksum, the number stood alone.
        if not _VERSION.fullmatch(name) or checksum not in ([], [_checksum(name)]):
            raise IndexCorruptError(
                f"{path} is damaged: it holds {text[:40]!r}",
                mend=f"rag rollback {self.name}",
            )
        return int(name)

    def _pointer_is_a_folder(self) -> IndexCorruptError:
        return IndexCorruptError(
            f"{self._current_path} is a folder, and should be a file that names the live version",
            mend=f"rm -r '{self._current_path}', then rag rollback {self.name}",
        )

    def live(self) -> int:
        """Like `current`, for callers that need a version.

        Raises:
            IndexMissingError: nothing was built yet, or there is no such index.
        """
        number = self.current()
        if number is None:
            self.config()
            raise IndexMissingError(
                f"index {self.name!r} is not built yet ({self.path})",
                mend=f"rag build {self.name}",
            )
        return number

    def version_path(self, number: int) -> Path:
        """Folder of a version, whether it exists or not."""
        return self.versions_path / f"{number:06d}"

    def versions(self) -> list[int]:
        """Numbers of the published versions, oldest first."""
        if not self.versions_path.is_dir():
            return []
        names = (entry.name for entry in self.versions_path.iterdir() if entry.is_dir())
        return sorted(int(name) for name in names if _VERSION.fullmatch(name))

    def publish(self, step: Step = no_step) -> int:
        """Make the staging folder, complete with its manifest, the live version.

        Returns:
            Its number: one more than any before.
        """
        number = max(self.versions(), default=0) + 1
        self.versions_path.mkdir(exist_ok=True)
        for entry in sorted(self.staging.rglob("*")):
            _fsync(entry)
        _fsync(self.staging)
        step("staging synced")
        os.rename(self.staging, self.version_path(number))
        step("version renamed")
        _fsync(self.versions_path)
        step("version synced")
        self.set_current(number, step)
        return number

    def set_current(self, number: int, step: Step = no_step) -> None:
        """Make a published version the live one, atomically.

        Raises:
            IndexWriteError: `CURRENT` cannot be replaced.
        """
        fresh = self.path / "CURRENT.new"
        name = self.version_path(number).name
        with _writing(self._current_path):
            fresh.write_text(f"{name} {_checksum(name)}\n", encoding="ascii")
            _fsync(fresh)
            step("pointer written")
            os.replace(fresh, self._current_path)
            step("pointer replaced")
            _fsync(self.path)
            step("pointer synced")

    def prune(
        self,
        keep: int,
        step: Step = no_step,
        before: Callable[[Path], None] = lambda version: None,
    ) -> list[int]:
        """Delete all but the live version and the `keep - 1` newest before it.

        Versions above the live one go too: a killed build left them, or a rollback. Readers that
        have an old version open keep it until they close it.

        Args:
            keep: Versions to keep, the live one too.
            step: Told each step.
            before: Called with the folder of each version that is about to be deleted.

        Returns:
            Numbers of the deleted versions.

        Raises:
            IndexWriteError: one cannot be deleted.
        """
        live = self.live()
        older = [number for number in self.versions() if number < live]
        gone = older[: max(0, len(older) - (keep - 1))]
        gone += [number for number in self.versions() if number > live]
        with _writing(self.versions_path):
            self._delete(self._trash)
            for number in gone:
                before(self.version_path(number))
                # Renamed first: a version half deleted must not look like a version.
                os.rename(self.version_path(number), self._trash)
                step("old version set aside")
                self._delete(self._trash)
                step("old version deleted")
        return gone

    def clear_staging(self) -> None:
        """Delete what was being built."""
        self._delete(self.staging)

    def _delete(self, folder: Path) -> None:
        if folder.exists():
            shutil.rmtree(folder)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the right to write this index.

        Raises:
            IndexLockedError: another process holds it; the message says which.
            IndexWriteError: the folder of the index cannot be written.
            IndexCorruptError: `CURRENT` is a folder, which nothing that is built could replace.
        """
        if self._current_path.is_dir():
            raise self._pointer_is_a_folder()
        from filelock import FileLock, Timeout  # a tenth of a second, and only who writes needs it

        path = self.path / "LOCK"
        # What a killed process held is free, unlike with the locks that it could fall back to.
        lock = FileLock(path, blocking=False, fallback_to_soft=False, on_acquired=_sign)
        with _writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout as error:
                raise IndexLockedError(
                    f"index {self.name!r} is being built by {_holder(path)}",
                    mend="wait for it to end, then try again",
                ) from error
        try:
            yield
        finally:
            lock.release()


def index_names(index_dir: Path) -> list[str]:
    """Names of the indexes below a folder: those with an `index.toml`.

    A folder's name need not be one that an index may have.
    """
    if not index_dir.is_dir():
        return []
    return sorted(path.parent.name for path in index_dir.glob(f"*/{FILE_NAME}"))


def _sign(lock: int) -> None:
    """Write into a lock file that was just acquired who holds it."""
    os.ftruncate(lock, 0)
    holder = {"pid": os.getpid(), "host": socket.gethostname()}
    os.pwrite(lock, json.dumps(holder).encode(), 0)


def _holder(lock: Path) -> str:
    try:
        holder = json.loads(lock.read_bytes())
        return f"process {holder['pid']} on {holder['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _checksum(name: str) -> str:
    """What tells that the name of a version is the one that was written."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damaged(version: Path, problem: str) -> IndexCorruptError:
    """The error for damage in the folder of a version, with what mends it."""
    index = version.parent if version.name == STAGING else version.parent.parent
    mend = f"rag build {index.name} --full"
    others = [e.name for e in version.parent.glob("[0-9]*") if e.name < version.name]
    if others and version.name != STAGING:
        mend = f"rag rollback {index.name}   (to version {max(others)}), or {mend}"
    return IndexCorruptError(f"{version}: {problem}", mend=mend)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_written(path, error.strerror or str(error)) from error


def not_written(path: Path, problem: str) -> IndexWriteError:
    """The error for a file that cannot be written, with what mends it.

    The mend follows from the state of the disk, whatever words or codes a library has for it.
    """
    folder = next(parent for parent in (path, *path.parents) if parent.is_dir())
    free = shutil.disk_usage(folder).free / 1e6
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        told, mend = "", f"make the file system of {folder.absolute()} writable"
    elif not os.access(folder, os.W_OK):
        told, mend = "", f"make {folder.absolute()} writable for you"
    else:
        told, mend = f" ({free:,.0f} MB are free there)", "free space there, or raise `ulimit -f`"
    return IndexWriteError(
        f"{path} cannot be written: {problem}{told}; the live version is as it was",
        mend=f"{mend}, then run the same command: what is done is not done again",
    )
