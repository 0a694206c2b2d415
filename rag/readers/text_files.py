"""Text files: one article each."""

from __future__ import annotations

from collections.abc import Iterator

from rag.article import Article
from rag.readers.decoding import text_of
from rag.readers.reader import Found, Origin
from rag.readers.skipped import UnreadableError

MAX_TEXT_BYTES = 64 * 2**20
"""A larger text file is skipped: it is a dump, not one article."""


class TextReader:
    """`.txt`: the whole file is the text of an article."""

    name = "text"
    suffixes = (".txt",)
    max_bytes = MAX_TEXT_BYTES

    def fits(self, start: bytes) -> bool:
        """Never: any text may be of another format."""
        return False

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """Its article."""
        text = text_of(data)
        if not text.strip():
            raise UnreadableError("only white space" if text else "empty file")
        yield None, Article(article_id=origin.stem, text=text, path=origin.path)
