"""Items of broad answers: of which day each is, and in which order they are read."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.answering.evidence import Evidence
from rag.answering.question import Kind, Question

_APART = datetime.timedelta(30)
"""Articles with more between them tell of another state of things."""
_SAME_EVENT = 0.5  # cosine from which two sentences tell of one event


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a broad answer.

    Attributes:
        source: The sentence.
        day: The day of what it tells; None where none is known.
        day_named: Whether the sentence itself names that day; else it is that of its article.
        said_by: Other articles' sentences that say much the same, the best first.
    """

    source: Evidence
    day: datetime.date | None
    day_named: bool
    said_by: tuple[Evidence, ...]


def day_of(sentence: Evidence) -> tuple[datetime.date | None, bool]:
    """The day of what a sentence tells, and whether the sentence or the heading above names it.

    Where none does it is that of its article.
    """
    if sentence.told_days:
        return sentence.told_days[0], True
    if sentence.day_above:
        return sentence.day_above, True
    return sentence.article.published, False


def publishers(sentences: Sequence[Evidence]) -> tuple[str, ...]:
    """Who published them, each once."""
    return tuple(dict.fromkeys(s.article.source for s in sentences if s.article.source))


def in_order(question: Question, items: list[Item]) -> list[Item]:
    """Items as they are to be read."""
    if question.of_article:
        return sorted(items, key=lambda item: item.source.start)
    if question.kind is Kind.TIMELINE or _asks_change(question):
        return sorted(items, key=lambda item: item.day or datetime.date.min)
    if question.kind is Kind.SUMMARY:
        return _newest_state_first(items)
    if question.kind is Kind.DATED:
        return _by_event(sorted(items, key=_published, reverse=True))
    return items


def _asks_change(question: Question) -> bool:
    """Whether a comparison is one of days, not of sources."""
    change = question.language.pattern("questions.change")
    return (
        question.kind is Kind.COMPARE
        and not question.sides
        and change.search(question.text) is not None
    )


def begin_with_day(question: Question, items: Sequence[Item]) -> bool:
    """Whether each item is to begin with its day.

    Those of a timeline, a report and a comparison of days do, and those of a summary that comes
    from articles of different times.
    """
    if question.kind is Kind.SUMMARY:
        return differ_in_time([item.source.article.published for item in items])
    return question.kind in (Kind.TIMELINE, Kind.DATED) or _asks_change(question)


def may_differ(question: Question) -> bool:
    """Whether it is to be told where the sources of the items differ; days in order tell it."""
    return question.kind in (Kind.SUMMARY, Kind.COMPARE) and not _asks_change(question)


def differ_in_time(days: Sequence[datetime.date | None]) -> bool:
    """Whether articles tell of different states of things: more than a month lies between them."""
    known = sorted(day for day in days if day)
    return any(newer - older > _APART for older, newer in pairwise(known))


def _newest_state_first(items: Sequence[Item]) -> list[Item]:
    """What was told at one time together, as it stands; the newest first, what has no day last."""
    days = sorted({_published(item) for item in items}, reverse=True)
    state = {days[0]: 0}
    for newer, older in pairwise(days):
        state[older] = state[newer] + (newer - older > _APART)
    return sorted(items, key=lambda item: state[_published(item)])


def _by_event(items: Sequence[Item]) -> list[Item]:
    """What tells of one event one after another, each where its first one stands."""
    groups: list[list[Item]] = []
    for item in items:
        near = (
            group
            for group in groups
            if any(float(item.source.vector @ one.source.vector) >= _SAME_EVENT for one in group)
        )
        group = next(near, None)
        if group is None:
            groups.append([item])
        else:
            group.append(item)
    return [item for group in groups for item in group]


def _published(item: Item) -> datetime.date:
    return item.source.article.published or datetime.date.min
