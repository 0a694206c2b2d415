"""An article: one published text, with what is known about where it came from."""

from __future__ import annotations

import bisect
import datetime
import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Article(BaseModel):
    """One published text.

    Readers make it from a file with the text as found; `rag.cleaning.clean` returns it again
    with the text that citations point into. All offsets in this package count characters
    (Unicode code points) of the cleaned text, `[start, end)`.

    Attributes:
        article_id: Unique within an index: the `id` of a JSON line, or the name of a text file.
        title: Headline; empty when the text states none.
        text: The text, without the title where that stands in a field of its own.
        published: Day of publication; None when not stated.
        source: Who published it, such as "The Jerusalem Post"; None when not stated.
        author: As stated.
        url: Where the original stands, as stated; not checked.
        path: The file it was read from, relative to the folder of `index.toml`; for one inside
            an archive both names, as in `papers.zip/1999/storm.html`.
        pages: Offset at which each page of a paged file begins in the text; empty without pages.
        metadata: Further fields, kept as they are; `published_from` says where `published` was
            found where a file has several places for it, and `published` what a day cannot hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    article_id: str
    title: str = ""
    text: str
    published: datetime.date | None = None
    source: str | None = None
    author: str | None = None
    url: str | None = None
    path: str | None = None
    pages: tuple[int, ...] = ()
    metadata: dict[str, Any] = Field(default_factory=dict)

    def page_at(self, offset: int) -> int | None:
        """Number of the page, from 1, that an offset of the text lies on; None without pages."""
        return max(bisect.bisect_right(self.pages, offset), 1) if self.pages else None

    def content_hash(self) -> str:
        """sha256 (hex) over everything but `path`: equal content, equal hash."""
        # Without pages as before there were any, so that stored hashes stay true.
        left_out = {"path"} if self.pages else {"path", "pages"}
        fields = self.model_dump(mode="json", exclude=left_out)
        canonical = json.dumps(fields, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
