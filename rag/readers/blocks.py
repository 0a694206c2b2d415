"""Blocks: the bytes of a few articles as a file holds them, and the articles that they state.

Bytes are read in one place and may be parsed in another: a block says all that parsing needs.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from rag.article import Article
from rag.readers.files import SourceFile
from rag.readers.json_lines import bounded_lines, line_articles, open_lines
from rag.readers.skipped import UnreadableError, system_reason
from rag.readers.text_files import read_text, text_article

BLOCK_BYTES = 2**18
READING = 3
"""To be raised when the same bytes are read as another article, or skipped for another reason."""

Found = tuple[int | None, Article | str]
"""Number of a line (None for a whole file), and its article or why there is none."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines of a JSON lines file, or a whole text file.

    Attributes:
        shown: The file, as in `Article.path`.
        first: Number of the first line; None for a text file.
        lines: Bytes as they stand in the file; text where a byte order mark tells the encoding;
            None for a line that is too long.
        problem: Why the file cannot be read (further), instead of lines.
    """

    shown: str
    first: int | None
    lines: tuple[bytes | str | None, ...]
    problem: str | None = None


@dataclass(slots=True)
class FileState:
    """How much of a file was read: equal states of a file, equal articles in it.

    Attributes:
        n_bytes, sha256: Of the bytes.
        n_lines: Lines in them; None unless they are lines that end in a line break, so that what
            is appended to the file are further lines.
    """

    n_bytes: int
    sha256: str
    n_lines: int | None


class BlockReader:
    """Reads a file block by block.

    Args:
        file: The file.
        behind: The state of its beginning, which is passed over; None reads all of it.

    Attributes:
        file: The file.
        state: Of what was read, once `blocks` has ended; None if it could not be read whole, or
            is in an encoding that a byte order mark tells.
    """

    def __init__(self, file: SourceFile, behind: FileState | None = None) -> None:
        self.file = file
        self._behind = behind
        self.state: FileState | None = None

    def blocks(self) -> Iterator[Block]:
        """The blocks of the file, in order."""
        shown = self.file.shown
        try:
            if self.file.is_lines:
                with open_lines(self.file.path) as stream:
                    yield from self._lines(stream)
                return
            data = read_text(self.file.path)
            self.state = FileState(len(data), hashlib.sha256(data).hexdigest(), None)
            yield Block(shown, None, (data,))
        except UnreadableError as error:
            yield Block(shown, None, (), str(error))
        except OSError as error:
            yield Block(shown, None, (), system_reason(error))
        except UnicodeError as error:
            yield Block(shown, None, (), f"broken text: {error}")

    def _lines(self, stream: IO[Any]) -> Iterator[Block]:
        counted = _Counted(stream)
        n_lines = 0
        if self._behind is not None and self._behind.n_lines is not None:
            counted.skip(self._behind.n_bytes)
            n_lines = self._behind.n_lines
        lines: list[bytes | str | None] = []
        size = 0
        try:
            for line in bounded_lines(counted.readline):
                lines.append(line)
                size += len(line or "")
                if size >= BLOCK_BYTES:
                    yield Block(self.file.shown, n_lines + 1, tuple(lines))
                    n_lines += len(lines)
                    lines, size = [], 0
        except (OSError, UnicodeError):
            yield Block(self.file.shown, n_lines + 1, tuple(lines))
            raise
        yield Block(self.file.shown, n_lines + 1, tuple(lines))
        self.state = counted.state(n_lines + len(lines))


class _Counted:
    """A stream of lines of which the bytes are counted and hashed."""

    def __init__(self, stream: IO[Any]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._n_bytes = 0
        self._last: bytes | str = b"\n"

    def readline(self, limit: int) -> Any:
        part = self._stream.readline(limit)
        if part:
            self._last = part
        if isinstance(part, bytes):
            self._digest.update(part)
            self._n_bytes += len(part)
        return part

    def skip(self, n_bytes: int) -> None:
        _hash(self._stream, n_bytes, self._digest)
        self._n_bytes += n_bytes

    def state(self, n_lines: int) -> FileState | None:
        if isinstance(self._last, str):
            return None
        whole = self._last.endswith(b"\n")
        return FileState(self._n_bytes, self._digest.hexdigest(), n_lines if whole else None)


def articles_of(block: Block) -> Iterator[Found]:
    """The articles of a block, and why others are none; blank lines are passed over."""
    if block.problem is not None:
        yield None, block.problem
    elif block.first is None:
        (data,) = block.lines
        assert isinstance(data, bytes)
        yield None, text_article(data, block.shown)
    else:
        yield from line_articles(block.lines, block.first, block.shown)


def begins_with(file: SourceFile, state: FileState) -> bool | None:
    """Whether a file is in that state (True), goes on behind it (None), or is another (False)."""
    try:
        n_bytes = os.path.getsize(file.path)
        if n_bytes != state.n_bytes and (n_bytes < state.n_bytes or state.n_lines is None):
            return False
        digest = hashlib.sha256()
        with open(file.path, "rb") as stream:
            _hash(stream, state.n_bytes, digest)
            more = bool(stream.read(1))
    except OSError:
        return False
    if digest.hexdigest() != state.sha256 or (more and state.n_lines is None):
        return False
    return None if more else True


def _hash(stream: IO[bytes], n_bytes: int, digest: Any) -> None:
    while n_bytes > 0 and (part := stream.read(min(n_bytes, 2**20))):
        digest.update(part)
        n_bytes -= len(part)
