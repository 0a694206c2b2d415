"""Escaping, links and days: the only way for a text to get into HTML."""

from __future__ import annotations

import calendar
import datetime
import html
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from rag import Article, Citation, DatedPhrase, Hit

_SAFE_SCHEMES = ("http", "https")
_STRAIGHT = re.compile('"')


def text(value: object) -> str:
    """A text for HTML, as content or inside a quoted attribute."""
    return html.escape(str(value), quote=True)


def web_address(url: str | None) -> str | None:
    """The address, if it is one that a browser may follow: http or https, with a host."""
    try:
        parts = urlsplit((url or "").strip())
        host = parts.hostname
    except ValueError:
        return None
    return parts.geturl() if parts.scheme in _SAFE_SCHEMES and host else None


def original(url: str | None) -> str:
    """A link to the original of an article; nothing if its address is no web address.

    `noreferrer`: the site is not told where the reader came from.
    """
    address = web_address(url)
    if address is None:
        return ""
    host = urlsplit(address).hostname
    return (
        f'<a class="original" href="{text(address)}" target="_blank" rel="noopener noreferrer">'
        f"{text(host)}<span aria-hidden='true'> ↗</span></a>"
    )


def day(value: datetime.date | None) -> str:
    """A day as people write it, with the day for machines: 2 August 2024."""
    if value is None:
        return '<span class="undated">no date</span>'
    return f'<time datetime="{value.isoformat()}">{plain_day(value)}</time>'


def plain_day(value: datetime.date) -> str:
    """2 August 2024."""
    return f"{value.day} {value:%B %Y}"


def full_day(value: datetime.date) -> str:
    """Friday 2 August 2024."""
    return f"{value:%A} {plain_day(value)}"


def stretch(first: datetime.date, last: datetime.date) -> str:
    """One day, a whole month or year by its name, or the first and the last day."""
    if first == last:
        return full_day(first)
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return f"{first.year}"
    ends = calendar.monthrange(first.year, first.month)[1]
    if first.day == 1 and last == first.replace(day=ends):
        return f"{first:%B %Y}"
    return f"{full_day(first)} to {full_day(last)}"


def meant(phrase: DatedPhrase) -> str:
    """What a relative day means: “on Friday” = Friday 2 August 2024."""
    return f"“{' '.join(phrase.text.split())}” = {stretch(phrase.first, phrase.last)}"


def days_meant(phrases: Sequence[DatedPhrase]) -> str:
    """What the relative days of a quote mean, in a line; nothing if it has none."""
    if not phrases:
        return ""
    said = "".join(f"<span>{text(meant(phrase))}</span>" for phrase in phrases)
    return f'<span class="days-meant">{said}</span>'


def headline(found: Article | Citation | Hit) -> str:
    """Its title, or its first words if it has none."""
    if isinstance(found, Citation):
        return found.title or first_words(found.quote)
    return found.title or first_words(found.text)


def first_words(words: str, most: int = 60) -> str:
    """The beginning of a text in place of a title: whole words, at most so many characters."""
    start = " ".join(words[: 4 * most].split())
    if len(start) <= most:
        return start or "Untitled"
    return f"{start[:most].rsplit(' ', 1)[0].rstrip(',;:–—-')} …"


def quotation(words: str) -> str:
    """A quote in one pair of quotation marks, whatever marks it begins and ends with."""
    bare = " ".join(words.split())
    if len(bare) > 1 and bare[0] in '“"' and bare[-1] in '”"' and not set(bare[1:-1]) & set('“”"'):
        bare = bare[1:-1]
    inner = bare.replace("“", "‘").replace("”", "’")
    return f"“{_STRAIGHT.sub(_single, inner)}”"


def _single(match: re.Match[str]) -> str:
    return "‘" if match.start() == 0 or match.string[match.start() - 1].isspace() else "’"


def number(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 article", "2,269 articles"."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def byline(published: datetime.date | None, source: str | None, author: str | None = None) -> str:
    """Source, day and author of an article in one line."""
    known = [text(part) for part in (source, author) if part]
    return " · ".join([*known[:1], day(published), *known[1:]])


def message(kind: str, words: str, *, mend: str | None = None) -> str:
    """A notice in place of content.

    Args:
        kind: `error`, `busy`, `stopped` or `empty`: decides how it looks.
        words: What is to be said.
        mend: The command that mends it.
    """
    role = "alert" if kind in ("error", "busy") else "status"
    command = f"<p class='mend'>To mend it: <code>{text(mend)}</code></p>" if mend else ""
    return f'<div class="notice {kind}" role="{role}"><p>{text(words)}</p>{command}</div>'


UNFORESEEN = message("error", "Something went wrong here. The log of the server has the details.")
"""What is shown when something happened that nobody foresaw; Gradio logs it."""
