"""Periods of time that a question names: "this week", "on 14 October 2025", "since August".

`rag.text.days` reads the relative days of an article against the day it was published. A question
is read against the day it is asked, and what matters is which articles may answer it, so that
"this week" is the seven days before and not the calendar's week. Rules for English.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from dateutil.relativedelta import relativedelta

from rag.text.days import is_a_name

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

_MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): n for n, name in enumerate(calendar.month_abbr) if name}
_MONTHS["sept"] = 9
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_MONTH_TOO = _MONTH.replace("<month>", "<month2>")
_YEAR = r"(?P<year>(?:1[5-9]|20)\d\d)"
_OF = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TO = r"(?P<day2>\d{1,2})(?:st|nd|rd|th)?"
_JOIN = r"\s*(?:-|–|—|and|to|until|through)\s*"
_WEEKDAYS = [name.lower() for name in calendar.day_name]

Rule = Callable[[re.Match[str], datetime.date], tuple[datetime.date, datetime.date]]


def find_periods(question: str, asked_on: datetime.date) -> list[Period]:
    """The periods that a question names, in order, without overlaps.

    Args:
        question: The question.
        asked_on: The day on which it is asked.
    """
    found: list[Period] = []
    taken: set[int] = set()
    for pattern, strength, rule in _RULES:
        for match in pattern.finditer(question):
            span = set(range(*match.span()))
            if taken & span or is_a_name(question, *match.span()):
                continue
            try:
                first, last = rule(match, asked_on)
            except (ValueError, OverflowError):  # 31 June, or before the year 1
                continue
            taken |= span
            found.append(Period(match.group(), first, last, strength, *match.span()))
    return sorted(found, key=lambda period: period.start)


def _back(days: int, until: int = 0) -> Rule:
    def rule(_: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
        return day - days * _DAY, day - until * _DAY

    return rule


def _since(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    return _one_day(match, day)[0], day


def _one_day(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    named = _date(match, day, int(match["day"]))
    return named, named


def _days(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """Both ends named: "between 19 and 24 October 2025", "from 30 June to 2 July"."""
    groups = match.groupdict()
    last = _date(match, day, int(match["day2"]), groups.get("month2"))
    first = _date(match, last, int(match["day"]))
    return first, last


def _date(match: re.Match[str], before: datetime.date, day: int, month: str | None = None) -> (
    datetime.date
):  # fmt: skip
    number = _MONTHS[(month or match["month"]).lower()]
    year = match.groupdict().get("year")
    if year:
        return datetime.date(int(year), number, day)
    found = datetime.date(before.year, number, day)
    return found if found <= before else found.replace(year=before.year - 1)


def _month(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    first = _date(match, day, 1)
    return first, first + relativedelta(months=1, days=-1)


def _since_month(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    return _month(match, day)[0], day


def _year(match: re.Match[str], _: datetime.date) -> tuple[datetime.date, datetime.date]:
    year = int(match["year"])
    return datetime.date(year, 1, 1), datetime.date(year, 12, 31)


def _since_year(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    return _year(match, day)[0], day


def _unit(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The calendar's last week, month or year, or this month or year so far."""
    step = 0 if match["which"].lower() == "this" else -1
    unit = match["unit"].lower()
    if unit in ("week", "weekend"):
        monday = day - day.weekday() * _DAY + 7 * step * _DAY
        return monday + (4 * _DAY if unit == "weekend" else 0 * _DAY), monday + 6 * _DAY
    if unit == "month":
        first = day.replace(day=1) + relativedelta(months=step)
        return first, min(day, first + relativedelta(months=1, days=-1))
    first = day.replace(month=1, day=1) + relativedelta(years=step)
    return first, min(day, first + relativedelta(years=1, days=-1))


