"""Text files: one article each."""

from __future__ import annotations

import os
from collections.abc import Iterator

from rag.article import Article
from rag.readers.decoding import text_of
from rag.readers.skipped import UnreadableError, system_reason

MAX_TEXT_BYTES = 64 * 2**20
"""A larger `.txt` file is skipped: it is a dump, not one article."""


def read_text_file(file: str, shown: str) -> Iterator[tuple[None, Article | str]]:
    """The article of a text file, or why there is none."""
    try:
        size = os.path.getsize(file)
        if size > MAX_TEXT_BYTES:
            raise UnreadableError(
                f"too big for one article: {size:,} bytes, at most {MAX_TEXT_BYTES:,}"
            )
        with open(file, "rb") as stream:
            text = text_of(stream.read())
        if not text:
            raise UnreadableError("empty file")
        if not text.strip():
            raise UnreadableError("only white space")
    except OSError as error:
        yield None, system_reason(error)
    except UnreadableError as error:
        yield None, str(error)
    else:
        stem = os.path.splitext(os.path.basename(shown))[0]
        yield None, Article(article_id=stem, text=text, path=shown)
