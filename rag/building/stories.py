"""Stories: which articles tell the same text.

A story is the first report with its reprints: articles whose text repeats it, or which it repeats
(`rag.text.same`). Articles at one address that share text are versions of one another; the newest
is the one that is used. What story an article belongs to depends on the articles alone, not on the
builds that brought them: everything is grouped anew each time, and only what two articles have in
common, which takes reading them, is kept from one build to the next.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.text.same import SAME_SHARE, Runs, figures, share_held, word_runs

SKETCH_RUNS = 64
"""Runs of a text that are kept to find others by: its smallest of those below `_SKETCH_BELOW`."""
_SKETCH_BELOW = np.uint64(2**64 // 8)  # so that a long text and a part of it keep the same ones
MIN_RUNS = 40
"""A shorter text is the same as another only if both have the same runs and the same title."""
MIN_LENGTH_SHARE = 1 / 3
"""The shorter of two texts has at least so much of the longer: else it is a part of it."""
MIN_FIGURES_SHARE = 0.7
"""Of two texts' figures the one with fewer shares so many: else it is the next daily report."""
NEAR_DAYS, FAR_SHARE = 7, 0.9
"""Of articles further apart than a week more must be the same: else it is written anew."""
VERSION_SHARE = 0.3
"""Two articles at one address are versions of one if the shorter shares so many of its runs."""
_SHARED_SKETCH = 0.2  # of the smaller sketch, to look at two articles at all
_MIN_JUDGED, _LEAST_ESTIMATED = 12, 0.5  # by sketches: what is well below the limits
_N_LEADERS = 32  # first reports of one heap that an article is compared with, at most
_NOT_OF_ADDRESS = re.compile(
    r"^\w+://(?:www\.)?|(?<=[?&])(?:utm_\w+|fbclid|gclid|ref|cmp)=[^&#]*&?|#.*$"
)


class Alike(IntFlag):
    """What two articles are to each other."""

    NEITHER = 0
    SAME_TEXT = 1
    VERSIONS = 2


@dataclass(frozen=True, slots=True)
class Head:
    """What decides the order of articles, and which are versions of one.

    Attributes:
        number: Of the article in the catalog.
        article_id, path: Of the article.
        published: ISO 8601 day; None without one.
        stated: Moments that the article states: of publication, of its last change.
        url: Where it stands; None without one.
    """

    number: int
    article_id: str
    path: str | None
    published: str | None
    stated: tuple[str | None, str | None]
    url: str | None

    @property
    def by_day(self) -> tuple[str, str, str, str]:
        """Orders articles as they were published, undated ones last."""
        moment = moment_of(self.stated[0])
        return self.published or "~", moment, self.path or "", self.article_id

    @property
    def by_change(self) -> tuple[str, str, str]:
        """Orders versions of an article as they were written."""
        moments = (self.published or "", *map(moment_of, self.stated))
        return max(moments), self.path or "", self.article_id

    @property
    def address(self) -> str | None:
        """The url without what does not tell pages apart."""
        return _NOT_OF_ADDRESS.sub("", self.url).rstrip("/?&") if self.url else None


@dataclass(frozen=True)
class Reading:
    """What is compared of an article.

    Attributes:
        title, text: Of the article.
    """

    title: str
    text: str

    @cached_property
    def runs(self) -> frozenset[int]:
        """The runs of words of its text."""
        return word_runs(self.text)

    @cached_property
    def figures(self) -> frozenset[str]:
        """The figures in its text."""
        return figures(self.text)


