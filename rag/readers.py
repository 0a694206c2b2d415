"""Reading sources: text files, folders of them, and JSON lines of articles.

One article is yielded at a time and memory stays bounded by the largest single article (plus a
digest of 16 bytes for each article read). Nothing is lost silently: what cannot be read is
yielded as `Skipped`, with an exact reason, and the rest goes on.
"""

from __future__ import annotations

import codecs
import datetime
import glob
import json
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

from rag.article import Article
from rag.errors import SourceError

TEXT_SUFFIXES = (".txt",)
LINES_SUFFIXES = (".jsonl", ".ndjson")
MAX_TEXT_BYTES = 64 * 2**20
"""A larger `.txt` file is skipped: it is a dump, not one article."""
MAX_LINE_BYTES = 16 * 2**20
"""A longer line of a `.jsonl` file is skipped; the file itself may have any size."""

_FIELDS = ("id", "title", "text", "published", "source", "author", "url")
_ASCII = bytes(range(128))
_BLANKS = b" \t\r\n"
MAX_WESTERN_SHARE = 0.25
"""Share of non-ASCII bytes up to which bytes that are no UTF-8 are taken for Windows-1252."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What news was written in before UTF-8. A closed list, because a guess among all the code pages
# there are goes wrong on short texts.
_LEGACY_ENCODINGS = (
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
)
_NEWLINES = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WITH_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)|^\s*(?:1[5-9]|20)\d{6}\s*$")


class Skipped(BaseModel):
    """Something that was found and not taken in.

    Attributes:
        path: The file or folder, as in `Article.path`.
        line: Number of the line of a JSON lines file, from 1; None for a whole file.
        reason: Why, in words for the user.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    line: int | None = None
    reason: str


class _UnreadableError(Exception):
    """The reason why one file or line is skipped."""


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
    found = [path for source in sources for path in _expand(source, base)]
    return _read_all(found, base)


def parse_date(text: str) -> datetime.date | None:
    """Day that a text states as a date, such as "2024-08-02", "2 Aug 2024" or RFC 2822.

    A time of day and a time zone are passed over: the day is the one written. None when the text
    is no date, leaves out year, month or day, or can be read in two ways ("02/03/2024").
    """
    try:
        return datetime.datetime.fromisoformat(text.strip()).date()
    except ValueError:
        pass
    if len(text) > 100 or not _WITH_YEAR.search(text):
        return None
    from dateutil import parser

    days = set()
    # What the text leaves out, dateutil takes from the default: two defaults show it.
    for default in (datetime.datetime(2001, 1, 1), datetime.datetime(2002, 2, 2)):
        for dayfirst in (False, True):
            try:
                parsed = parser.parse(text, default=default, dayfirst=dayfirst, ignoretz=True)
            except (ValueError, OverflowError):
                return None
            days.add(parsed.date())
    return days.pop() if len(days) == 1 else None


def normalise(text: str) -> str:
    r"""Text with `\n` as its only newline and in Unicode NFC; a lone surrogate becomes U+FFFD."""
    text = _NEWLINES.sub("\n", _SURROGATE.sub("\ufffd", text))
    return unicodedata.normalize("NFC", text)


