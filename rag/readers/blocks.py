"""Blocks: the bytes of a few articles as a file holds them, and the articles that they state.

Bytes are read in one place and may be parsed in another: a block says all that parsing needs.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from rag.readers.csv_files import rows
from rag.readers.files import SourceFile, unknown_kind
from rag.readers.formats import (
    LINES,
    ROWS,
    check_installed,
    container,
    format_of,
    is_harmless,
    read_file,
    reader,
)
from rag.readers.json_lines import bounded_lines, line_articles, open_lines
from rag.readers.reader import START_BYTES, Container, Found, Origin
from rag.readers.skipped import UnreadableError, system_reason

BLOCK_BYTES = 2**18
READING = 4
"""To be raised when the same bytes are read as another article, or skipped for another reason."""
_MARKUP = b'"html"'  # a field of JSON lines that holds a page
MAX_DEPTH = 3
"""Files inside files inside files: one that lies deeper is skipped."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines of a JSON lines file, or a whole file of another format.

    Attributes:
        shown: The file, as in `Article.path`.
        first: Number of the first line; None for a whole file.
        lines: Bytes as they stand in the file; text where a byte order mark tells the encoding;
            None for a line that is too long.
        problem: Why the file cannot be read (further), instead of lines.
        format: Of a whole file, the name of its reader.
        url: Where it was found, if its container says so.
        depth: In how many other files it lies.
        number: Of the entry that it is, where its container only counts them.
    """

    shown: str
    first: int | None
    lines: tuple[bytes | str | None, ...]
    problem: str | None = None
    format: str = "text"
    url: str | None = None
    depth: int = 0
    number: int | None = None

    @property
    def is_harmless(self) -> bool:
        """Whether it may be parsed anywhere; otherwise where it can be ended."""
        if self.first is None:
            return self.problem is not None or is_harmless(self.format)
        return not any(_MARKUP in line for line in self.lines if isinstance(line, bytes))


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
            with open(self.file.path, "rb") as stream:
                kind = format_of(self.file.path, stream.read(START_BYTES))
                stream.seek(0)
                if kind == LINES:
                    with open_lines(self.file.path) as lines:
                        yield from self._lines(lines)
                    return
                yield from blocks_of(kind, stream, Origin(shown))
                stream.seek(0)
                self.state = _state_of(stream)
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


def blocks_of(kind: str | None, stream: IO[bytes], origin: Origin) -> Iterator[Block]:
    """The blocks of a file of a format, or of one inside another.

    Args:
        kind: Name of the format; None if it is unknown.
        stream: Its bytes.
        origin: Where they come from.

    Raises:
        UnreadableError: it cannot be read (further).
        MissingExtraError: the library that reads this format is not installed.
    """
    if kind is not None:
        check_installed(kind)  # here, and not recorded: with it the file can be read
    if kind == ROWS:
        yield from _row_blocks(stream, origin)
    elif kind == LINES:  # inside another file
        yield from _line_blocks(bounded_lines(stream.readline), origin.path)
    elif kind is None:
        yield _problem(origin, unknown_kind(origin.path))
    elif (files := container(kind)) is not None:
        yield from _members(files, stream, origin)
    else:
        data = stream.read(reader(kind).max_bytes + 1)
        if len(data) > reader(kind).max_bytes:
            size = stream.seek(0, os.SEEK_END)
            raise UnreadableError(
                f"too big for one article: {size:,} bytes, at most {reader(kind).max_bytes:,}"
            )
        where = (origin.url, origin.depth, origin.number)
        yield Block(origin.path, None, (data,), None, kind, *where)


def _members(files: Container, stream: IO[bytes], origin: Origin) -> Iterator[Block]:
    if origin.depth >= MAX_DEPTH:
        raise UnreadableError(f"lies in more than {MAX_DEPTH} files")
    n_members = 0
    for member in files.members(stream):
        n_members += 1
        path = f"{origin.path}/{member.name}" if member.name else origin.path
        number = member.number if member.number is not None else origin.number
        inner = Origin(path, member.url, origin.depth + 1, number)
        if member.data is None:
            yield _problem(inner, member.problem or "unreadable")
            continue
        hint = member.name or member.hint or origin.path.removesuffix(".gz")
        try:
            kind_of_member = format_of(hint, member.data[:START_BYTES])
            yield from blocks_of(kind_of_member, io.BytesIO(member.data), inner)
        except UnreadableError as error:
            yield _problem(inner, str(error))
    if not n_members:
        raise UnreadableError("nothing in it")


def _problem(origin: Origin, reason: str) -> Block:
    return Block(origin.path, None, (), reason, number=origin.number)


def _row_blocks(stream: IO[bytes], origin: Origin) -> Iterator[Block]:
    lines = (json.dumps(fields, ensure_ascii=False).encode() for fields in rows(stream))
    yield from _line_blocks(lines, origin.path, first=2)  # the first row has the names


def _line_blocks(lines: Iterator[bytes | None], shown: str, first: int = 1) -> Iterator[Block]:
    """Lines put together to blocks."""
    block: list[bytes | None] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line or b"")
        if size >= BLOCK_BYTES:
            yield Block(shown, first, tuple(block))
            first += len(block)
            block, size = [], 0
    if block:
        yield Block(shown, first, tuple(block))


def _state_of(stream: IO[bytes]) -> FileState:
    digest = hashlib.sha256()
    n_bytes = 0
    while part := stream.read(2**20):
        digest.update(part)
        n_bytes += len(part)
    return FileState(n_bytes, digest.hexdigest(), None)


def articles_of(block: Block) -> Iterator[Found]:
    """The articles of a block, and why others are none; blank lines are passed over."""
    if block.problem is not None:
        yield block.number, block.problem
    elif block.first is None:
        (data,) = block.lines
        assert isinstance(data, bytes)
        origin = Origin(block.shown, block.url, block.depth, block.number)
        for number, found in read_file(block.format, data, origin):
            yield number if block.number is None else block.number, found
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
