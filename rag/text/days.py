"""Days that an article speaks of relative to its own: "on Friday", "last week", "in April".

Resolved for display only, against the day the article was published: a bare weekday or month is
the nearest past one, or the nearest coming one where the sentence speaks of the future ("will",
"due", "closes"). The phrases of a language stand in its file, each with the rule of `_rule` that
says what it means.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from dateutil.relativedelta import relativedelta
from pydantic import BaseModel, ConfigDict

from rag.text.language import Language
from rag.text.numbers import find_numbers

_SOON_DAYS = 2
_BEFORE, _BEHIND = 45, 20  # characters in which a verb belongs to a day
_NEAR_DAYS = 45  # a day of the calendar is meant in the year in which it is so near
_BEFORE_A_SENTENCE = frozenset('.!?:"“‘(–—')


class DatedPhrase(BaseModel):
    """A phrase of a text that means a day or a stretch of days.

    Attributes:
        text: The phrase.
        start, end: Its span in the article's text.
        first, last: The days it means, both included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    start: int
    end: int
    first: datetime.date
    last: datetime.date


Days = tuple[datetime.date, datetime.date]


class _Phrase(NamedTuple):
    """A phrase found, and against what it is read."""

    match: re.Match[str]
    day: datetime.date
    future: bool
    language: Language

    @property
    def past(self) -> bool:
        """Whether something done stands right before it."""
        before = self.match.string[: self.match.start()]
        return self.language.pattern("days.past").search(before) is not None

    @property
    def told_as_done(self) -> bool:
        """Whether something done stands near, before or behind it."""
        start, end = self.match.span()
        near = self.match.string[max(0, start - _BEFORE) : end + _BEHIND]
        return self.language.pattern("days.done").search(near) is not None

    @property
    def step(self) -> int | None:
        """What a word such as "last" (-1) or "this" (0) says; None without one that says it."""
        return self.language.table("calendar.steps").get((self.match["which"] or "").lower())


Rule = Callable[[_Phrase], Days]


def resolve(
    text: str, start: int, end: int, published: datetime.date, language: Language
) -> list[DatedPhrase]:
    """The relative days in a span of an article.

    Args:
        text: The article's text.
        start, end: The span.
        published: When the article was published.
        language: Of the text.

    Returns:
        In order, without overlaps; phrases with a year of their own are not relative.
    """
    span = text[start:end]
    future = bool(language.pattern("days.future").search(span))
    not_names, date_follows = map(language.pattern, ("days.not_names", "days.date_follows"))
    found: list[DatedPhrase] = []
    taken: set[int] = set()
    for pattern, days in _rules(language):
        for match in pattern.finditer(span):
            if (
                taken & set(range(*match.span()))
                or not_names.search(span[: match.start()])
                or is_a_name(span, *match.span(), language)
                or date_follows.match(span, match.end())
            ):
                continue
            try:
                first, last = days(_Phrase(match, published, future, language))
            except (OverflowError, ValueError):  # before the year 1, or 31 June
                continue
            taken.update(range(*match.span()))
            at = (start + match.start(), start + match.end())
            found.append(
                DatedPhrase(text=match.group(), start=at[0], end=at[1], first=first, last=last)
            )
    return sorted(found, key=lambda phrase: phrase.start)


def is_a_name(text: str, start: int, end: int, language: Language) -> bool:
    """Whether words that could mean a day are part of a name: "USA TODAY", "The Tonight Show"."""
    words = text[start:end]
    if not words.strip().lower().endswith(language.listed("days.papers")):
        return False
    before = text[:start].rstrip()
    begins = not before or before[-1] in _BEFORE_A_SENTENCE
    return words.isupper() or (words[:1].isupper() and not begins)


def names_a_day(text: str, language: Language) -> bool:
    """Whether a text says when: a day, a month or a year, also a relative one."""
    return language.pattern("days.named").search(text) is not None


def spelled(day: datetime.date) -> str:
    """A day as people write it: 2 August 2024."""
    return f"{day.day} {day:%B %Y}"


