"""What an index holds, without the texts: the rows of the library, and what they share."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rag import Article, Story, format_of_path
from rag.page.markup import headline

_MAX_FIELD, _MAX_VALUES = 60, 200
_OF_DATES = ("published", "published_from")


@dataclass(frozen=True, slots=True)
class Row:
    """An article in the table of the library.

    Attributes:
        article_id, title, published, source, path: Of the article.
        n_same: Number of other articles that tell the same story.
        told: What it is among them: `first report`, `reprint` or `earlier version`.
        fields: What it is found under besides: name and value, such as a section and its topics.
    """

    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    n_same: int = 0
    told: str = ""
    path: str | None = None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def format(self) -> str:
        """The format that it was read in."""
        return format_of_path(self.path or "") or "other"

    @property
    def groups(self) -> Iterator[tuple[str, str]]:
        """All that the table can be narrowed by: name and value."""
        if self.source:
            yield "publisher", self.source
        yield from self.fields
        yield "format", self.format
        if self.told:
            yield "story", self.told


@dataclass(frozen=True)
class Overview:
    """What an index holds, without the texts.

    Attributes:
        index, version: Which one.
        rows: Its articles, in the order of reading.
        n_removed: Pieces that cleaning took out, by article; may be counted when first asked for.
        stories: By article the ids of all that tell its story, if others do.
        examples: Questions to begin with.
    """

    index: str
    version: int
    rows: tuple[Row, ...]
    n_removed: Mapping[str, int]
    stories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """The rows by article."""
        return {row.article_id: row for row in self.rows}

    @cached_property
    def days(self) -> Counter[datetime.date]:
        """Number of articles by day of publication."""
        return Counter(row.published for row in self.rows if row.published)

    @property
    def n_undated(self) -> int:
        """Number of articles without a day."""
        return len(self.rows) - self.days.total()

    @cached_property
    def sources(self) -> list[str]:
        """Publishers, the one with most articles first."""
        return [name for name, _ in Counter(r.source for r in self.rows if r.source).most_common()]

    @cached_property
    def groups(self) -> dict[str, list[tuple[str, int]]]:
        """What the table can be narrowed by: by name the values, those of most articles first.

        Left out is what would not narrow it: one value for all, or one for each.
        """
        counts: dict[str, Counter[str]] = {}
        for row in self.rows:
            for name, value in row.groups:
                counts.setdefault(name, Counter())[value] += 1
        return {
            name: found.most_common()
            for name, found in counts.items()
            if len(found) <= _MAX_VALUES
            and max(found.values()) < len(self.rows)
            and (max(found.values()) > 1 or len(self.rows) < 10)
        }


def rows_of(articles: Iterable[Article], stories: Iterable[Story]) -> Iterator[Row]:
    """A row for each article."""
    told: dict[str, tuple[int, str]] = {}
    for story in stories:
        for told_by in story.articles:
            what = "first report" if told_by in (story.first, story.shown) else "reprint"
            what = "earlier version" if told_by in story.superseded else what
            told[told_by] = len(story.articles) - 1, what
    for one in articles:
        n_same, what = told.get(one.article_id, (0, ""))
        yield Row(
            one.article_id, headline(one), one.published, one.source, n_same, what, one.path,
            tuple(_fields(one)),
        )  # fmt: skip


def _fields(article: Article) -> Iterator[tuple[str, str]]:
    """Sections, topics and the like: texts that are short, or lists of such."""
    for name, value in article.metadata.items():
        values = value if isinstance(value, list) else [value]
        for one in dict.fromkeys(each for each in values if isinstance(each, str)):
            if name not in _OF_DATES and 0 < len(one) <= _MAX_FIELD:
                yield name, one
