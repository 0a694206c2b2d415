"""An article: one published text, with what is known about where it came from."""

from __future__ import annotations

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
        path: The file it was read from, relative to the folder of `index.toml`.
        metadata: Further fields of a JSON line, kept as they are.
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
    metadata: dict[str, Any] = Field(default_factory=dict)

    def content_hash(self) -> str:
        """sha256 (hex) over everything but `path`: equal content, equal hash."""
        fields = self.model_dump(mode="json", exclude={"path"})
        canonical = json.dumps(fields, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
