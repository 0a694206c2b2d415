"""A timeline as a picture: its items on a line, each as far along as its day. SVG, no script."""

from __future__ import annotations

import datetime

from rag import Answer, AnswerItem, Kind
from rag.page.markup import full_day, text

_WIDTH, _WIDTH_ON_PAGE, _MARGIN, _STEP, _RADIUS = 720, 400, 40, 26, 11
"""In its own units; narrower on the page, so that dots are large enough for a finger on a phone."""


def timeline_svg(answer: Answer, *, choosing: bool = False) -> str:
    """The items of a timeline by day, numbered as they are read.

    Items that would cover one another stand above each other.

    Args:
        answer: The answer.
        choosing: Whether each item is a button, with which page.js chooses the days to show.

    Returns:
        An `<svg>` element; empty unless the answer is a timeline of two days or more.
    """
    dated = [(n, item, item.day) for n, item in enumerate(answer.items, start=1) if item.day]
    days = [day for _, _, day in dated]
    width = _WIDTH_ON_PAGE if choosing else _WIDTH
    if answer.kind is not Kind.TIMELINE or len(set(days)) < 2:
        return ""
    first, last = min(days), max(days)
    levels: dict[int, float] = {}
    dots = ""
    height = 0
    for number, item, day in dated:
        x = _along(day, first, last, width)
        level = next(n for n in range(len(dated)) if levels.get(n, -_STEP) + _STEP <= x)
        levels[level] = x
        height = max(height, level)
        dots += _dot(number, item, day, x, -level * _STEP, choosing)
    top = (height + 1) * _STEP
    role = "group" if choosing else "img"
    return (
        f'<svg class="timeline" viewBox="0 {-top} {width} {top + 44}" role="{role}"'
        f' aria-label="Timeline from {full_day(first)} to {full_day(last)}"'
        ' font-family="system-ui, sans-serif" font-size="12">'
        f'<line x1="{_MARGIN}" y1="14" x2="{width - _MARGIN}" y2="14" stroke="currentColor"/>'
        f'{dots}<text x="{_MARGIN}" y="34" fill="currentColor">{full_day(first)}</text>'
        f'<text x="{width - _MARGIN}" y="34" text-anchor="end" fill="currentColor">'
        f"{full_day(last)}</text></svg>"
    )


def _along(day: datetime.date, first: datetime.date, last: datetime.date, width: int) -> float:
    share = (day - first).days / (last - first).days
    return round(_MARGIN + share * (width - 2 * _MARGIN), 1)


def _dot(
    number: int, item: AnswerItem, day: datetime.date, x: float, y: int, choosing: bool
) -> str:
    label = f"{number}. {full_day(day)}: {text(item.text)}"
    button = (
        f' class="dot" role="button" tabindex="0" aria-pressed="false" data-day="{day}"'
        f' aria-label="{label}"'
        if choosing
        else ""
    )
    return (
        f"<g{button}><title>{label}</title>"
        f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="none" stroke="currentColor"/>'
        f'<text x="{x}" y="{y + 4}" text-anchor="middle" fill="currentColor">{number}</text></g>'
    )
