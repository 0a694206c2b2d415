"""CSV and TSV: one article a row, under columns that are named in the first row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, Any

from rag.readers.decoding import encoding_of
from rag.readers.skipped import UnreadableError

_SNIFFED_BYTES = 2**18
_DELIMITERS = ",;\t|"
_MAX_FIELD = 16 * 2**20
# How exports name what an article has, without case and punctuation; the first that is there.
_COLUMNS = {
    "id": ("id", "articleid", "uuid", "guid"),
    "title": ("title", "headline", "headlines", "head", "articletitle", "heading", "subject"),
    "text": (
        *("text", "body", "content", "article", "articletext", "articlebody", "fulltext", "story"),
        *("maintext", "bodytext", "description", "summary", "abstract"),
    ),
    "html": ("html", "contenthtml", "bodyhtml"),
    "published": (
        *("published", "publishedat", "datepublished", "publicationdate", "publishdate", "pubdate"),
        *("date", "publishedon", "publishtime", "datetime", "timestamp", "created"),
    ),
    "source": ("source", "publisher", "publication", "outlet", "sitename", "newspaper", "site"),
    "author": ("author", "authors", "byline", "creator", "writer"),
    "url": ("url", "link", "permalink", "weburl", "articleurl"),
}


def rows(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a file as fields of an article, named as in a JSON line.

    Raises:
        UnreadableError: it has no column of text, or is broken (further on).
    """
    start = stream.read(_SNIFFED_BYTES)
    stream.seek(0)
    if not start.strip():
        raise UnreadableError("only white space" if start else "empty file")
    text = io.TextIOWrapper(stream, encoding=_encoding(start), errors="replace", newline="")
    try:
        csv.field_size_limit(_MAX_FIELD)
        reader = csv.reader(text, _dialect(start))
        names = next(reader, [])
        fields = _fields(names)
        for row in reader:
            if any(cell.strip() for cell in row):
                yield _record(fields, row)
    except (csv.Error, UnicodeError) as error:
        raise UnreadableError(f"broken CSV: {error}") from error
    finally:
        text.detach()


def _encoding(start: bytes) -> str:
    for cut in range(4):  # the last character may be cut
        try:
            start[: len(start) - cut].decode("utf-8")
            return "utf-8-sig"
        except UnicodeDecodeError:
            continue
    try:
        return encoding_of(start)
    except ValueError as error:
        reason = "binary content" if b"\0" in start else "encoding not recognised"
        raise UnreadableError(reason) from error


def _dialect(start: bytes) -> Any:
    text = start.decode(_encoding(start), "replace")

    class Dialect(csv.excel):
        delimiter = _delimiter(text)

    head = text.partition("\n")[0]
    if '"' not in text and "\\" + Dialect.delimiter in text:
        Dialect.escapechar = "\\"
    elif "'" in head and '"' not in text and head.startswith("'"):
        Dialect.quotechar = "'"
    return Dialect


def _delimiter(text: str) -> str:
    """The mark that splits most lines into the same number of cells as the first one."""
    best, most = ",", (0.0, 0)
    for mark in _DELIMITERS:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
            counts = [len(row) for _, row in zip(range(50), reader, strict=False) if row]
        except csv.Error:
            continue
        if not counts or counts[0] < 2:
            continue
        score = (sum(count == counts[0] for count in counts) / len(counts), counts[0])
        if score > most:
            best, most = mark, score
    return best


def _fields(names: list[str]) -> list[str]:
    """For each column the field of an article that it is; the name of the column if none."""
    keys = ["".join(filter(str.isalnum, name)).casefold() for name in names]
    fields = [name.strip() or f"column {number}" for number, name in enumerate(names, 1)]
    for field, known in _COLUMNS.items():
        column = next((keys.index(key) for key in known if key in keys), None)
        if column is not None:
            fields[column] = field
    if "text" not in fields and "html" not in fields:
        shown = ", ".join(name.strip() for name in names[:8])
        raise UnreadableError(f"no column of text (columns: {shown})"[:300])
    return fields


def _record(fields: list[str], row: list[str]) -> dict[str, Any]:
    record = {field: cell for field, cell in zip(fields, row, strict=False) if cell.strip()}
    if "html" not in record:
        record.setdefault("text", "")
    return record
