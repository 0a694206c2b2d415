"""Gathering: what is searched for a question, the time it speaks of first.

A question of "this week" is searched among the articles of that week, and then among all: which of
them answers is decided sentence by sentence (`rag.answering.choosing`), not by the search.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rag.answering.question import Kind, Question
from rag.retrieval import Filter, Found, QuestionTerms, Retrieved
from rag.text.periods import RECENT
from rag.text.same import repeats, word_runs

_AFTER_EVENT = datetime.timedelta(21)
"""So long after an event articles still bring it as news."""
_TOLD_AFTER = datetime.timedelta(31)
"""So long after a stretch of days such as "last month" articles tell of it by those words."""
STANDS_FOR = datetime.timedelta(365)
"""So long an article tells how things stand."""
_DAY = datetime.timedelta(1)
_N_FIRST = 5
"""Passages that fit best, behind whose days newer ones are looked for."""

Search = Callable[[Filter], Found]


class Window(NamedTuple):
    """The days in which articles are looked for first.

    Attributes:
        since, until: First and last day of publication, both included.
        words: What in the question says so; empty where nothing does.
        bound: Whether an article from outside is no answer ("this week").
        told_until: Last day of publication of articles that may tell of those days afterwards:
            "last month", written in this one.
    """

    since: datetime.date
    until: datetime.date
    words: str
    bound: bool
    told_until: datetime.date

    def holds(self, days: Iterable[tuple[datetime.date, datetime.date]]) -> bool:
        """Whether some of these stretches of days lie in the time that the words name."""
        last = self.until - _DAY
        return any(first <= last and end >= self.since for first, end in days)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found for a question.

    Attributes:
        terms: The question's words.
        found: Passages, best first, those of the window and of all times together, each once.
        window: Where was looked first; None where the question speaks of no time and no article
            is recent.
        not_before: How things stand now no older article tells; None where that is not asked.
    """

    terms: QuestionTerms
    found: list[Retrieved]
    window: Window | None
    not_before: datetime.date | None = None

    def may_tell(self, published: datetime.date | None) -> bool:
        """Whether an article of that day may answer the question at all."""
        if self.window is not None and self.window.bound:
            return self.in_window(published)
        return published is None or self.not_before is None or published >= self.not_before

    @property
    def time_words(self) -> str:
        """The words for the time of the question, if only articles of that time may answer."""
        return self.window.words if self.window and self.window.bound else ""

    def in_window(self, published: datetime.date | None) -> bool:
        """Whether an article of that day stands in the window."""
        window = self.window
        return bool(window and published and window.since <= published <= window.until)

    def looks_back(self, published: datetime.date | None) -> bool:
        """Whether an article of that day may tell of the window from behind it."""
        window = self.window
        return bool(window and published and window.until < published <= window.told_until)


def window_of(question: Question) -> Window:
    """The window that a question speaks of; the month before it was asked where it names none."""
    asked_on = question.asked_on
    named = [period for period in question.periods if period.strength != "present"]
    if not named:
        present = " ".join(period.text for period in question.periods)
        last = asked_on + _DAY
        return Window(asked_on - RECENT, last, present, False, last)
    if question.kind is Kind.DATED:  # what was reported then, not what happened
        bound = named
    else:
        bound = [period for period in named if period.strength == "bound"]
    chosen = bound or named
    first = min(period.first for period in chosen)
    last = max(period.last for period in chosen) + (_DAY if bound else _AFTER_EVENT)
    words = ", ".join(period.text for period in chosen)
    told_until = max(last, min(asked_on, last + _TOLD_AFTER)) if bound else last
    return Window(first, last, words, bool(bound), told_until)


def gather(question: Question, search: Search, filter: Filter) -> Gathered:
    """Search the window of a question, and then everything that the filter lets pass.

    Args:
        question: The question.
        search: Gives the passages for a filter, best first.
        filter: What the search is narrowed to; days given there take the place of a window.
            What was published after the day of asking is left out besides.
    """
    if question.sides and not filter.source:
        return _of_each_side(question, search, filter)
    known = _known_then(filter, question.asked_on)
    if filter.since or filter.until or not question.uses_window:
        everything = search(known)
        return Gathered(everything.terms, list(everything.passages), None)
    window = window_of(question)
    until = min(window.told_until, known.until or window.told_until)
    narrowed = filter.model_copy(update={"since": window.since, "until": until, "undated": False})
    inside = search(narrowed)
    everything = search(known)
    if not inside.passages and not window.words:
        return Gathered(everything.terms, list(everything.passages), None)
    found = _once([*inside.passages, *everything.passages])
    if question.asks_count_so_far:
        found = _once([*found, *_published_after(found[:_N_FIRST], narrowed, search)])
    return Gathered(everything.terms, found, window, _oldest(question))


def _published_after(
    first: Sequence[Retrieved], narrowed: Filter, search: Search
) -> Sequence[Retrieved]:
    """What the window has that was published after the passages that fit best.

    The newest article on a toll is not the one that fits the question best.
    """
    days = [item.article.published for item in first if item.article.published]
    since = max(days, default=None)
    if since is None or narrowed.until is None or since >= narrowed.until:
        return ()
    return search(narrowed.model_copy(update={"since": since + _DAY})).passages


def _of_each_side(question: Question, search: Search, filter: Filter) -> Gathered:
    """What each of the publishers says that a comparison names: the most relevant of each."""
    alone = replace(question, sides=())
    parts = [
        gather(alone, search, filter.model_copy(update={"source": (side,)}))
        for side in question.sides
    ]
    first = next((part for part in parts if part.window), parts[0])
    return replace(first, found=_once([passage for part in parts for passage in part.found]))


def _known_then(filter: Filter, asked_on: datetime.date) -> Filter:
    """A filter that leaves out what was published after a day of asking that has passed.

    Articles of the next day pass: time zones differ, and papers carry the day of their print.
    """
    if asked_on >= datetime.date.today():
        return filter
    last = asked_on + _DAY
    if filter.until:
        return filter.model_copy(update={"until": min(filter.until, last)})
    undated = filter.undated or filter.since is None
    return filter.model_copy(update={"until": last, "undated": undated})


def _oldest(question: Question) -> datetime.date | None:
    """The first day whose articles can tell how things stand now, if that is what is asked.

    Only of a collection that goes on, with articles of the last month; one that has ended is asked
    as it was then.
    """
    asks_now = question.language.pattern("questions.present").search(question.text)
    named = any(period.strength != "present" for period in question.periods)
    return question.asked_on - STANDS_FOR if asks_now and not named else None


def _once(found: Sequence[Retrieved]) -> list[Retrieved]:
    """Passages without those that stand in one before, ranked anew by their score."""
    kept: list[Retrieved] = []
    for item in found:
        if not any(_stands_in(item, other) for other in kept):
            kept.append(item)
    kept.sort(key=lambda item: -item.hit.score)
    return [
        replace(item, hit=item.hit.model_copy(update={"rank": rank}))
        for rank, item in enumerate(kept, start=1)
    ]


def _stands_in(item: Retrieved, other: Retrieved) -> bool:
    """Whether most of a passage is another, or it repeats an article of the same story.

    Neighbours share a sentence, and are two.
    """
    ours, theirs = item.hit, other.hit
    if ours.article_id == theirs.article_id:
        shared = min(ours.end, theirs.end) - max(ours.start, theirs.start)
        return 2 * shared > min(ours.end - ours.start, theirs.end - theirs.start)
    return (
        bool(ours.story)
        and ours.story == theirs.story
        and repeats(word_runs(ours.text), word_runs(other.article.text))
    )
