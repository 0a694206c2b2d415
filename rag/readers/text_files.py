"""Text files: one article each."""

from __future__ import annotations

import os

from rag.article import Article
from rag.readers.decoding import text_of
from rag.readers.skipped import UnreadableError

MAX_TEXT_BYTES = 64 * 2**20
"""A larger `.txt` file is skipped: it is a dump, not one article."""


def read_text(file: str) -> bytes:
    """The bytes of a text file.

    Raises:
        UnreadableError: it is too big for one article.
        OSError: it cannot be read.
    """
    size = os.path.getsize(file)
    if size > MAX_TEXT_BYTES:
        raise UnreadableError(
            f"too big for one article: {size:,} bytes, at most {MAX_TEXT_BYTES:,}"
        )
    with open(file, "rb") as stream:
        return stream.read()


def text_article(data: bytes, shown: str) -> Article | str:
    """The article of a text file, or why there is none."""
    try:
        text = text_of(data)
    except UnreadableError as error:
        return str(error)
    if not text.strip():
        return "only white space" if text else "empty file"
    stem = os.path.splitext(os.path.basename(shown))[0]
    return Article(article_id=stem, text=text, path=shown)
