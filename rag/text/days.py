"""Days that an article speaks of relative to its own: "on Friday", "last week", "in April".

Resolved for display only, against the day the article was published. Rules for English news:
a bare weekday or month is the nearest past one, or the nearest coming one where the sentence speaks
of the future ("will", "due", "closes").
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Sequence

from dateutil.relativedelta import relativedelta
from pydantic import BaseModel, ConfigDict

from rag.text.numbers import find_numbers

_WEEKDAYS = [day.lower() for day in calendar.day_name]
_MONTHS = [month.lower() for month in calendar.month_name][1:]
_DAY = f"(?:{'|'.join(_WEEKDAYS)})"
_MONTH = f"(?:{'|'.join(_MONTHS)})"
_SHORT_MONTH = r"(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\."
_MANY = r"(?:\d{1,2}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_FUTURE = re.compile(
    r"\b(?:will|shall|would|going to|is to|are to|due|next|plan(?:s|ned)?|scheduled|expected to"
    r"|tomorrow|upcoming|intends?)\b|[’']ll\b"
    # What is on the calendar stands in the present: "the bridge closes on Monday".
    r"|\b(?:opens|closes|starts?|begins?|ends|meets?|votes|takes place|comes into force|returns"
    r"|resumes?|expires|arrives|leaves|hosts|faces)\b",
    re.IGNORECASE,
)
_NOT_NAMES = re.compile(r"\b(?:good|black|ash|maundy|super|cyber|palm|easter)\s+$", re.IGNORECASE)


_NEAR_DAYS = 45


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


def resolve(text: str, start: int, end: int, published: datetime.date) -> list[DatedPhrase]:
    """The relative days in a span of an article.

    Args:
        text: The article's text.
        start, end: The span.
        published: When the article was published.

    Returns:
        In order, without overlaps; phrases with a year of their own are not relative.
    """
    span = text[start:end]
    future = bool(_FUTURE.search(span))
    found: list[DatedPhrase] = []
    taken: set[int] = set()
    for pattern, days in _RULES:
        for match in pattern.finditer(span):
            if (
                taken & set(range(*match.span()))
                or _NOT_NAMES.search(span[: match.start()])
                or is_a_name(span, *match.span())
                or _DATE_FOLLOWS.match(span, match.end())
            ):
                continue
            try:
                first, last = days(match, published, future)
            except (OverflowError, ValueError):  # before the year 1, or 31 June
                continue
            taken.update(range(*match.span()))
            at = (start + match.start(), start + match.end())
            found.append(
                DatedPhrase(text=match.group(), start=at[0], end=at[1], first=first, last=last)
            )
    return sorted(found, key=lambda phrase: phrase.start)


_NAMED_DAY = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}|(?:{_MONTH}|(?:jan|feb|mar|apr|jun|jul"
    rf"|aug|sept?|oct|nov|dec)\.)\s+\d{{1,2}}|(?:1[5-9]|20)\d\d|{_DAY}|yesterday|today|tomorrow"
    rf"|(?:last|this|next)\s+(?:week|month|year|weekend)|in\s+{_MONTH})\b",
    re.IGNORECASE,
)


_DATE_FOLLOWS = re.compile(rf",?\s+(?:{_MONTH}|{_SHORT_MONTH})\s+\d", re.IGNORECASE)


def is_a_name(text: str, start: int, end: int) -> bool:
    """Whether words that could mean a day are part of a name: "USA TODAY", "USA Today"."""
    words = text[start:end]
    if not words.strip().lower().endswith("today"):
        return False
    before = text[:start].split()
    return words.isupper() or (words[:1].isupper() and bool(before) and before[-1][:1].isupper())


def names_a_day(text: str) -> bool:
    """Whether a text says when: a day, a month or a year, also a relative one."""
    return _NAMED_DAY.search(text) is not None


def spelled(day: datetime.date) -> str:
    """A day as people write it: 2 August 2024."""
    return f"{day.day} {day:%B %Y}"


def tell_days(sentence: str, phrases: Sequence[DatedPhrase]) -> str:
    """A sentence with the days that its relative phrases mean, in square brackets.

    Args:
        sentence: Of an answer.
        phrases: Of the source sentences that support it; each is looked for in the sentence.

    Example:
        "They met on Friday." with "on Friday" as 2 August 2024 becomes
        "They met on Friday [2 August 2024]."
    """
    for phrase in phrases:
        if phrase.first != phrase.last or re.search(r"\d", phrase.text):
            continue  # a stretch, or a day of the calendar, which readers know
        words = r"\s+".join(map(re.escape, phrase.text.split()))
        match = re.search(rf"(?<!\w){words}(?!\w|’s|'s| \[)", sentence, re.IGNORECASE)
        if match and not is_a_name(sentence, *match.span()):
            told = f" [{spelled(phrase.first)}]"
            sentence = sentence[: match.end()] + told + sentence[match.end() :]
    return sentence


def _fixed(days: int) -> Callable[[re.Match[str], datetime.date, bool], Days]:
    def rule(_: re.Match[str], day: datetime.date, __: bool) -> Days:
        return _one(day + datetime.timedelta(days))

    return rule


def _one(day: datetime.date) -> Days:
    return day, day


def _weekday(match: re.Match[str], day: datetime.date, future: bool) -> Days:
    wanted = _WEEKDAYS.index(match["day"].lower())
    word = (match["which"] or "").lower()
    if word == "this":
        return _one(day + datetime.timedelta(wanted - day.weekday()))
    if word == "next" or (future and word != "last"):
        ahead = (wanted - day.weekday()) % 7
        return _one(day + datetime.timedelta(ahead or (7 if word == "next" else 0)))
    back = (day.weekday() - wanted) % 7
    return _one(day - datetime.timedelta(back or (7 if word == "last" else 0)))


def _stretch(match: re.Match[str], day: datetime.date, _: bool) -> Days:
    step = {"last": -1, "previous": -1, "past": -1, "this": 0, "next": 1, "coming": 1}[
        match["which"].lower()
    ]
    return _unit(day, match["unit"].lower(), step)


def _ago(match: re.Match[str], day: datetime.date, _: bool) -> Days:
    numbers = find_numbers(match["n"])
    n = int(numbers[0].value) if numbers else 1
    unit = match["unit"].lower().rstrip("s")
    if unit == "day":
        return _one(day - datetime.timedelta(n))
    return _unit(day, unit, -n)


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


def _month(match: re.Match[str], day: datetime.date, future: bool) -> Days:
    number = _MONTHS.index(match["month"].lower()) + 1
    which = (match["which"] or "").lower()
    first = day.replace(month=number, day=1)
    last = first + relativedelta(months=1, days=-1)
    if match["of"]:
        first = last = day.replace(month=number, day=int(re.sub(r"\D", "", match["of"])))
        if not which and (near := _nearest(first, day)) is not None:
            return _one(near)
    if which == "next" or (future and which != "last"):
        years = 1 if last < day else 0
    else:
        years = -1 if first > day or (which == "last" and last >= day) else 0
    return first + relativedelta(years=years), last + relativedelta(years=years)


def _nearest(named: datetime.date, day: datetime.date) -> datetime.date | None:
    """A day of the calendar in the year in which it is near; None where it is near in none."""
    years = [named + relativedelta(years=step) for step in (-1, 0, 1)]
    return next((found for found in years if abs((found - day).days) <= _NEAR_DAYS), None)


_OF = r"(?P<of>\d{1,2}(?:st|nd|rd|th)?)"
_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str], datetime.date, bool], Days]]] = [
    (re.compile(r"\bthe day before yesterday\b", re.IGNORECASE), _fixed(-2)),
    (re.compile(r"\bthe day after tomorrow\b", re.IGNORECASE), _fixed(2)),
    (re.compile(r"\b(?:yesterday|last night)\b", re.IGNORECASE), _fixed(-1)),
    (
        re.compile(
            r"\b(?:earlier today|today|tonight|this (?:morning|afternoon|evening))\b",
            re.IGNORECASE,
        ),
        _fixed(0),
    ),
    (re.compile(r"\btomorrow\b", re.IGNORECASE), _fixed(1)),
    (
        re.compile(rf"\b(?P<n>{_MANY})\s+(?P<unit>days?|weeks?|months?|years?)\s+ago\b", re.I),
        _ago,
    ),
    (
        re.compile(
            r"\b(?:earlier\s+|later\s+)?(?P<which>last|previous|past|this|next|coming)\s+"
            r"(?P<unit>week(?:end)?|month|year)\b",
            re.IGNORECASE,
        ),
        _stretch,
    ),
    # Months need a word or a day beside them: "May" and "March" are words too.
    (
        re.compile(
            rf"\b(?:(?P<which>last|next|in|since|until|by|from|early|late|mid)[\s-]+)?"
            rf"(?:(?:the\s+)?{_OF}\s+(?:of\s+)?)(?P<month>{_MONTH})\b(?!,?\s+\d{{4}})",
            re.IGNORECASE,
        ),
        _month,
    ),
    (
        re.compile(
            rf"(?P<which>\b)(?P<month>{_MONTH})\s+{_OF}\b(?!,?\s+\d{{4}})(?!\d)", re.IGNORECASE
        ),
        _month,
    ),
    (
        re.compile(
            rf"\b(?P<which>last|next|in|since|until|by|during|early|late|mid)[\s-]+"
            rf"(?P<month>{'|'.join(month.capitalize() for month in _MONTHS)})\b"
            rf"(?!,?\s+(?:of\s+)?\d)(?P<of>)"
        ),
        _month,
    ),
    (
        re.compile(
            rf"\b(?:on\s+|by\s+|until\s+|since\s+)?(?:(?P<which>last|next|this)\s+)?"
            rf"(?P<day>{'|'.join(day.capitalize() for day in _WEEKDAYS)})(?:\s+(?:morning|afternoon"
            r"|evening|night))?\b(?!s\b|’s|'s|\s[A-Z])"
        ),
        _weekday,
    ),
]
