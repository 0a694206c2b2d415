"""Feeds: RSS and Atom files; an entry is an article."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.article import Article
from rag.readers.dates import parse_date
from rag.readers.decoding import normalise
from rag.readers.html import plain_text
from rag.readers.reader import Found, Origin, without_head
from rag.readers.skipped import UnreadableError
from rag.readers.text_files import MAX_TEXT_BYTES

_START = re.compile(rb"(?:<!doctype[^>]*>\s*)?<(?:[\w.-]+:)?(?:rss|feed|rdf)[\s>]")


class FeedReader:
    """`.xml`, `.rss`, `.atom`: title, day and address of each entry, and all the text it has."""

    name = "feed"
    suffixes = (".xml", ".rss", ".atom", ".rdf")
    max_bytes = MAX_TEXT_BYTES

    def fits(self, start: bytes) -> bool:
        """Whether its first element is that of a feed."""
        return _START.match(without_head(start)) is not None

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """An article for each entry with text."""
        import feedparser

        if not data.strip():
            raise UnreadableError("only white space" if data else "empty file")
        # As bytes: a string it would take for an address, and open it.
        feed = feedparser.parse(data, sanitize_html=False, resolve_relative_uris=False)
        if not feed.entries:
            problem = feed.get("bozo_exception")
            raise UnreadableError(f"no entry in it: {problem}" if problem else "no entry in it")
        source = _one(feed.feed.get("title"))
        for number, entry in enumerate(feed.entries, 1):
            text = _text(entry)
            if text:
                yield number, _article(entry, number, text, source, origin)
            else:
                yield number, "an entry without text"


def _text(entry: Any) -> str:
    """The longest of what an entry gives as its text."""
    given = [(part.get("value"), part.get("type")) for part in entry.get("content", ())]
    given.append((entry.get("summary"), entry.get("summary_detail", {}).get("type")))
    return max((_shown(value, kind) for value, kind in given if value), key=len, default="")


def _shown(value: str, kind: str | None) -> str:
    if kind == "text/plain" and "<" not in value:
        return normalise(value).strip()
    try:
        return plain_text(value)
    except UnreadableError:
        return ""


def _article(entry: Any, number: int, text: str, source: str | None, origin: Origin) -> Article:
    metadata: dict[str, Any] = {}
    published = None
    for field in ("published", "created", "updated"):
        written = _one(dict.get(entry, field))  # its own `get` puts one in place of another
        day = parse_date(written) if written else None
        if day is not None:
            published = day
            metadata["published_from"] = f"feed {field}"
            if written != day.isoformat():
                metadata["published"] = written
            break
    updated = _one(dict.get(entry, "updated"))
    if updated and updated != metadata.get("published"):
        metadata["updated"] = updated
    tags = [_one(tag.get("term")) for tag in entry.get("tags", ())]
    if any(tags):
        metadata["tags"] = ", ".join(filter(None, tags))
    given = _one(entry.get("id")) or _one(entry.get("link"))
    return Article(
        article_id=given or f"{origin.stem}-{number}",
        title=_title(entry),
        text=text,
        published=published,
        source=_one(entry.get("source", {}).get("title")) or source,
        author=_one(entry.get("author")),
        url=_one(entry.get("link")),
        path=origin.path,
        metadata=metadata,
    )


def _title(entry: Any) -> str:
    title = entry.get("title") or ""
    if "<" in title or "&" in title:
        title = _shown(title, None)
    return _one(title) or ""


def _one(value: Any) -> str | None:
    return (" ".join(normalise(value).split()) or None) if isinstance(value, str) else None
