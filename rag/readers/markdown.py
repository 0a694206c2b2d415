"""Markdown: an article a file, with the fields of its front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.article import Article
from rag.readers.dates import parse_date
from rag.readers.decoding import normalise, text_of
from rag.readers.html import plain_text
from rag.readers.reader import Found, Origin
from rag.readers.skipped import UnreadableError
from rag.readers.text_files import MAX_TEXT_BYTES

_FRONT_MATTER = re.compile(
    r"(?P<mark>---|\+\+\+)[ \t]*\n(?P<fields>.*?)\n(?P=mark)[ \t]*\n", re.DOTALL
)
_FIELD = re.compile(r"([A-Za-z][\w -]*)\s*[:=]\s*(\S.*)")
_HEADING = re.compile(r"#[ \t]+(?P<title>[^\n]+?)[ \t#]*\n|(?P<set>[^\n]+)\n=+[ \t]*\n")
_DATES = ("date", "published", "pubdate", "publishdate", "created")
_AUTHORS, _SOURCES = ("author", "authors", "by"), ("source", "publisher", "publication")
_URLS = ("url", "link", "canonical", "canonicalurl")


class MarkdownReader:
    """`.md`: the text without its markup."""

    name = "markdown"
    suffixes = (".md", ".markdown")
    max_bytes = MAX_TEXT_BYTES

    def fits(self, start: bytes) -> bool:
        """Never: any text may be Markdown."""
        return False

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """Its article."""
        from markdown_it import MarkdownIt

        source = text_of(data)
        if not source.strip():
            raise UnreadableError("only white space" if source else "empty file")
        fields, body = _front_matter(source)
        title = fields.pop("title", "")
        heading = _HEADING.match(body.lstrip("\n"))
        if heading and (not title or _plain(heading) == title):
            title = title or _plain(heading)
            body = body.lstrip("\n")[heading.end() :]
        markup = MarkdownIt("commonmark").enable("table").render(body)
        text = plain_text(f"<html><body>{markup}</body></html>") if markup.strip() else ""
        if not text:
            raise UnreadableError("no text in it")
        yield None, _article(fields, title, text, origin)


def _plain(heading: re.Match[str]) -> str:
    return " ".join((heading["title"] or heading["set"]).strip("*_ ").split())


def _front_matter(source: str) -> tuple[dict[str, str], str]:
    """Fields of one line each that stand before the text, and the rest."""
    found = _FRONT_MATTER.match(source)
    if found is None:
        return {}, source
    fields = {}
    for line in found["fields"].split("\n"):
        field = _FIELD.fullmatch(line.rstrip())
        if field:
            fields[field[1].casefold()] = field[2].strip().strip("\"'").strip()
    return fields, source[found.end() :]


def _article(fields: dict[str, str], title: str, text: str, origin: Origin) -> Article:
    metadata: dict[str, Any] = {}
    published = None
    for name in _DATES:
        day = parse_date(fields[name]) if name in fields else None
        if day is not None:
            published = day
            metadata["published_from"] = f"front matter {name}"
            written = fields.pop(name)
            if written != day.isoformat():
                metadata["published"] = written
            break

    def taken(names: tuple[str, ...]) -> str | None:
        return next((normalise(fields.pop(name)) for name in names if fields.get(name)), None)

    return Article(
        article_id=origin.stem,
        title=title,
        text=text,
        published=published,
        source=taken(_SOURCES),
        author=taken(_AUTHORS),
        url=taken(_URLS),
        path=origin.path,
        metadata={**fields, **metadata},
    )
