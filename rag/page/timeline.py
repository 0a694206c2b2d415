"""How many articles, and how many of the passages found, lie when: bars that can be chosen."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rag.page.markup import number, plain_day, text

_MAX_BARS = 48
_DAYS = {"day": 1, "week": 7, "month": 28, "year": 365}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of days, both ends included, and what lies in it."""

    first: datetime.date
    last: datetime.date
    n_articles: int
    n_hits: int


def buckets(
    articles: Mapping[datetime.date, int], hits: Iterable[datetime.date] = ()
) -> list[Bucket]:
    """Stretches of equal kind (days, weeks, months or years) that cover every day given.

    The finest kind that needs about 48 of them, or as many years as there are.
    """
    if not articles:
        return []
    first, last = min(articles), max(articles)
    found = list(hits)
    span = (last - first).days
    kind = next((kind for kind, length in _DAYS.items() if span < _MAX_BARS * length), "year")
    return [
        Bucket(
            start,
            end,
            sum(n for day, n in articles.items() if start <= day <= end),
            sum(start <= day <= end for day in found),
        )
        for start, end in _stretches(first, last, kind)
    ]


def show(
    bars: list[Bucket],
    n_undated: int,
    since: datetime.date | None = None,
    until: datetime.date | None = None,
) -> str:
    """The picture; each bar is a button with its days, page.js makes stretches of them."""
    if not bars:
        if not n_undated:
            return ""
        return f'<p class="timeline-note">{number(n_undated, "article")}, none with a date.</p>'
    most = max(bar.n_articles for bar in bars)
    chosen = since is not None or until is not None
    drawn = "".join(_bar(bar, most, chosen and _inside(bar, since, until)) for bar in bars)
    ends = f"<span>{text(plain_day(bars[0].first))}</span>"
    if len(bars) > 1:
        ends += f"<span>{text(plain_day(bars[-1].last))}</span>"
    undated = f"{number(n_undated, 'article')} without a date. " if n_undated else ""
    clear = '<button type="button" class="clear">All days</button>' if chosen else ""
    return (
        f'<div class="timeline{" chosen" if chosen else ""}" role="group"'
        ' aria-label="Articles by day of publication. Choose a bar to search only there.">'
        f'<div class="bars">{drawn}</div><div class="ends">{ends}</div>'
        f'<p class="timeline-note">{undated}{_legend(bars, most)}{clear}</p></div>'
    )


def _legend(bars: list[Bucket], most: int) -> str:
    found = sum(bar.n_hits for bar in bars)
    hits = f'<span class="key-hits">{number(found, "passage")} found</span>. ' if found else ""
    return f'<span class="key-articles">Highest bar: {number(most, "article")}</span>. {hits}'


def _bar(bar: Bucket, most: int, inside: bool) -> str:
    days = plain_day(bar.first)
    if bar.last != bar.first:
        days += f" to {plain_day(bar.last)}"
    label = f"{days}: {number(bar.n_articles, 'article')}"
    if bar.n_hits:
        label += f", {number(bar.n_hits, 'passage')} found"
    height = round(100 * bar.n_articles / most)
    return (
        f'<button type="button" class="bar{" inside" if inside else ""}'
        f'{" found" if bar.n_hits else ""}" data-since="{bar.first}" data-until="{bar.last}"'
        f' aria-pressed="{"true" if inside else "false"}" aria-label="{label}" title="{label}"'
        f'{"" if bar.n_articles else " tabindex=-1"}><i style="height:{height}%"></i></button>'
    )


def _inside(bar: Bucket, since: datetime.date | None, until: datetime.date | None) -> bool:
    return (since is None or bar.last >= since) and (until is None or bar.first <= until)


def _stretches(
    first: datetime.date, last: datetime.date, kind: str
) -> list[tuple[datetime.date, datetime.date]]:
    found = []
    start = _start(first, kind)
    while start <= last:
        following = _following(start, kind)
        end = datetime.date.max if following is None else following - datetime.timedelta(days=1)
        found.append((start, end))
        if following is None:
            break
        start = following
    return found


def _start(day: datetime.date, kind: str) -> datetime.date:
    if kind == "week":
        return datetime.date.fromordinal(max(1, day.toordinal() - day.weekday()))
    if kind == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if kind == "year" else day


def _following(start: datetime.date, kind: str) -> datetime.date | None:
    """First day of the next stretch; None at the end of the calendar."""
    try:
        if kind in ("day", "week"):
            return start + datetime.timedelta(days=1 if kind == "day" else 7)
        if kind == "month" and start.month < 12:
            return start.replace(month=start.month + 1)
        return start.replace(year=start.year + 1, month=1)
    except (OverflowError, ValueError):
        return None
