"""Formats: which reader a file is for, by its first bytes and the end of its name."""

from __future__ import annotations

from rag.readers.archives import GzipContainer, WarcContainer, ZipContainer
from rag.readers.epub import EpubReader
from rag.readers.feeds import FeedReader
from rag.readers.html import HtmlReader
from rag.readers.mail import Mailbox, MailReader, MhtmlReader
from rag.readers.markdown import MarkdownReader
from rag.readers.pdf import PdfReader
from rag.readers.reader import Container, Reader
from rag.readers.text_files import TextReader
from rag.readers.word import WordReader

# Of two that a file begins like, the first reads it.
READERS: tuple[Reader, ...] = (
    PdfReader(),
    EpubReader(),
    WordReader(),
    FeedReader(),
    MhtmlReader(),
    HtmlReader(),
    MarkdownReader(),
    TextReader(),
    MailReader(),
)
CONTAINERS: tuple[Container, ...] = (
    WarcContainer(),
    Mailbox(),
    ZipContainer(),
    GzipContainer(),
)
LINES, ROWS = "json lines", "csv"
"""Formats of many articles that are read as a stream: a line or a row each."""
LINES_SUFFIXES = (".jsonl", ".ndjson")
ROWS_SUFFIXES = (".csv", ".tsv")
KNOWN_SUFFIXES = tuple(
    dict.fromkeys(
        suffix
        for suffixes in (
            LINES_SUFFIXES,
            ROWS_SUFFIXES,
            *(reader.suffixes for reader in READERS),
            *(container.suffixes for container in CONTAINERS),
        )
        for suffix in suffixes
    )
)
"""Ends of the names of files that are read."""
_BY_NAME: dict[str, Reader | Container] = {
    format_.name: format_ for format_ in (*READERS, *CONTAINERS)
}


_ONLY_UNNAMED = frozenset({"mail", "mailbox"})
"""A letter saved as text begins like a mail: these are told by their beginning only where the name
tells nothing."""


def known_suffix(path: str) -> str | None:
    """The end of a file's name that tells its format; the longest one; None if none does."""
    name = path.lower()
    return max((end for end in KNOWN_SUFFIXES if name.endswith(end)), key=len, default=None)


def format_of(path: str, start: bytes) -> str | None:
    """The format of a file: a name in `READERS` or `CONTAINERS`, `LINES`, `ROWS`, or None.

    What the bytes say comes before what the name says; a page saved as `story.txt` is a page.

    Args:
        path: Its name.
        start: Its first bytes.
    """
    by_name = format_by_name(path)
    for format_ in (*CONTAINERS, *READERS):
        if format_.fits(start) and not (by_name and format_.name in _ONLY_UNNAMED):
            return format_.name
    return by_name


def format_by_name(path: str) -> str | None:
    """The format of a file as far as its name tells."""
    end = known_suffix(path)
    if end in LINES_SUFFIXES:
        return LINES
    if end in ROWS_SUFFIXES:
        return ROWS
    return next(
        (format_.name for format_ in (*READERS, *CONTAINERS) if end in format_.suffixes), None
    )


def is_harmless(name: str) -> bool:
    """Whether files of a format are read by few steps of our own, and need no bounds."""
    return name in ("text", LINES, ROWS)


def reader(name: str) -> Reader | Container:
    """A reader or container by the name of its format."""
    return _BY_NAME[name]