class Comparer(Protocol):
    """Says what two articles are to each other."""

    def __call__(self, one: Head, other: Head) -> Alike:
        """The same whichever of the two comes first."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """An article of a story with several.

    Attributes:
        first: Number of the first report.
        newest: Number of the newest version of the article; its own if that is it.
        shown: Number of the article that stands for the story: the first report's newest version.
    """

    first: int
    newest: int
    shown: int


def sketch(text: str) -> NDArray[np.uint64]:
    """The runs of a text by which others with them are found: ascending, shape (n,)."""
    runs = Runs(text).numbers
    return np.unique(runs[runs < _SKETCH_BELOW])[:SKETCH_RUNS]


def may_share(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> bool:
    """Whether two texts can be the same, by their sketches: what cannot need not be read.

    Both are looked at up to the run that the one which ends first ends with.
    """
    full = [own[-1] for own in (one, other) if len(own) == SKETCH_RUNS]
    last = min(full, default=_SKETCH_BELOW)
    one, other = one[one <= last], other[other <= last]
    n = min(len(one), len(other))
    n_shared = len(np.intersect1d(one, other, assume_unique=True))
    return n < _MIN_JUDGED or n_shared >= _LEAST_ESTIMATED * n


def group(
    heads: Sequence[Head], sketches: Mapping[int, NDArray[np.uint64]], compare: Comparer
) -> dict[int, Member]:
    """The articles that belong to a story with several.

    Args:
        heads: Every article, in any order.
        sketches: Sketch of each article by its number.
        compare: Looks at two articles closely.

    Returns:
        By number of the article.
    """
    ordered = sorted(heads, key=lambda head: head.by_day)
    pairs = [*_sharing_runs([sketches[head.number] for head in ordered]), *_at_one_address(ordered)]
    heaps = _connected(
        len(ordered), (pair for pair in pairs if compare(ordered[pair[0]], ordered[pair[1]]))
    )
    members: dict[int, Member] = {}
    for heap in heaps:
        for story in _stories([ordered[place] for place in heap], compare):
            members |= _members(story)
    return members


def alike(one: Head, other: Head, texts: tuple[Reading, Reading]) -> Alike:
    """What two articles are to each other.

    Args:
        one, other: The articles.
        texts: Of the one and the other.
    """
    less, more = sorted(texts, key=lambda text: len(text.runs))
    if not less.runs:
        return Alike.NEITHER
    share = share_held(less.runs, more.runs)
    found = Alike.NEITHER
    if one.address and one.address == other.address and share >= VERSION_SHARE:
        found |= Alike.VERSIONS
    if len(less.runs) < MIN_RUNS:
        same = less.runs == more.runs and less.title.casefold() == more.title.casefold()
    else:
        same = (
            share >= (SAME_SHARE if _days_apart(one, other) <= NEAR_DAYS else FAR_SHARE)
            and len(less.runs) >= MIN_LENGTH_SHARE * len(more.runs)
            and _same_figures(less, more)
        )
    return found | Alike.SAME_TEXT if same else found


def _same_figures(one: Reading, other: Reading) -> bool:
    fewer, more = sorted((one.figures, other.figures), key=len)
    return share_held(fewer, more) >= MIN_FIGURES_SHARE


def moment_of(stated: str | None) -> str:
    """A moment in ISO 8601 and UTC, which sorts by time; empty if it is not written so."""
    try:
        moment = datetime.datetime.fromisoformat((stated or "").strip())
    except ValueError:
        return ""
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return moment.isoformat()


def _days_apart(one: Head, other: Head) -> int:
    if not one.published or not other.published:
        return 0
    days = [datetime.date.fromisoformat(head.published or "") for head in (one, other)]
    return abs((days[0] - days[1]).days)


def _sharing_runs(sketches: Sequence[NDArray[np.uint64]]) -> list[tuple[int, int]]:
    """Pairs of articles, by their places, whose sketches have enough in common.

    Of the articles that share a run, each is paired with the two that follow it: any number of
    reprints is held together by few pairs.
    """
    sizes = np.array([len(own) for own in sketches], dtype=np.int64)
    if not sizes.sum():
        return []
    runs, places = np.concatenate(sketches), np.repeat(np.arange(len(sketches)), sizes)
    order = np.lexsort((places, runs))
    runs, places = runs[order], places[order]
    both = []
    for step in (1, 2):
        equal = runs[step:] == runs[:-step]
        both.append(places[:-step][equal] * len(sketches) + places[step:][equal])
    pairs, n_shared = np.unique(np.concatenate(both), return_counts=True)
    one, other = np.divmod(pairs, len(sketches))
    enough = n_shared >= _SHARED_SKETCH * np.minimum(sizes[one], sizes[other])
    return list(zip(one[enough].tolist(), other[enough].tolist(), strict=True))


def _at_one_address(ordered: Sequence[Head]) -> list[tuple[int, int]]:
    """Pairs of articles, by their places, that follow one another at one address."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, head in enumerate(ordered):
        if head.address:
            places[head.address].append(place)
    return [pair for own in places.values() for pair in itertools.pairwise(own)]


def _connected(n: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Places that pairs lead to from one another, two at least, ascending."""
    above = list(range(n))

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    for one, other in pairs:
        low, high = sorted((top(one), top(other)))
        above[high] = low
    heaps: dict[int, list[int]] = defaultdict(list)
    for place in range(n):
        heaps[top(place)].append(place)
    return [heap for heap in heaps.values() if len(heap) > 1]


def _stories(heap: Sequence[Head], compare: Comparer) -> list[list[Head]]:
    """A heap, in its order, taken apart: what leads from one to another need not be the same.

    An article belongs to the first story whose first report has the same text, or that has a
    version of it.
    """
    stories: list[list[Head]] = []
    for head in heap:
        for story in stories[-_N_LEADERS:]:
            if compare(head, story[0]) & Alike.SAME_TEXT or any(
                head.address == other.address and compare(head, other) & Alike.VERSIONS
                for other in story
                if head.address
            ):
                story.append(head)
                break
        else:
            stories.append([head])
    return [story for story in stories if len(story) > 1]


def _members(story: Sequence[Head]) -> dict[int, Member]:
    newest: dict[object, Head] = {}
    for head in story:
        key = head.address or head.number
        newest[key] = max(newest.get(key, head), head, key=lambda one: one.by_change)
    shown = newest[story[0].address or story[0].number].number
    return {
        head.number: Member(story[0].number, newest[head.address or head.number].number, shown)
        for head in story
    }