def _ago(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    n = int(match["n"]) if match["n"].isdigit() else _NUMBERS.index(match["n"].lower())
    unit = match["unit"].lower().rstrip("s")
    days = n * {"day": 1, "week": 7, "month": 31}[unit]
    return day - days * _DAY, day


def _weekday(match: re.Match[str], day: datetime.date) -> tuple[datetime.date, datetime.date]:
    named = day - ((day.weekday() - _WEEKDAYS.index(match["weekday"].lower())) % 7) * _DAY
    return named, named


_NUMBERS = "zero one two three four five six seven eight nine ten".split()  # noqa: SIM905
_NOT_SPEECH = r"(?<!right )"

_PATTERNS: tuple[tuple[str, Strength, Rule], ...] = (
    # Stretches with both ends.
    (rf"\b(?:between|from)\s+{_OF}\s+{_MONTH}(?:,?\s+(?:1[5-9]|20)\d\d)?{_JOIN}{_TO}\s+"
     rf"{_MONTH_TOO}(?:,?\s+{_YEAR})?", "event", _days),
    (rf"\b(?:between\s+|from\s+)?{_OF}{_JOIN}{_TO}\s+{_MONTH}(?:,?\s+{_YEAR})?", "event",
     _days),
    (rf"\b(?:between\s+|from\s+)?{_MONTH}\s+{_OF}{_JOIN}{_TO}(?!\d)(?:,?\s+{_YEAR})?", "event",
     _days),
    # Since then.
    (rf"\bsince\s+{_OF}\s+{_MONTH}(?:,?\s+{_YEAR})?", "event", _since),
    (rf"\bsince\s+{_MONTH}\s+{_OF}(?!\d)(?:,?\s+{_YEAR})?", "event", _since),
    (rf"\bsince\s+{_MONTH}(?:,?\s+{_YEAR})?", "event", _since_month),
    (rf"\bsince\s+{_YEAR}\b", "event", _since_year),
    # A day.
    (rf"\b(?:on\s+)?{_OF}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?", "event", _one_day),
    (rf"\b(?:on\s+)?{_MONTH}\s+{_OF}(?!\d)(?:,?\s+{_YEAR})?", "event", _one_day),
    (r"\b(?:yesterday|last night)\b", "bound", _back(2)),
    (r"\b(?:today|tonight|this (?:morning|afternoon|evening))\b", "bound", _back(1)),
    (rf"\b(?:on|last|this)\s+(?P<weekday>{'|'.join(_WEEKDAYS)})\b", "bound", _weekday),
    # A month or a year, with a word that says it is when.
    (rf"\b(?:in|during|of|until|by|early|late|mid|throughout)[\s-]+{_MONTH}\s+(?:of\s+)?{_YEAR}",
     "event", _month),
    (rf"\b{_MONTH}\s+{_YEAR}", "event", _month),
    (r"\b(?:in|during|last|this)\s+" + _MONTH.replace("may", "May"), "event", _month),
    (rf"\b(?:in|during|throughout|of)\s+{_YEAR}\b", "event", _year),
    # Relative to the day of asking.
    (rf"\b(?:over|in|during|within)?\s*the\s+(?:last|past)\s+(?P<n>\d{{1,2}}|{'|'.join(_NUMBERS)})"
     r"\s+(?P<unit>days?|weeks?|months?)\b", "bound", _ago),
    (r"\b(?:this|the (?:last|past)|in the past)\s+week\b", "bound", _back(8)),
    (r"\b(?P<which>last)\s+(?P<unit>week(?:end)?|month)\b", "bound", _unit),
    (r"\b(?P<which>this)\s+(?P<unit>weekend|month)\b", "bound", _unit),
    (r"\b(?P<which>last|this)\s+(?P<unit>year)\b", "event", _unit),
    (r"\b(?:recent(?:ly)?|lately|latest|newest|most recent|current(?:ly)?|so far|at the moment"
     rf"|these days|{_NOT_SPEECH}now|nowadays|just)\b", "present", _back(RECENT.days)),
)  # fmt: skip
_RULES = [
    (re.compile(pattern, re.IGNORECASE), strength, rule) for pattern, strength, rule in _PATTERNS
]
