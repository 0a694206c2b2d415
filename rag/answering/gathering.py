"""Gathering: what is searched for a question, the time it speaks of first.

A question of "this week" is searched among the articles of that week, and then among all: which of
them answers is decided sentence by sentence (`rag.answering.evidence`), not by the search.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rag.answering.question import Kind, Question
from rag.retrieval import Filter, Found, QuestionTerms, Retrieved
from rag.text.periods import RECENT
from rag.text.same import repeats, word_runs

_AFTER_EVENT = datetime.timedelta(21)
"""So long after an event articles still bring it as news."""
STANDS_FOR = datetime.timedelta(365)
"""So long an article tells how things stand."""
_DAY = datetime.timedelta(1)

Search = Callable[[Filter], Found]


class Window(NamedTuple):
    """The days in which articles are looked for first.

    Attributes:
        since, until: First and last day of publication, both included.
        words: What in the question says so; empty where nothing does.
        bound: Whether an article from outside is no answer ("this week").
        is_now: Whether the window ends with the day of asking.
    """

    since: datetime.date
    until: datetime.date
    words: str
    bound: bool
    is_now: bool


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

    def in_window(self, published: datetime.date | None) -> bool:
        """Whether an article of that day stands in the window."""
        window = self.window
        return bool(window and published and window.since <= published <= window.until)


def window_of(question: Question) -> Window:
    """The window that a question speaks of; the month before it was asked where it names none."""
    asked_on = question.asked_on
    named = [period for period in question.periods if period.strength != "present"]
    if not named:
        present = " ".join(period.text for period in question.periods)
        return Window(asked_on - RECENT, asked_on + _DAY, present, bound=False, is_now=True)
    if question.kind is Kind.DATED:  # what was reported then, not what happened
        bound = named
    else:
        bound = [period for period in named if period.strength == "bound"]
    chosen = bound or named
    first = min(period.first for period in chosen)
    last = max(period.last for period in chosen) + (_DAY if bound else _AFTER_EVENT)
    words = ", ".join(period.text for period in chosen)
    return Window(first, last, words, bound=bool(bound), is_now=last >= asked_on)


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
    narrowed = filter.model_copy(
        update={"since": window.since, "until": window.until, "undated": False}
    )
    inside = search(narrowed)
    everything = search(known)
    if not inside.passages and not window.words:
        return Gathered(everything.terms, list(everything.passages), None)
    found = _once([*inside.passages, *everything.passages])
    return Gathered(everything.terms, found, window, _oldest(question))


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
    """Whether a passage overlaps another, or repeats an article of the same story."""
    ours, theirs = item.hit, other.hit
    if ours.article_id == theirs.article_id:
        return ours.start < theirs.end and theirs.start < ours.end
    return (
        bool(ours.story)
        and ours.story == theirs.story
        and repeats(word_runs(ours.text), word_runs(other.article.text))
    )
