"""The reader of web pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.readers.html.page import page_article
from rag.readers.reader import Found, Origin, without_head
from rag.readers.text_files import MAX_TEXT_BYTES

_START = re.compile(rb"<!doctype html|<html[\s>]")


class HtmlReader:
    """`.html`: a saved page with one article."""

    name = "html"
    suffixes = (".html", ".htm", ".xhtml", ".shtml")
    max_bytes = MAX_TEXT_BYTES

    def fits(self, start: bytes) -> bool:
        """Whether it begins as a page does."""
        return _START.match(without_head(start)) is not None

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """Its article."""
        article = page_article(data, article_id=origin.stem, path=origin.path, url=origin.url)
        yield None, article
