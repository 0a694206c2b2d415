"""Books and magazines (EPUB): an article for each of their documents that holds text."""

from __future__ import annotations

import io
import posixpath
import urllib.parse
import zipfile
from collections.abc import Iterator
from typing import Any

from rag.article import Article
from rag.readers.archives import bounded
from rag.readers.dates import parse_date
from rag.readers.decoding import normalise
from rag.readers.html import document_text
from rag.readers.reader import Found, Origin
from rag.readers.skipped import UnreadableError

MAX_EPUB_BYTES = 256 * 2**20
_MIN_LETTERS = 200
"""A document with fewer is a cover, a title page or a divider."""


class EpubReader:
    """`.epub`: the documents in reading order, with the book's title as their source."""

    name = "epub"
    suffixes = (".epub",)
    max_bytes = MAX_EPUB_BYTES

    def fits(self, start: bytes) -> bool:
        """Whether it says so where every such file has to."""
        return start[:100].startswith(b"PK\x03\x04") and b"application/epub+zip" in start[:100]

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """An article for each document with text."""
        try:
            files = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise UnreadableError(f"broken: {error}") from error
        package, folder = _package(files)
        book = _book(package)
        n_found, shorter = 0, []
        for number, name in enumerate(_documents(package, folder), 1):
            try:
                title, text = document_text(bounded(files, files.getinfo(name)))
            except KeyError:
                yield number, f"{name}: is not in the book"
                continue
            except UnreadableError as error:
                yield number, f"{name}: {error}"
                continue
            article = _article(book, name, title, text, origin)
            if len("".join(text.split())) >= _MIN_LETTERS:
                n_found += 1
                yield number, article
            elif text:
                shorter.append((number, article))
        if not n_found:
            yield from shorter


def _parsed(files: zipfile.ZipFile, name: str) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(bounded(files, files.getinfo(name)), parser)
    except (KeyError, etree.XMLSyntaxError) as error:
        raise UnreadableError(f"broken: no {name} in the book") from error
    if root is None:
        raise UnreadableError(f"broken: {name} is empty")
    return root


def _package(files: zipfile.ZipFile) -> tuple[Any, str]:
    """The book's list of what it consists of, and the folder that it lies in."""
    container = _parsed(files, "META-INF/container.xml")
    path = next((element.get("full-path") for element in container.iter("{*}rootfile")), None)
    if not path:
        raise UnreadableError("broken: the book does not say where its parts are")
    return _parsed(files, path), posixpath.dirname(path)


def _book(package: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in package.iter("{http://purl.org/dc/elements/1.1/}*"):
        name = element.tag.rpartition("}")[2]
        value = " ".join(normalise("".join(element.itertext())).split())
        if value:
            found.setdefault(name, value)
    return found


def _documents(package: Any, folder: str) -> Iterator[str]:
    """Names of the documents in reading order."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or not (href := item.get("href")):
            continue
        if "nav" not in (item.get("properties") or "").split():
            yield posixpath.normpath(posixpath.join(folder, urllib.parse.unquote(href)))


def _article(book: dict[str, str], name: str, title: str, text: str, origin: Origin) -> Article:
    published = parse_date(book["date"]) if "date" in book else None
    metadata: dict[str, Any] = {}
    if published is not None:
        metadata["published_from"] = "book dc:date"
        if book["date"] != published.isoformat():
            metadata["published"] = book["date"]
    stem = posixpath.splitext(posixpath.basename(name))[0]
    return Article(
        article_id=f"{origin.stem}/{stem}",
        title=title or book.get("title", ""),
        text=text,
        published=published,
        source=book.get("title"),
        author=book.get("creator"),
        path=f"{origin.path}/{name}",
        metadata=metadata,
    )
