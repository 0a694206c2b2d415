"""Boilerplate of an article as the index keeps it: what its publisher puts into many articles."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from rag.index.catalog import Catalog


class Boilerplate(BaseModel):
    """A line that stands in many articles of one publisher: it is no evidence.

    Attributes:
        start, end: Span in the article's text.
        text: The line: article text[start:end].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    end: int
    text: str


def boilerplate_of(catalog: Catalog, article_id: str) -> tuple[Boilerplate, ...]:
    """The boilerplate of an article, in the order of its text."""
    number = catalog.number(article_id)
    if number is None:
        return ()
    text = catalog.articles([number])[number].text
    spans = catalog.columns.boilerplate_of(number)
    return tuple(Boilerplate(start=start, end=end, text=text[start:end]) for start, end in spans)
