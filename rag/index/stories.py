"""Stories: the articles that tell the same text, as the index keeps them."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict

from rag.index.catalog import Catalog


class Story(BaseModel):
    """A text that several articles tell.

    Attributes:
        first: `article_id` of the first report.
        shown: `article_id` of the article that stands for it: the first report's newest version.
        articles: `article_id` of each of its articles, in the order of reading.
        superseded: By `article_id` of an earlier version, that of the newest one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    shown: str
    articles: tuple[str, ...]
    superseded: dict[str, str]


def stories_of(catalog: Catalog) -> list[Story]:
    """The stories of several articles, by the number of their first reports."""
    columns = catalog.columns
    numbers, sizes = np.unique(columns.firsts, return_counts=True)
    found = []
    for first in numbers[sizes > 1].tolist():
        place = columns.place(first)
        ids = {n: article.article_id for n, article in catalog.articles(place.members).items()}
        newest = {member: columns.place(member).newest for member in place.members}
        found.append(
            Story(
                first=ids[first],
                shown=ids[place.shown],
                articles=tuple(ids[member] for member in place.members),
                superseded={ids[n]: ids[other] for n, other in newest.items() if n != other},
            )
        )
    return found
