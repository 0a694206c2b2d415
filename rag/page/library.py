"""The table of the library: which of its articles are shown, in which order, and why."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from rag.page.markup import day, message, number, plain_day, text
from rag.page.overview import Overview, Row

PAGE_SIZE = 50
MAX_VALUES = 12
"""So many values of a group can be chosen, those of most articles."""
COLUMNS = {"title": "Title", "published": "Date", "source": "Publisher", "state": "State"}
_MAX_LABEL = 24


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the table is shown, and in which order.

    Attributes:
        query: Words that are looked for in the articles.
        sort, descending: Column that it is sorted by.
        page: From 0.
        chosen: Name and value of each group that it is narrowed to.
    """

    query: str = ""
    sort: str = "published"
    descending: bool = True
    page: int = 0
    chosen: frozenset[tuple[str, str]] = frozenset()


def matching(overview: Overview, view: View, mentions: Collection[str] = ()) -> list[Row]:
    """The rows of a view, sorted.

    Args:
        overview: All of them.
        view: Its words all stand in the title, source, date or id of a row, or in its text; of
            the groups chosen it belongs to one value of each.
        mentions: Articles with the words in their text.
    """
    words = view.query.casefold().split()
    wanted: dict[str, set[str]] = {}
    for name, value in view.chosen:
        wanted.setdefault(name, set()).add(value)
    rows = [
        row
        for row in overview.rows
        if (row.article_id in mentions or all(word in _searched(row) for word in words))
        and _is_in(row, wanted)
    ]
    keys = {
        "title": lambda row: row.title.casefold(),
        "published": lambda row: row.published or datetime.date.min,
        "source": lambda row: (row.source or "").casefold(),
        "state": lambda row: (row.n_same, overview.n_removed[row.article_id]),
    }
    return sorted(rows, key=keys[view.sort], reverse=view.descending)


def _is_in(row: Row, wanted: Mapping[str, set[str]]) -> bool:
    if not wanted:
        return True
    groups = list(row.groups)
    return all(any((name, value) in groups for value in wanted[name]) for name in wanted)


def table(
    overview: Overview,
    view: View,
    mentions: Collection[str] = (),
    passage: Callable[[str], str] = lambda article_id: "",
    marked: Callable[[str], str] = text,
) -> str:
    """The articles as a table of which 50 are shown at a time.

    Args:
        overview: All of them.
        view: Which are shown.
        mentions: Articles with the words of the view in their text.
        passage: HTML of the best passage of an article.
        marked: HTML of a title.
    """
    rows = matching(overview, view, mentions)
    if not rows:
        return message("empty", "No article holds these words.")
    n_pages = math.ceil(len(rows) / PAGE_SIZE)
    page = min(max(view.page, 0), n_pages - 1)
    shown = rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    heads = "".join(_column(name, title, view) for name, title in COLUMNS.items())
    body = "".join(
        _row(row, overview.n_removed[row.article_id], passage(row.article_id), marked)
        for row in shown
    )
    return (
        f'<p class="count" role="status">{number(len(rows), "article")}</p>'
        f'<table class="articles"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
        f"{_pages(rows, page, n_pages, view.sort)}"
    )


def groups(overview: Overview, chosen: frozenset[tuple[str, str]]) -> str:
    """What the table can be narrowed by, as buttons that stay pressed."""
    found = overview.groups
    if not found:
        return ""
    lists = "".join(_group(name, values, chosen) for name, values in found.items())
    clear = (
        '<button type="button" class="clear" data-narrow-not>Show all</button>' if chosen else ""
    )
    return (
        f'<details class="groups"{" open" * bool(chosen)}><summary>Narrow the list'
        f"{': ' + text(', '.join(sorted(value for _, value in chosen))) if chosen else ''}"
        f"</summary>{lists}{clear}</details>"
    )