def decode(data: bytes) -> str:
    """Text of bytes in an unknown encoding.

    A byte order mark decides; else UTF-8; else Windows-1252 (and with it Latin-1) where letters
    beyond ASCII are few, as in Western languages; else the likeliest of the encodings that were
    common before, as charset-normalizer tells.

    Raises:
        ValueError: the bytes are no text in any of these.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if b"\0" in data:
            raise
    # On Western text charset-normalizer is right less often than this: 74 % against 100 % of 150
    # BBC articles in Windows-1252, where it reads "£" as Polish or Japanese.
    if len(data.translate(None, _ASCII)) <= MAX_WESTERN_SHARE * len(data.translate(None, _BLANKS)):
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            pass  # five bytes mean nothing in it
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=list(_LEGACY_ENCODINGS)).best()
    if best is None:
        raise ValueError("no known encoding")
    return data.decode(best.encoding)


def _expand(source: str, base: Path) -> list[str]:
    """Paths that a source stands for."""
    path = os.path.join(base, source)
    if os.path.lexists(path):
        return [path]
    found = glob.glob(source, root_dir=base, recursive=True) if glob.has_magic(source) else []
    matches = [os.path.join(base, name) for name in sorted(found)]
    if not matches:
        what = "matches no file" if glob.has_magic(source) else "does not exist"
        raise SourceError(
            f"source {source!r} {what} (looked for {path})",
            mend=f"correct `sources` in {base / 'index.toml'}, or put the file there",
        )
    return matches


def _read_all(paths: Sequence[str], base: Path) -> Iterator[Article | Skipped]:
    ids = _Ids()
    seen_files: set[str] = set()
    for path in paths:
        for file in _walk(path, base, set()):
            if isinstance(file, Skipped):
                yield file
                continue
            shown, real = _shown(file, base), os.path.realpath(file)
            if real in seen_files:
                yield Skipped(path=shown, reason="already read from another source")
                continue
            seen_files.add(real)
            read = _read_text if _suffix(file) in TEXT_SUFFIXES else _read_lines
            for line, found in read(file, shown):
                reason = found if isinstance(found, str) else None
                if isinstance(found, Article):
                    unique = ids.assign(found)
                    if isinstance(unique, Article):
                        yield unique
                        continue
                    reason = unique
                yield Skipped(path=shown, line=line, reason=str(reason))


def _walk(path: str, base: Path, open_folders: set[str]) -> Iterator[str | Skipped]:
    """Readable files at and below a path, in sorted order; what is none of them as `Skipped`."""
    if os.path.isdir(path):
        real = os.path.realpath(path)
        if real in open_folders:
            yield Skipped(path=_shown(path, base), reason="a link back to a folder above it")
            return
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            yield Skipped(path=_shown(path, base), reason=_system_reason(error))
            return
        for name in names:
            if not name.startswith("."):
                yield from _walk(os.path.join(path, name), base, open_folders | {real})
    elif not os.path.isfile(path):
        reason = "not a regular file" if os.path.exists(path) else "a link to nothing"
        yield Skipped(path=_shown(path, base), reason=reason)
    elif _suffix(path) not in TEXT_SUFFIXES + LINES_SUFFIXES:
        known = ", ".join(TEXT_SUFFIXES + LINES_SUFFIXES)
        reason = f"unknown kind of file {_suffix(path)!r} (known: {known})"
        yield Skipped(path=_shown(path, base), reason=reason)
    else:
        yield path


def _read_text(file: str, shown: str) -> Iterator[tuple[None, Article | str]]:
    """The article of a text file, or why there is none."""
    try:
        size = os.path.getsize(file)
        if size > MAX_TEXT_BYTES:
            raise _UnreadableError(
                f"too big for one article: {size:,} bytes, at most {MAX_TEXT_BYTES:,}"
            )
        with open(file, "rb") as stream:
            text = _text(stream.read())
        if not text:
            raise _UnreadableError("empty file")
        if not text.strip():
            raise _UnreadableError("only white space")
    except OSError as error:
        yield None, _system_reason(error)
    except _UnreadableError as error:
        yield None, str(error)
    else:
        stem = os.path.splitext(os.path.basename(shown))[0]
        yield None, Article(article_id=stem, text=text, path=shown)


def _text(data: bytes) -> str:
    """Normalised text of bytes, which may turn out to be no text."""
    try:
        text = decode(data)
    except ValueError as error:
        reason = "binary content" if b"\0" in data else "encoding not recognised"
        raise _UnreadableError(reason) from error
    if "\0" in text or len(_CONTROL.findall(text)) * 10 > len(text):
        raise _UnreadableError("binary content")
    return normalise(text)


def _read_lines(file: str, shown: str) -> Iterator[tuple[int | None, Article | str]]:
    """Articles of a JSON lines file with their line numbers; blank lines are passed over."""
    try:
        with _open_lines(file) as stream:
            for number, line in enumerate(_bounded_lines(stream), 1):
                try:
                    if line is None:
                        raise _UnreadableError(f"line longer than {MAX_LINE_BYTES:,} bytes")
                    text = _text(line) if isinstance(line, bytes) else line
                    if text.strip():
                        yield number, _article(text, shown)
                except _UnreadableError as error:
                    yield number, str(error)
    except (OSError, UnicodeError) as error:
        yield None, _system_reason(error) if isinstance(error, OSError) else f"broken text: {error}"


def _open_lines(file: str) -> IO[Any]:
    """Stream of lines: as text when a byte order mark tells the encoding, else as bytes."""
    with open(file, "rb") as stream:
        start = stream.read(4)
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return open(file, encoding=encoding, newline="\n")
    return open(file, "rb")


def _bounded_lines(stream: IO[Any]) -> Iterator[Any]:
    """Lines of a stream; None in place of a line that is too long."""
    while line := stream.readline(MAX_LINE_BYTES):
        newline = b"\n" if isinstance(line, bytes) else "\n"
        if len(line) < MAX_LINE_BYTES or line.endswith(newline):
            yield line
            continue
        while line and not line.endswith(newline):
            line = stream.readline(MAX_LINE_BYTES)
        yield None


def _article(line: str, shown: str) -> Article:
    """The article of one JSON line."""
    try:
        fields = _mended(json.loads(line, parse_constant=lambda _: None))
    except RecursionError as error:
        raise _UnreadableError("nested too deeply") from error
    except ValueError as error:
        raise _UnreadableError(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise _UnreadableError(f"not a JSON object but {type(fields).__name__}")
    text, given_id = fields.get("text"), fields.get("id")
    if not isinstance(text, str):
        raise _UnreadableError("`text` is not a string" if "text" in fields else "no field `text`")
    if not text.strip():
        raise _UnreadableError("`text` is empty")
    if isinstance(given_id, bool) or not isinstance(given_id, str | int | None):
        raise _UnreadableError("`id` is neither a string nor a whole number")
    article = Article(
        article_id=_one_line(str(given_id)) if given_id is not None else "",
        title=_plain(fields.get("title")) or "",
        text=normalise(text),
        published=parse_date(str(fields.get("published", ""))),
        source=_plain(fields.get("source")),
        author=_plain(fields.get("author")),
        url=_plain(fields.get("url")),
        path=shown,
        metadata=_metadata(fields),
    )
    try:
        digest = article.content_hash()
    except (ValueError, RecursionError) as error:
        raise _UnreadableError("nested too deeply") from error
    if article.article_id:
        return article
    stem = os.path.splitext(os.path.basename(shown))[0]
    return article.model_copy(update={"article_id": f"{stem}-{digest[:12]}"})


def _metadata(fields: dict[str, Any]) -> dict[str, Any]:
    """Further fields as they are, and what the typed fields could not take in."""
    metadata = {key: value for key, value in fields.items() if key not in _FIELDS}
    published = fields.get("published")
    if published is not None:
        day = parse_date(str(published))
        if day is None or published != day.isoformat():
            metadata["published"] = published
    for key in ("title", "source", "author", "url"):
        if fields.get(key) and _plain(fields[key]) is None:
            metadata[key] = fields[key]
    return metadata


def _plain(value: Any) -> str | None:
    """One line of text from a string, number, {"name": …} or a list of these; else None."""
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, list):
        parts = [part for part in map(_plain, value) if part]
        return ", ".join(parts) or None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return _one_line(str(value)) or None
    return None


def _one_line(text: str) -> str:
    return " ".join(normalise(text).split())


def _mended(value: Any) -> Any:
    """A JSON value without lone surrogates, which no UTF-8 file or database can hold."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value


class _Ids:
    """Gives each article of one build an id of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._by_digest: dict[bytes, str] = {}

    def assign(self, article: Article) -> Article | str:
        """The article under a unique id, or why it is a duplicate."""
        digest = article.content_hash()
        key = bytes.fromhex(digest)[:16]
        if key in self._by_digest:
            return f"same article as {self._by_digest[key]!r}"
        wanted = article.article_id
        candidates = [wanted, f"{wanted}-{digest[:8]}", f"{wanted}-{digest}"]
        if article.path and _suffix(article.path) in TEXT_SUFFIXES:
            candidates.insert(1, os.path.splitext(article.path)[0])
        unique = next(candidate for candidate in candidates if candidate not in self._taken)
        self._taken.add(unique)
        self._by_digest[key] = unique
        return article if unique == wanted else article.model_copy(update={"article_id": unique})


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _shown(path: str, base: Path) -> str:
    """Path relative to `base` in posix form; bytes that are no UTF-8 are replaced."""
    relative = Path(os.path.relpath(path, base)).as_posix()
    return os.fsencode(relative).decode("utf-8", "replace")


def _system_reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
