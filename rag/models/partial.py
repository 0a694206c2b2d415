"""A file of a model on its way: written piece by piece, its sha256 computed as it grows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rag.models.known import ModelFile

Report = Callable[[int, str], None]
"""Called with the bytes that came in since the last call (below 0: taken back), and for what."""

CHUNK_BYTES = 4 << 20


class SourceFailed(Exception):  # noqa: N818 - not for users: `pull` turns it into a ModelError
    """A source did not deliver a model, or not the right one; the message says why."""


def wrong_file(expected: ModelFile, sha256: str, n_bytes: int) -> SourceFailed:
    """What to raise when a source gave other bytes than those of the model."""
    return SourceFailed(
        f"{expected.name} came with sha256 {sha256} ({n_bytes:,} bytes), "
        f"not {expected.sha256} ({expected.n_bytes:,} bytes)"
    )


class StagedFile:
    """One file that is being put together. A context manager; leaving it closes the file.

    Args:
        path: Where to write, from the beginning; missing folders are made.
        report: Told of every byte written or taken back.
    """

    def __init__(self, path: Path, report: Report) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w+b")
        self._path = path
        self._report = report
        self._digest = hashlib.sha256()
        self.n_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, chunk: bytes, what: str) -> None:
        """Appends bytes; `what` is passed on to the report."""
        self._file.write(chunk)
        self._account(chunk, what)

    @contextmanager
    def whole_or_nothing(self) -> Iterator[None]:
        """What was written within is taken back when it ends in an exception."""
        start, digest = self.n_bytes, self._digest.copy()
        try:
            yield
        except BaseException:
            self._cut(start)
            self._digest = digest
            raise

    def finish(self, expected: ModelFile) -> None:
        """Flushes to the disk and compares the sha256; a wrong file is emptied.

        Raises:
            SourceFailed: it is not the file that was expected.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        found, n_bytes = self._digest.hexdigest(), self.n_bytes
        if found != expected.sha256:
            self._cut(0)
            self._digest = hashlib.sha256()
            raise wrong_file(expected, found, n_bytes)

    def _account(self, chunk: bytes, what: str) -> None:
        self._digest.update(chunk)
        self.n_bytes += len(chunk)
        self._report(len(chunk), what)

    def _cut(self, n_bytes: int) -> None:
        taken_back, self.n_bytes = self.n_bytes - n_bytes, n_bytes
        self._file.seek(n_bytes)
        self._file.truncate()
        self._report(-taken_back, self._path.name)
