"""Periods of time that a question names: "this week", "on 14 October 2025", "since August".

`rag.text.days` reads the relative days of an article against the day it was published. A question
is read against the day it is asked, and what matters is which articles may answer it, so that
"this week" is the seven days before and not the calendar's week. The words of a language stand in
its file, each with how much it binds and with the rule that says what it means.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple, cast

from dateutil.relativedelta import relativedelta

from rag.text.days import is_a_name
from rag.text.language import Language
from rag.text.numbers import find_numbers

Strength = Literal["bound", "event", "present"]


class Period(NamedTuple):
    """A period that a question names.

    Attributes:
        text: The words that name it.
        first, last: Its days, both included.
        strength: `bound`: an answer from another time is none ("this week", "yesterday").
            `event`: when something happened, which later articles may tell too ("in 2022", "on
            3 May 2024").
            `present`: newer is better ("recently", "latest").
        start, end: Where the words stand in the question.
    """

    text: str
    first: datetime.date
    last: datetime.date
    strength: Strength
    start: int
    end: int


_DAY = datetime.timedelta(1)
RECENT = datetime.timedelta(30)
"""How far "recently" reaches back."""
MOST_AHEAD = datetime.timedelta(250)
"""How far ahead a day without its year lies at most in an article."""
NEXT_YEAR = datetime.timedelta(45)
"""Days about the turn of the year in which a planned day may be of the next year."""


class _Words(NamedTuple):
    """Words found, and against what they are read."""

    match: re.Match[str]
    day: datetime.date
    language: Language
    ahead: datetime.timedelta

    def group(self, name: str) -> str | None:
        """A part of the words; None where they have no such part."""
        return self.match.groupdict().get(name)


Days = tuple[datetime.date, datetime.date]
Rule = Callable[[_Words], Days]


def told_periods(sentence: str, published: datetime.date, language: Language) -> list[Period]:
    """The periods that a sentence of an article names; see `find_periods`.

    A question asks after what has been; an article tells of what will be too. A day without its
    year is that of the year of publication, as news agencies have it, unless that lies far ahead;
    near the end of the year it may be of the next one, where something is planned. A day that is
    the name of something else, as in "the Jan. 6 committee", is none.

    Args:
        sentence: The sentence.
        published: Day of the article.
        language: Of the article.
    """
    left = datetime.date(published.year, 12, 31) - published
    if left < NEXT_YEAR and language.pattern("periods.plans").search(sentence):
        left += NEXT_YEAR
    found = find_periods(sentence, published, language, ahead=min(left, MOST_AHEAD))
    name = language.pattern("periods.known_by_its_day")
    return [period for period in found if not name.match(sentence, period.end)]


def find_periods(
    question: str,
    asked_on: datetime.date,
    language: Language,
    *,
    ahead: datetime.timedelta = datetime.timedelta(0),
) -> list[Period]:
    """The periods that a question names, in order, without overlaps.

    Args:
        question: The question.
        asked_on: The day on which it is asked.
        language: Of the question.
        ahead: How far ahead a day without its year may lie; else it is the last one that has been.
    """
    found: list[Period] = []
    taken: set[int] = set()
    for pattern, strength, rule in _rules(language):
        for match in pattern.finditer(question):
            span = set(range(*match.span()))
            if taken & span or is_a_name(question, *match.span(), language):
                continue
            try:
                first, last = rule(_Words(match, asked_on, language, ahead))
            except (ValueError, OverflowError):  # 31 June, or before the year 1
                continue
            taken |= span
            if strength == "told":  # "today" binds a question of what happened, and no other
                is_past = language.pattern("periods.past").search(question)
                first = first if is_past else asked_on - RECENT
                binds: Strength = "bound" if is_past else "present"
            else:
                binds = strength
            found.append(Period(match.group(), first, last, binds, *match.span()))
    return sorted(found, key=lambda period: period.start)


@cache
def _rules(language: Language) -> list[tuple[re.Pattern[str], Strength | Literal["told"], Rule]]:
    return [
        (
            re.compile(language.filled(pattern, "periods"), re.IGNORECASE),
            cast(Strength | Literal["told"], strength),
            _rule(name),
        )
        for strength, name, pattern in language.groups("periods.rules")
    ]


def _rule(name: str) -> Rule:
    """What words mean: "back 2" is the two days before and the day itself, others are below."""
    kind, _, days = name.partition(" ")
    if kind == "back":
        return lambda words: (words.day - int(days) * _DAY, words.day)
    return _MEANINGS[name]


@cache
def _months(language: Language) -> dict[str, int]:
    names = enumerate(language.listed("calendar.months"), start=1)
    months = {name: number for number, name in names}
    for number, forms in enumerate(language.listed("calendar.short_months"), start=1):
        months |= dict.fromkeys(forms.split("|"), number)
    return months


def _one_day(words: _Words) -> Days:
    named = _date(words, words.day, int(words.match["day"]))
    return named, named


def _both_days(words: _Words) -> Days:
    """Both ends named: "between 19 and 24 October 2025", "from 30 June to 2 July"."""
    last = _date(words, words.day, int(words.match["day2"]), words.group("month2"))
    first = _date(words, last, int(words.match["day"]))
    return first, last


def _date(words: _Words, before: datetime.date, day: int, month: str | None = None) -> (
    datetime.date
):  # fmt: skip
    number = _months(words.language)[(month or words.match["month"]).lower()]
    if year := words.group("year"):
        return datetime.date(int(year), number, day)
    latest = before + words.ahead
    years = (latest.year, latest.year - 1, latest.year - 2)
    return next(found for year in years if (found := datetime.date(year, number, day)) <= latest)


def _month(words: _Words) -> Days:
    first = _date(words, words.day, 1)
    return first, first + relativedelta(months=1, days=-1)


def _part_of_month(words: _Words) -> Days:
    """The first week of a month, its end: parts by their days, those below 1 from its end."""
    month, end = _month(words)
    named = " ".join(words.match["part"].lower().split())
    first, last = map(int, words.language.table("calendar.parts")[named].split())
    days = [(month if day > 0 else end) + (day - (day > 0)) * _DAY for day in (first, last)]
    return days[0], days[1]


def _year(words: _Words) -> Days:
    year = int(words.match["year"])
    return datetime.date(year, 1, 1), datetime.date(year, 12, 31)


def _since(rule: Rule) -> Rule:
    return lambda words: (rule(words)[0], words.day)


def _calendar_unit(words: _Words) -> Days:
    """The calendar's last week, month or year, or this month or year so far."""
    day = words.day
    step = words.language.table("calendar.steps")[words.match["which"].lower()]
    unit = _unit_named(words)
    if unit in ("week", "weekend"):
        monday = day - day.weekday() * _DAY + 7 * step * _DAY
        return monday + (4 * _DAY if unit == "weekend" else 0 * _DAY), monday + 6 * _DAY
    if unit == "month":
        first = day.replace(day=1) + relativedelta(months=step)
        return first, min(day, first + relativedelta(months=1, days=-1))
    first = day.replace(month=1, day=1) + relativedelta(years=step)
    return first, min(day, first + relativedelta(years=1, days=-1))


def _ago(words: _Words) -> Days:
    (number, *_) = find_numbers(words.match["n"], words.language)
    days = int(number.value) * {"day": 1, "week": 7, "month": 31}[_unit_named(words)]
    return words.day - days * _DAY, words.day


def _unit_named(words: _Words) -> str:
    return str(words.language.table("calendar.units")[words.match["unit"].lower()])


def _weekday(words: _Words) -> Days:
    wanted = words.language.listed("calendar.weekdays").index(words.match["weekday"].lower())
    named = words.day - ((words.day.weekday() - wanted) % 7) * _DAY
    return named, named


_MEANINGS: dict[str, Rule] = {
    "day": _one_day,
    "days": _both_days,
    "month": _month,
    "part": _part_of_month,
    "year": _year,
    "since day": _since(_one_day),
    "since month": _since(_month),
    "since year": _since(_year),
    "weekday": _weekday,
    "ago": _ago,
    "unit": _calendar_unit,
    "recent": lambda words: (words.day - RECENT, words.day),
}
