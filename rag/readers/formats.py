"""Formats: which reader a file is for, by its first bytes and the end of its name."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from rag.errors import check_extra
from rag.readers.archives import GzipContainer, WarcContainer, ZipContainer
from rag.readers.epub import EpubReader
from rag.readers.feeds import FeedReader
from rag.readers.html import HtmlReader
from rag.readers.json_files import JsonReader
from rag.readers.mail import Mailbox, MailReader, MhtmlReader
from rag.readers.markdown import MarkdownReader
from rag.readers.pdf import PdfReader
from rag.readers.reader import START_BYTES, Container, Format, Found, Origin, Reader
from rag.readers.skipped import UnreadableError
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
    JsonReader(),
    TextReader(),
    MailReader(lambda *file: _read_attached(*file)),
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
# Of the extra `files`: the libraries that only some need.
_LIBRARIES = {"feed": "feedparser", "pdf": "pypdfium2", "warc": "warcio", "word": "mammoth"}
_READERS = {reader.name: reader for reader in READERS}
_CONTAINERS = {container.name: container for container in CONTAINERS}


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
    formats: tuple[Format, ...] = (*CONTAINERS, *READERS)
    for format_ in formats:
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
    formats: tuple[Format, ...] = (*READERS, *CONTAINERS)
    return next((format_.name for format_ in formats if end in format_.suffixes), None)


def format_of_path(path: str) -> str | None:
    """The format that an article was read in, by its `Article.path`.

    Of a file in an archive its own, of a chapter or an attachment that of the book or the mail.
    """
    found = None
    for name in path.split("/"):
        kind = format_by_name(name)
        found = kind or found
        if kind is not None and kind not in _CONTAINERS:
            break
    return found


def is_harmless(name: str) -> bool:
    """Whether files of a format are read by few steps of our own, and need no bounds."""
    return name in ("text", LINES, ROWS)


@functools.cache
def check_installed(name: str) -> None:
    """Make sure that files of a format can be read here.

    Raises:
        MissingExtraError: the library for it is not installed.
    """
    if name in _LIBRARIES:
        check_extra(f"reading {name} files", extra="files", library=_LIBRARIES[name])


def reader(name: str) -> Reader:
    """A reader by the name of its format."""
    return _READERS[name]


def container(name: str) -> Container | None:
    """A container by the name of its format; None if that is none."""
    return _CONTAINERS.get(name)


def read_file(name: str, data: bytes, origin: Origin) -> Iterator[Found]:
    """What a reader makes of a file: its articles, or why there is none.

    Whatever a library raises on what strangers made becomes a reason.
    """
    n_found = 0
    try:
        for found in _READERS[name].read(data, origin):
            n_found += 1
            yield found
    except UnreadableError as error:
        yield None, str(error)
    except RecursionError:
        yield None, "nested too deeply"
    except MemoryError:
        yield None, "reading it takes too much memory"
    except Exception as error:  # noqa: BLE001 - parsers do not say what they raise on broken input
        yield None, f"broken: {type(error).__name__}: {error}"[:300]
    else:
        if not n_found:
            yield None, "no article in it"


def _read_attached(name: str, data: bytes, origin: Origin) -> Iterator[Found]:
    """What a file attached to a message comes to; nothing if it is of no format for readers."""
    kind = format_of(name, data[:START_BYTES])
    if any(kind == reader.name for reader in READERS):
        check_installed(str(kind))
        yield from read_file(str(kind), data, origin)
