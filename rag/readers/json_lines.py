"""JSON lines: one article a line, in files of any size."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from rag.article import Article
from rag.readers.dates import stored_date
from rag.readers.decoding import BOMS, normalise, text_of, without_surrogates
from rag.readers.html import HtmlReader
from rag.readers.reader import Origin
from rag.readers.skipped import UnreadableError

MAX_LINE_BYTES = 16 * 2**20
"""A longer line of a `.jsonl` file is skipped; the file itself may have any size."""
_MONGO_IDS = ("$oid", "$numberInt", "$numberLong", "$uuid")
_FIELDS = ("id", "title", "text", "published", "source", "author", "url")


def line_articles(
    lines: Iterable[bytes | str | None], first: int, shown: str
) -> Iterator[tuple[int, Article | str]]:
    """Articles of consecutive lines with their numbers; blank lines are passed over.

    Args:
        lines: None for a line that was too long.
        first: Number of the first line.
        shown: The file, as in `Article.path`.
    """
    for number, line in enumerate(lines, first):
        try:
            if line is None:
                raise UnreadableError(f"line longer than {MAX_LINE_BYTES:,} bytes")
            text = text_of(line) if isinstance(line, bytes) else line
            if text.strip():
                yield number, _article(text, shown)
        except UnreadableError as error:
            yield number, str(error)


def open_lines(file: str) -> IO[Any]:
    """Stream of lines: as text when a byte order mark tells the encoding, else as bytes."""
    with open(file, "rb") as stream:
        start = stream.read(4)
    for mark, encoding in BOMS:
        if start.startswith(mark):
            return open(file, encoding=encoding, newline="\n")
    return open(file, "rb")


def bounded_lines(readline: Callable[[int], Any]) -> Iterator[Any]:
    """Lines of a stream; None in place of a line that is too long."""
    while line := readline(MAX_LINE_BYTES):
        newline = b"\n" if isinstance(line, bytes) else "\n"
        if len(line) < MAX_LINE_BYTES or line.endswith(newline):
            yield line
            continue
        while line and not line.endswith(newline):
            line = readline(MAX_LINE_BYTES)
        yield None


def _article(line: str, shown: str) -> Article:
    """The article of one JSON line."""
    try:
        value = json.loads(line, parse_constant=lambda _: None)
    except RecursionError as error:
        raise UnreadableError("nested too deeply") from error
    except ValueError as error:
        raise UnreadableError(f"not JSON: {error}") from error
    return article_of(value, shown)


def article_of(value: Any, shown: str) -> Article:
    """The article of a value of JSON.

    Args:
        value: An object with the fields `text` or `html`, and `id`, `title`, `published`, `source`,
            `author`, `url`; others become metadata.
        shown: The file, as in `Article.path`.

    Raises:
        UnreadableError: it is none, with the reason.
    """
    try:
        fields = _mended(value)
    except RecursionError as error:
        raise UnreadableError("nested too deeply") from error
    if not isinstance(fields, dict):
        raise UnreadableError(f"not a JSON object but {type(fields).__name__}")
    if "id" not in fields and "_id" in fields:  # as BEIR and MongoDB name it
        fields["id"] = fields.pop("_id")
    page = _page(fields, shown)
    text, given_id = fields.get("text"), _stored_id(fields.get("id"))
    if not isinstance(text, str):
        raise UnreadableError("`text` is not a string" if "text" in fields else "no field `text`")
    if not text.strip():
        raise UnreadableError("`text` is empty")
    if isinstance(given_id, bool) or not isinstance(given_id, str | int | None):
        raise UnreadableError("`id` is neither a string nor a whole number")
    article = Article(
        article_id=_one_line(str(given_id)) if given_id is not None else "",
        title=_plain(fields.get("title")) or "",
        text=normalise(text),
        published=stored_date(fields.get("published")),
        source=_plain(fields.get("source")),
        author=_plain(fields.get("author")),
        url=_plain(fields.get("url")),
        path=shown,
        metadata=_metadata(fields),
    )
    if page is not None:
        article = _with_page(article, page)
    try:
        digest = article.content_hash()
    except (ValueError, RecursionError) as error:
        raise UnreadableError("nested too deeply") from error
    if article.article_id:
        return article
    stem = os.path.splitext(os.path.basename(shown))[0]
    return article.model_copy(update={"article_id": f"{stem}-{digest[:12]}"})


def _stored_id(value: Any) -> Any:
    """An id as MongoDB exports it, such as `{"$oid": "…"}`, without that; others as they are."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        return inner if kind in _MONGO_IDS else value
    return value


def _page(fields: dict[str, Any], shown: str) -> Article | None:
    """The article of a field `html`, which then is the text, where there is no text."""
    markup = fields.get("html")
    if not isinstance(markup, str) or not markup.strip() or fields.get("text"):
        return None
    url = fields.get("url")
    origin = Origin(shown, url if isinstance(url, str) else None)
    try:
        _, page = next(HtmlReader().read(markup.encode("utf-8", "replace"), origin))
    except Exception as error:  # parsers do not say what they raise on broken input
        raise UnreadableError(f"`html`: {error}"[:300]) from error
    if isinstance(page, str):
        raise UnreadableError(f"`html`: {page}")
    del fields["html"]
    fields["text"] = page.text
    return page


def _with_page(article: Article, page: Article) -> Article:
    """The article with what its page declares where its line states nothing."""
    known = article.model_dump(include={"title", "published", "source", "author", "url"})
    update: dict[str, Any] = {
        name: getattr(page, name) for name, value in known.items() if not value
    }
    stated = {} if article.published else page.metadata
    language = {name: page.metadata[name] for name in ("language",) if name in page.metadata}
    update["metadata"] = {**language, **stated, **article.metadata}
    return article.model_copy(update=update)


def _metadata(fields: dict[str, Any]) -> dict[str, Any]:
    """Further fields as they are, and what the typed fields could not take in."""
    metadata = {key: value for key, value in fields.items() if key not in _FIELDS}
    published = fields.get("published")
    if published is not None:
        day = stored_date(published)
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
    """A JSON value without lone surrogates in any string of it."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