def _group(name: str, values: Sequence[tuple[str, int]], chosen: frozenset[tuple[str, str]]) -> str:
    shown = [
        *values[:MAX_VALUES],
        *(one for one in values[MAX_VALUES:] if (name, one[0]) in chosen),
    ]
    buttons = "".join(
        f'<li><button type="button" data-narrow="{text(name)}" data-value="{text(value)}"'
        f' aria-pressed="{"true" if (name, value) in chosen else "false"}">{text(value)}'
        f" <span>{count:,}</span></button></li>"
        for value, count in shown
    )
    rest = len(values) - len(shown)
    more = f'<li class="more">and {rest:,} more</li>' if rest else ""
    return f"<h3>{text(name.capitalize())}</h3><ul>{buttons}{more}</ul>"


def _pages(rows: Sequence[Row], page: int, n_pages: int, sort: str) -> str:
    """The page shown and its neighbours, named by what they hold in the order of the table."""
    if n_pages == 1:
        return ""

    def holds(number: int) -> str:
        part = rows[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        first, last = _label(part[0], sort), _label(part[-1], sort)
        return first if first == last else f"{first} – {last}"

    def button(number: int, before: str, after: str) -> str:
        if not 0 <= number < n_pages:
            return "<span></span>"
        return (
            f'<button type="button" data-page="{number}">{before}{text(holds(number))}{after}'
            "</button>"
        )

    return (
        '<nav class="pages" aria-label="Pages of the list">'
        f"{button(page - 1, '<span aria-label=Before>←</span> ', '')}"
        f"<p>Page {page + 1} of {n_pages}: {text(holds(page))}</p>"
        f"{button(page + 1, '', ' <span aria-label=Next>→</span>')}</nav>"
    )


def _label(row: Row, sort: str) -> str:
    if sort == "published":
        return plain_day(row.published) if row.published else "no date"
    if sort == "state":
        return row.told or "alone"
    words = (row.title or row.article_id) if sort == "title" else row.source or "not stated"
    return words if len(words) <= _MAX_LABEL else words[: _MAX_LABEL - 1].rstrip() + "…"


def _column(name: str, title: str, view: View) -> str:
    order = ""
    if view.sort == name:
        order = f' aria-sort="{"descending" if view.descending else "ascending"}"'
    return (
        f'<th scope="col"{order} class="of-{name}"><button type="button" data-sort="{name}">{title}'
        "</button></th>"
    )


def _row(row: Row, n_removed: int, passage: str, marked: Callable[[str], str]) -> str:
    states = [number(n_removed, "piece") + " removed" if n_removed else "as found"]
    if row.n_same:
        states.append(f"{row.told}, same text as {number(row.n_same, 'other')}")
    state, source = ", ".join(states), text(row.source or "not stated")
    found = f'<tr class="found"><td colspan="4">{passage}</td></tr>' if passage else ""
    # A narrow screen has no room for four columns: what two of them hold stands below the title.
    return (
        f'<tr><td class="of-title"><button type="button" data-article="{text(row.article_id)}">'
        f"{marked(row.title or row.article_id)}</button>"
        f'<span class="beside">{source}: {state}</span>'
        f'</td><td class="of-published">{day(row.published)}</td>'
        f'<td class="of-source">{source}</td><td class="of-state">{state}</td></tr>{found}'
    )


def _searched(row: Row) -> str:
    parts = (row.title, row.source, row.published, row.article_id)
    return " ".join(str(part) for part in parts if part).casefold()


def formats(overview: Overview, n_skipped: Mapping[str, int]) -> str:
    """What was read of each format, and how much was not, as a table that can be unfolded."""
    n_read = Counter(row.format for row in overview.rows)
    names = sorted({*n_read, *n_skipped}, key=lambda name: (-n_read[name], name))
    lines = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{n_read[name]:,}</td>'
        f"<td>{n_skipped.get(name, 0):,}</td></tr>"
        for name in names
    )
    summary = ", ".join(f"{n_read[name]:,} {name}" for name in names if n_read[name])
    return (
        f'<details class="formats"><summary>Read: {text(summary)}</summary><table><thead><tr>'
        '<th scope="col">Format</th><th scope="col">Articles</th><th scope="col">Not taken</th>'
        f"</tr></thead><tbody>{lines}</tbody></table></details>"
    )
