"""Days and times as pages declare them, with the zone that they are written in."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from rag.readers.dates import parse_date

_ISO = re.compile(
    r"\s*(?P<day>(?:19|20)\d\d-\d\d?-\d\d?)(?:[T ]+(?P<time>\d\d?:\d\d(?::\d\d)?)(?:\.\d+)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?)?"
)
_COMPACT = re.compile(r"\s*((?:19|20)\d\d)(\d\d)(\d\d)(?:T?\d{4,6}Z?)?\s*$")
_EPOCH = re.compile(r"\s*(1\d{9}|2\d{9})(\d{3})?\s*$")
_SLASHED = re.compile(r"\s*((?:19|20)\d\d)[/.年](\d\d?)[/.月](\d\d?)日?")
_MAX_AHEAD = datetime.timedelta(days=366)


class Stated(NamedTuple):
    """A day that a page states.

    Attributes:
        day: The day, in the zone that it is written in.
        text: As it is written, with time and zone, where that says more than the day.
        where: Where it stands, such as "json-ld datePublished".
    """

    day: datetime.date
    text: str
    where: str


def stated_day(text: object, where: str) -> Stated | None:
    """The day of a declared date; None if it is no date, or one that no article can have."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = str(int(text))
    if not isinstance(text, str) or not text.strip() or len(text) > 100:
        return None
    text = " ".join(text.split())
    day = _day(text)
    if day is None or not 1800 <= day.year <= 2199:
        return None
    return Stated(day, text, where)


def _day(text: str) -> datetime.date | None:
    iso = _ISO.match(text)
    if iso is not None:
        return _date(*iso["day"].split("-"))
    for pattern in (_COMPACT, _SLASHED):
        found = pattern.match(text)
        if found is not None:
            return _date(*found.groups()[:3])
    epoch = _EPOCH.match(text)
    if epoch is not None:
        return datetime.datetime.fromtimestamp(int(epoch[1]), datetime.UTC).date()
    return parse_date(text)


def _date(year: str, month: str, day: str) -> datetime.date | None:
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None


def day_in_url(url: str) -> datetime.date | None:
    """The day that a path such as `/2024/04/25/` or `/20240425/` names."""
    path = url.partition("://")[2].partition("/")[2] if "://" in url else url
    found = _URL_DAY.search("/" + path)
    return _date(*(part for part in found.groups() if part)) if found else None


_URL_DAY = re.compile(
    r"[/_-](?:((?:19|20)\d\d)[/-](\d\d?)[/-](\d\d?)|((?:19|20)\d\d)[/-]?(\d\d)(\d\d))(?=[/_.-]|$)"
)
