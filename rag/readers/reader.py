"""Readers: what a module that reads one format has to offer.

A reader turns the bytes of a file into its articles. A container holds other files, and hands them
on one by one. Both are told by the first bytes of a file and by the end of its name; see `formats`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from rag.article import Article

Found = tuple[int | None, Article | str]
"""Number of an entry in its file (None where the file is one article), and its article or why there
is none."""

START_BYTES = 4096
"""So much of a file tells its format."""
_BLANKS = re.compile(rb"(?:\xef\xbb\xbf|\s|<\?xml[^>]{0,200}\?>|<!--.{0,1000}?-->)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where bytes come from.

    Attributes:
        path: The file, as in `Article.path`; for one inside another file both, as in
            `papers.zip/1999/storm.html`.
        url: Where it was found, if its container says so.
        depth: In how many other files it lies.
        number: Of the entry that it is, where its container only counts them.
    """

    path: str
    url: str | None = None
    depth: int = 0
    number: int | None = None

    @property
    def stem(self) -> str:
        """The id of an article that states none: its address, or the name of its file."""
        if self.url:
            return self.url
        name = os.path.basename(self.path)
        if name.lower().endswith(".gz"):
            name = name[:-3]
        stem = os.path.splitext(name)[0] or name
        return stem if self.number is None else f"{stem}-{self.number}"


class Format(Protocol):
    """What tells a format."""

    @property
    def name(self) -> str:
        """Of the format, such as "pdf"."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Ends of file names, in lower case."""
        ...

    def fits(self, start: bytes) -> bool:
        """Whether a file that begins so is of this format, whatever its name."""
        ...


class Reader(Format, Protocol):
    """Reads files of one format."""

    @property
    def max_bytes(self) -> int:
        """A larger file is not read."""
        ...

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """The articles of a file; opens no other file, and no connection.

        Raises:
            UnreadableError: there is none in it, with the reason.
        """
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside another.

    Attributes:
        name: Its name there; empty if it has none.
        data: Its bytes; None if they cannot be had.
        problem: Why not.
        url: Where it was found, if its container says so.
        hint: A file name that tells its format, where it has no name.
        number: Its number, where it has no name.
    """

    name: str
    data: bytes | None
    problem: str | None = None
    url: str | None = None
    hint: str = ""
    number: int | None = None


class Container(Format, Protocol):
    """Takes files of one format apart."""

    def members(self, stream: IO[bytes]) -> Iterator[Member]:
        """The files in it, one at a time, in the order in which they lie there.

        Raises:
            UnreadableError: it cannot be taken apart (further).
        """
        ...


def without_head(start: bytes) -> bytes:
    """The start of a text in lower case, without what may precede its first element."""
    found = _BLANKS.match(start)
    return start[found.end() if found else 0 :].lower()
