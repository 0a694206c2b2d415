"""Dates as articles write them."""

from __future__ import annotations

import datetime
import re

_WITH_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)|^\s*(?:1[5-9]|20)\d{6}\s*$")
# Nobody writes the day before the month behind a year.
_YEAR_FIRST = re.compile(r"\s*((?:1[5-9]|20)\d\d)([-/.])(\d\d?)\2(\d\d?)(?!\d)")


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
