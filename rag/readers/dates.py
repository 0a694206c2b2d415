"""Dates as articles write them, and as programs store them."""

from __future__ import annotations

import datetime
import re
from typing import Any

_WITH_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)|^\s*(?:1[5-9]|20)\d{6}\s*$")
# Nobody writes the day before the month behind a year.
_YEAR_FIRST = re.compile(r"\s*((?:1[5-9]|20)\d\d)([-/.])(\d\d?)\2(\d\d?)(?!\d)")

# Seconds since 1970 of 1973 to 2030: smaller numbers may be anything, and larger ones begin as
# years do, so that they may be a year, a month, a day and an hour.
_EPOCH_SECONDS = range(100_000_000, 1_900_000_000)
_NUMBER = re.compile(r"\s*(\d{9,19})(?:\.\d*)?\s*")
_1970 = datetime.datetime(1970, 1, 1)


def stored_date(value: Any) -> datetime.date | None:
    """Day of a value of JSON: a text as `parse_date` reads it, or a point in time (its day in UTC).

    Points in time are `{"$date": …}` of MongoDB, in all three forms it has had, and the number of
    seconds, milliseconds, microseconds or nanoseconds since 1970, also as a text. None for other
    values, and for numbers that might be something else, such as a year.
    """
    if isinstance(value, dict) and value.keys() == {"$date"}:
        return _mongo_date(value["$date"])
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    number = _NUMBER.fullmatch(str(value))
    return parse_date(str(value)) if number is None else _epoch_day(number[1])


def _epoch_day(digits: str) -> datetime.date | None:
    n_digits = 9 + len(digits) % 3  # of the whole seconds; thousandths, millionths … follow
    seconds, fraction = digits[:n_digits], digits[n_digits:]
    # Twelve digits that begin as a year does may be one, with month, day, hour and minute.
    if fraction and n_digits == 9 and seconds[0] in "12":
        return None
    return _day_at(int(seconds)) if int(seconds) in _EPOCH_SECONDS else None


def _mongo_date(value: Any) -> datetime.date | None:
    if isinstance(value, str):
        return parse_date(value)
    if isinstance(value, dict) and value.keys() == {"$numberLong"}:
        value = value["$numberLong"]
    if isinstance(value, bool):
        return None
    try:
        return _day_at(int(value) / 1000)
    except (TypeError, ValueError, OverflowError):
        return None


def _day_at(seconds: float) -> datetime.date:
    return (_1970 + datetime.timedelta(seconds=seconds)).date()


def parse_date(text: str) -> datetime.date | None:
    """Day that a text states as a date, such as "2024-08-02", "2 Aug 2024" or RFC 2822.

    A time of day and a time zone are passed over: the day is the one written. None when the text
    is no date, leaves out year, month or day, or can be read in two ways ("02/03/2024").
    """
    try:
        return datetime.datetime.fromisoformat(text.strip()).date()
    except ValueError:
        pass
    if year_first := _YEAR_FIRST.match(text):
        year, _, month, day = year_first.groups()
        try:
            return datetime.date(int(year), int(month), int(day))
        except ValueError:
            pass
    if len(text) > 100 or not _WITH_YEAR.search(text):
        return None
    from dateutil import parser

    days = set()
    # What the text leaves out, dateutil takes from the default: two defaults show it.
    for default in (datetime.datetime(2001, 1, 1), datetime.datetime(2002, 2, 2)):
        for dayfirst in (False, True):
            try:
                parsed = parser.parse(text, default=default, dayfirst=dayfirst, ignoretz=True)
            except (ValueError, OverflowError):
                return None
            days.add(parsed.date())
    return days.pop() if len(days) == 1 else None
