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
    numbers, sizes = np.unique(catalog.columns.firsts, return_counts=True)
    return [_story(catalog, first) for first in numbers[sizes > 1].tolist()]


def story_of(catalog: Catalog, article_id: str) -> Story | None:
    """The story of an article; None if it stands alone, or there is no such one."""
    number = catalog.number(article_id)
    if number is None or len(catalog.columns.place(number).members) == 1:
        return None
    return _story(catalog, number)


def _story(catalog: Catalog, number: int) -> Story:
    place = catalog.columns.place(number)
    ids = {n: article.article_id for n, article in catalog.articles(place.members).items()}
    newest = {member: catalog.columns.newest_of(member) for member in place.members}
    return Story(
        first=ids[place.first],
        shown=ids[place.shown],
        articles=tuple(ids[member] for member in place.members),
        superseded={ids[n]: ids[other] for n, other in newest.items() if n != other},
    )
