"""Reading sources: folders of files of many formats to articles.

One article is yielded at a time and memory stays bounded by the largest single article (plus a
digest of 16 bytes for each article read). Nothing is lost silently: what cannot be read is
yielded as `Skipped`, with an exact reason, and the rest goes on.

Modules:
    skipped     what is not taken in, and why
    decoding    bytes to text
    dates       dates as articles write them
    reader      what a module that reads one format offers
    formats     which of them a file is for
    text_files  one article a file
    html        saved pages
    json_lines  one article a line
    csv_files   one article a row
    files       which files a source stands for
    blocks      the bytes of some articles, which may be parsed elsewhere
    ids         an id of its own for each article
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rag.article import Article
from rag.readers.blocks import (
    READING,
    Block,
    BlockReader,
    FileState,
    articles_of,
    begins_with,
)
from rag.readers.dates import parse_date
from rag.readers.decoding import decode, normalise
from rag.readers.files import SourceFile, expand, files_of
from rag.readers.formats import KNOWN_SUFFIXES, format_of_path
from rag.readers.ids import UniqueIds
from rag.readers.json_lines import MAX_LINE_BYTES
from rag.readers.skipped import Skipped
from rag.readers.text_files import MAX_TEXT_BYTES

__all__ = [
    "KNOWN_SUFFIXES",
    "MAX_LINE_BYTES",
    "MAX_TEXT_BYTES",
    "READING",
    "Block",
    "BlockReader",
    "FileState",
    "Skipped",
    "SourceFile",
    "UniqueIds",
    "articles_of",
    "begins_with",
    "decode",
    "files_of",
    "format_of_path",
    "normalise",
    "parse_date",
    "read_sources",
    "source_paths",
]


def read_sources(sources: Sequence[str], base: Path) -> Iterator[Article | Skipped]:
    r"""Read every article of the sources, in a fixed order.

    Args:
        sources: Files of any format in `KNOWN_SUFFIXES`, folders (read with all below them, in
            sorted order, without hidden files) or globs (`news/*.jsonl`); relative to `base` or
            absolute.
        base: Folder that relative sources and `Article.path` are relative to.

    Yields:
        Articles with the text as found, in Unicode NFC with `\n` as newline, and unique
        `article_id`; a `Skipped` for each thing that could not be read.

    Raises:
        SourceError: a source does not exist. Raised at once, before anything is read.
    """
    return _read_all(files_of(sources, base))


def source_paths(sources: Sequence[str], base: Path) -> list[Path]:
    """The files and folders that sources stand for, as absolute paths.

    Raises:
        SourceError: a source does not exist.
    """
    found = (path for source in sources for path in expand(source, base))
    return [Path(os.path.abspath(path)) for path in found]


def _read_all(files: Iterable[SourceFile | Skipped]) -> Iterator[Article | Skipped]:
    ids = UniqueIds()
    for file in files:
        if isinstance(file, Skipped):
            yield file
            continue
        for block in BlockReader(file).blocks():
            for line, found in articles_of(block):
                reason = found if isinstance(found, str) else None
                found_at = block.shown
                if isinstance(found, Article):
                    wanted = found.article_id
                    unique, reason = ids.assign(wanted, found.content_hash(), found.path)
                    if reason is None:
                        changed = {"article_id": unique}
                        yield found if unique == wanted else found.model_copy(update=changed)
                if reason is not None:
                    yield Skipped(path=found_at, line=line, reason=reason)