def tell_days(sentence: str, phrases: Sequence[DatedPhrase], language: Language) -> str:
    """A sentence with the days that its relative phrases mean, in square brackets.

    Args:
        sentence: Of an answer.
        phrases: Of the source sentences that support it; each is looked for in the sentence.
        language: Of both.

    Example:
        "They met on Friday." with "on Friday" as 2 August 2024 becomes
        "They met on Friday [2 August 2024]."
    """
    for phrase in phrases:
        if phrase.first != phrase.last or re.search(r"\d", phrase.text):
            continue  # a stretch, or a day of the calendar, which readers know
        words = r"\s+".join(map(re.escape, phrase.text.split()))
        match = re.search(rf"(?<!\w){words}(?!\w|’s|'s| \[)", sentence, re.IGNORECASE)
        if match and not is_a_name(sentence, *match.span(), language):
            told = f" [{spelled(phrase.first)}]"
            sentence = sentence[: match.end()] + told + sentence[match.end() :]
    return sentence


@cache
def _rules(language: Language) -> list[tuple[re.Pattern[str], Rule]]:
    return [
        (re.compile(language.filled(pattern, "days"), re.IGNORECASE), _rule(name))
        for name, pattern in language.groups("days.rules")
    ]


def _rule(name: str) -> Rule:
    """What a phrase means: "day -1" is the day before, the others are below."""
    kind, _, days = name.partition(" ")
    if kind == "day":
        step = datetime.timedelta(int(days))
        return lambda phrase: _one(phrase.day + step)
    return {"ago": _ago, "stretch": _stretch, "month": _month, "weekday": _weekday}[kind]


def _one(day: datetime.date) -> Days:
    return day, day


def _weekday(phrase: _Phrase) -> Days:
    day, step = phrase.day, phrase.step
    wanted = phrase.language.listed("calendar.weekdays").index(phrase.match["day"].lower())
    if step == 0:
        return _one(day + datetime.timedelta(wanted - day.weekday()))
    ahead = (wanted - day.weekday()) % 7
    # A day that comes at once is seldom the one six days before, unless that tells what was done.
    soon = 0 < ahead <= _SOON_DAYS and not phrase.told_as_done
    comes = (phrase.future and not phrase.past) or soon
    if step == 1 or (comes and step != -1):
        return _one(day + datetime.timedelta(ahead or (7 if step == 1 else 0)))
    back = (day.weekday() - wanted) % 7
    return _one(day - datetime.timedelta(back or (7 if step == -1 else 0)))


def _stretch(phrase: _Phrase) -> Days:
    return _unit(phrase.day, _unit_named(phrase), phrase.step or 0)


def _ago(phrase: _Phrase) -> Days:
    numbers = find_numbers(phrase.match["n"], phrase.language)
    n = int(numbers[0].value) if numbers else 1
    unit = _unit_named(phrase)
    if unit == "day":
        return _one(phrase.day - datetime.timedelta(n))
    return _unit(phrase.day, unit, -n)


def _unit_named(phrase: _Phrase) -> str:
    return str(phrase.language.table("calendar.units")[phrase.match["unit"].lower()])


def _unit(day: datetime.date, unit: str, step: int) -> Days:
    """The week (from Monday), weekend, month or year that is `step` away."""
    if unit in ("week", "weekend"):
        monday = day - datetime.timedelta(day.weekday()) + datetime.timedelta(7 * step)
        first = monday + datetime.timedelta(5 if unit == "weekend" else 0)
        return first, monday + datetime.timedelta(6)
    if unit == "month":
        first = day.replace(day=1) + relativedelta(months=step)
        return first, first + relativedelta(months=1, days=-1)
    first = day.replace(month=1, day=1) + relativedelta(years=step)
    return first, first + relativedelta(years=1, days=-1)


def _month(phrase: _Phrase) -> Days:
    match, day, step = phrase.match, phrase.day, phrase.step
    number = phrase.language.listed("calendar.months").index(match["month"].lower()) + 1
    first = day.replace(month=number, day=1)
    last = first + relativedelta(months=1, days=-1)
    if match["of"]:
        first = last = day.replace(month=number, day=int(re.sub(r"\D", "", match["of"])))
        if not match["which"] and (near := _nearest(first, day)) is not None:
            return _one(near)
    if step == 1 or (phrase.future and step != -1):
        years = 1 if last < day else 0
    else:
        years = -1 if first > day or (step == -1 and last >= day) else 0
    return first + relativedelta(years=years), last + relativedelta(years=years)


def _nearest(named: datetime.date, day: datetime.date) -> datetime.date | None:
    """A day of the calendar in the year in which it is near; None where it is near in none."""
    years = [named + relativedelta(years=step) for step in (-1, 0, 1)]
    return next((found for found in years if abs((found - day).days) <= _NEAR_DAYS), None)
