"""Reading sources: text files, folders of them, and JSON lines of articles.

One article is yielded at a time and memory stays bounded by the largest single article (plus a
digest of 16 bytes for each article read). Nothing is lost silently: what cannot be read is
yielded as `Skipped`, with an exact reason, and the rest goes on.

Modules:
    skipped     what is not taken in, and why
    decoding    bytes to text
    dates       dates as articles write them
    text_files  one article a file
    json_lines  one article a line
    files       which files a source stands for
    ids         an id of its own for each article
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.article import Article
from rag.readers.dates import parse_date
from rag.readers.decoding import decode, normalise
from rag.readers.files import LINES_SUFFIXES, TEXT_SUFFIXES, expand, shown_path, suffix, walk
from rag.readers.ids import UniqueIds
from rag.readers.json_lines import MAX_LINE_BYTES, read_json_lines
from rag.readers.skipped import Skipped
from rag.readers.text_files import MAX_TEXT_BYTES, read_text_file

# Ends of the names of files that are read.
KNOWN_SUFFIXES = (*TEXT_SUFFIXES, *LINES_SUFFIXES)

__all__ = [
    "KNOWN_SUFFIXES",
    "MAX_LINE_BYTES",
    "MAX_TEXT_BYTES",
    "Skipped",
    "decode",
    "normalise",
    "parse_date",
    "read_sources",
]


def read_sources(sources: Sequence[str], base: Path) -> Iterator[Article | Skipped]:
    r"""Read every article of the sources, in a fixed order.

    Args:
        sources: Files (`.txt`, `.jsonl`, `.ndjson`), folders (read with all below them, in sorted
            order, without hidden files) or globs (`news/*.jsonl`); relative to `base` or absolute.
        base: Folder that relative sources and `Article.path` are relative to.

    Yields:
        Articles with the text as found, in Unicode NFC with `\n` as newline, and unique
        `article_id`; a `Skipped` for each thing that could not be read.

    Raises:
        SourceError: a source does not exist. Raised at once, before anything is read.
    """
    found = [path for source in sources for path in expand(source, base)]
    return _read_all(found, base)


def _read_all(paths: Sequence[str], base: Path) -> Iterator[Article | Skipped]:
    ids = UniqueIds()
    seen_files: set[str] = set()
    for path in paths:
        for file in walk(path, base, set()):
            if isinstance(file, Skipped):
                yield file
                continue
            shown, real = shown_path(file, base), os.path.realpath(file)
            if real in seen_files:
                yield Skipped(path=shown, reason="already read from another source")
                continue
            seen_files.add(real)
            read = read_text_file if suffix(file) in TEXT_SUFFIXES else read_json_lines
            for line, found in read(file, shown):
                reason = found if isinstance(found, str) else None
                if isinstance(found, Article):
                    unique = ids.assign(found)
                    if isinstance(unique, Article):
                        yield unique
                        continue
                    reason = unique
                yield Skipped(path=shown, line=line, reason=str(reason))
