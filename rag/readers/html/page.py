"""Pages: what a saved web page comes to as an article, or as plain text."""

from __future__ import annotations

from typing import Any

from rag.article import Article
from rag.readers.dates import parse_date
from rag.readers.decoding import normalise
from rag.readers.html.body import chosen, is_outside
from rag.readers.html.dates import Stated
from rag.readers.html.declared import Declared, declared
from rag.readers.html.lines import date_line, without_foreign
from rag.readers.html.paragraphs import Paragraph, paragraphs
from rag.readers.html.tree import parse
from rag.readers.skipped import UnreadableError


def page_article(
    data: bytes | str, *, article_id: str, path: str | None, url: str | None = None
) -> Article:
    """The article of a page.

    Args:
        data: The page; as text where its encoding is known.
        article_id: For the article.
        path: As in `Article.path`.
        url: Where the page was found, if that is known.

    Raises:
        UnreadableError: it is no HTML, or has no text.
    """
    root = parse(data)
    body = root.find("body")
    parts = paragraphs(root if body is None else body, is_outside)
    found = declared(root, url)
    text = _joined(without_foreign(parts, chosen(root, parts, found.description), found.titles))
    if not text:
        raise UnreadableError("no article text in the page")
    return Article(
        article_id=article_id,
        title=normalise(found.title),
        text=normalise(text),
        source=_one(found.source),
        author=_one(found.author),
        url=_one(found.url),
        path=path,
        **_dated(found, parts),
    )


def plain_text(data: bytes | str) -> str:
    """All text that a piece of HTML shows, a paragraph a block, without choosing among it.

    Raises:
        UnreadableError: it is no HTML.
    """
    root = parse(data)
    return normalise(_joined(paragraphs(root, lambda _element: False)))


def document_text(data: bytes) -> tuple[str, str]:
    """The heading of a document that holds nothing but an article, and the text below it.

    Raises:
        UnreadableError: it is no HTML.
    """
    parts = paragraphs(parse(data), lambda _element: False)
    title = parts[0].text if parts and parts[0].is_heading else ""
    return normalise(" ".join(title.split())), normalise(_joined(parts[1 if title else 0 :]))


def _joined(parts: list[Paragraph]) -> str:
    return "\n\n".join(part.text for part in parts)


def _one(text: str | None) -> str | None:
    return (normalise(text) or None) if text else None


def _dated(found: Declared, parts: list[Paragraph]) -> dict[str, Any]:
    """The day of publication, and in `metadata` where it stands and what a day cannot hold."""
    stated = found.published
    if stated is None:
        line = date_line(parts, found.title)
        day = parse_date(line) if line else None
        if line and day:
            stated = Stated(day, line, "guess: a line beside the title")
    metadata: dict[str, Any] = {}
    if stated is not None:
        metadata["published_from"] = stated.where
        if stated.text != stated.day.isoformat():
            metadata["published"] = normalise(stated.text)
    updated = found.updated
    if updated is not None and (stated is None or updated.text != stated.text):
        metadata["updated"] = normalise(updated.text)
    if found.language:
        metadata["language"] = normalise(found.language)
    return {"published": stated.day if stated else None, "metadata": metadata}
