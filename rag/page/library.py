"""The library: the articles of an index, what was skipped, its health, a build under way."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag import BuildProgress, BuildReport, CheckReport, IndexInfo, Upload
from rag.page.engines import Overview, Row
from rag.page.markup import day, message, number, text

PAGE_SIZE = 50
MAX_SKIPPED = 200
MAX_UPLOADS = 1_000
MAX_OPEN = 10
"""A list of at most so many inputs is open from the start."""
COLUMNS = {"title": "Title", "published": "Date", "source": "Source", "state": "State"}
_PHASES = {
    "read": "Reading the sources",
    "embed": "Reading and embedding",
    "derive": "Writing vectors and words",
    "publish": "Publishing",
}


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the table is shown, and in which order."""

    query: str = ""
    sort: str = "published"
    descending: bool = True
    page: int = 0


class SkippedInput(Protocol):
    """An input that a build did not take."""

    @property
    def path(self) -> str:
        """The file."""
        ...

    @property
    def line(self) -> int | None:
        """The line, from 1; None for the whole file."""
        ...

    @property
    def reason(self) -> str:
        """Why not."""
        ...


def matching(overview: Overview, view: View) -> list[Row]:
    """Rows whose title, source, date or id holds every word of the query, sorted."""
    words = view.query.casefold().split()
    rows = [row for row in overview.rows if all(word in _searched(row) for word in words)]
    keys = {
        "title": lambda row: row.title.casefold(),
        "published": lambda row: row.published or datetime.date.min,
        "source": lambda row: (row.source or "").casefold(),
        "state": lambda row: (row.n_same, overview.n_removed[row.article_id]),
    }
    return sorted(rows, key=keys[view.sort], reverse=view.descending)


def table(overview: Overview, view: View) -> str:
    """The articles as a table of which 50 are shown at a time."""
    rows = matching(overview, view)
    if not rows:
        return message("empty", "No article holds these words.")
    n_pages = math.ceil(len(rows) / PAGE_SIZE)
    page = min(max(view.page, 0), n_pages - 1)
    shown = rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    heads = "".join(_column(name, title, view) for name, title in COLUMNS.items())
    body = "".join(_row(row, overview.n_removed[row.article_id]) for row in shown)
    pages = ""
    if n_pages > 1:
        pages = (
            '<div class="pages">'
            f'<button type="button" data-page="{page - 1}"{" disabled" * (page == 0)}>Earlier'
            f"</button><span>Page {page + 1} of {n_pages}</span>"
            f'<button type="button" data-page="{page + 1}"{" disabled" * (page == n_pages - 1)}>'
            "Later</button></div>"
        )
    return (
        f'<p class="count" role="status">{number(len(rows), "article")}</p>'
        f'<table class="articles"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
        f"{pages}"
    )


def skipped(items: Sequence[SkippedInput]) -> str:
    """What the build did not take, and why."""
    if not items:
        return '<p class="skipped none">Nothing was skipped.</p>'
    lines = "".join(
        f"<li><code>{text(item.path)}{'' if item.line is None else f', line {item.line}'}</code>"
        f'<span class="reason">{text(item.reason)}</span></li>'
        for item in items[:MAX_SKIPPED]
    )
    if len(items) > MAX_SKIPPED:
        lines += f"<li>{len(items) - MAX_SKIPPED:,} more: rag show NAME lists all of them.</li>"
    return (
        f'<details class="skipped"{" open" * (len(items) <= MAX_OPEN)}>'
        f"<summary>{number(len(items), 'input')} skipped</summary><ul>{lines}</ul></details>"
    )


def uploads(paths: Sequence[Path]) -> str:
    """The files that were handed over, each with a button that removes it."""
    if not paths:
        return ""
    lines = "".join(
        f"<li><code>{text(path.name)}</code>"
        f' <button type="button" data-remove="{text(path.name)}"'
        f' aria-label="Remove {text(path.name)}">Remove</button></li>'
        for path in paths[:MAX_UPLOADS]
    )
    if len(paths) > MAX_UPLOADS:
        lines += f"<li>{len(paths) - MAX_UPLOADS:,} more in {text(paths[0].parent)}</li>"
    return (
        f'<details class="uploads"{" open" * (len(paths) <= MAX_OPEN)}><summary>'
        f"{number(len(paths), 'file')} added here</summary><ul>{lines}</ul></details>"
    )


def added(kept: Sequence[Upload]) -> str:
    """What became of files that were handed over: those that got another name by their name."""
    lines = []
    n_added = sum(upload.outcome == "added" for upload in kept)
    if n_added:
        lines.append(f"{number(n_added, 'file')} added.")
    told = {
        "renamed": "{} is kept as {}: there is another of that name. To replace one, tick the box"
        " before adding it.",
        "replaced": "{} took the place of the file of that name.",
        "unchanged": "{} was there already, as {}.",
    }
    lines += [
        told[upload.outcome].format(f"“{upload.name}”", f"“{upload.path.name}”")
        for upload in kept
        if upload.outcome in told
    ]
    return _uploaded(lines)


def removed(name: str) -> str:
    """That a file was removed."""
    return _uploaded([f"“{name}” is removed."])


def _uploaded(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{text(words)}</li>" for words in lines)
    return f'<ul class="uploaded" role="status">{items}</ul>'


def health(info: IndexInfo | None) -> str:
    """The state of an index in a line."""
    if info is None or info.version is None:
        return message("error", info.state if info else "There is no such index.")
    built = f"{info.created:%Y-%m-%d %H:%M} UTC" if info.created else "unknown"
    return (
        f'<p class="facts">Version {info.version}, built {built}:'
        f" {number(info.n_articles or 0, 'article')}, {number(info.n_chunks or 0, 'chunk')},"
        f" {text(info.model or '')}</p>"
    )


def checked(report: CheckReport) -> str:
    """What a check of an index found."""
    if not report.findings:
        return (
            f'<p class="healthy" role="status">Version {report.version} is whole: every file, row'
            " and id was checked.</p>"
        )
    kinds = {"error": "error", "warning": "stopped"}
    return "".join(
        message(kinds[found.severity], found.message, mend=found.mend) for found in report.findings
    )


def progress(at: BuildProgress) -> str:
    """A bar for a build under way; without a known number it only shows that it goes on."""
    share: float | None = 0.95
    if at.phase in ("read", "embed"):
        share = min(at.n_done / at.n_expected, 1.0) * 0.9 if at.n_expected else None
    value = "" if share is None else f' value="{share:.3f}" max="1"'
    of = f" of about {at.n_expected:,}" if at.n_expected and at.n_done < at.n_expected else ""
    return (
        f'<div class="build" role="status"><label>{text(_PHASES.get(at.phase, at.phase))} …'
        f" {number(at.n_done, 'article')}{of}<progress{value}></progress></label>"
        f"{_note(at.note)}</div>"
    )


def built(done: BuildReport) -> str:
    """What a build did."""
    changes = [
        f"{count:,} {word}"
        for count, word in (
            (done.added, "added"),
            (done.changed, "changed"),
            (done.removed, "removed"),
            (done.unchanged, "unchanged"),
        )
        if count
    ]
    what = "Version" if done.published else "Nothing to do: version"
    skipped_too = f", {number(len(done.skipped), 'input')} skipped" if done.skipped else ""
    return (
        f'<div class="build done" role="status"><p>{what} {done.version}:'
        f" {number(done.n_articles, 'article')} ({', '.join(changes)}){skipped_too}.</p>"
        f"{_note(done.note)}</div>"
    )


def refused(words: str) -> str:
    """That a build would take most articles out, with a button that lets it."""
    return (
        f'<div class="notice error" role="alert"><p>{text(words)}</p><p>The index is as it was. Put'
        ' them back and rebuild, or</p><button type="button" data-let-go>let them go</button></div>'
    )


def _note(words: str | None) -> str:
    return f'<p class="build-note">{text(words)}</p>' if words else ""


def _column(name: str, title: str, view: View) -> str:
    order = ""
    if view.sort == name:
        order = f' aria-sort="{"descending" if view.descending else "ascending"}"'
    return (
        f'<th scope="col"{order} class="{name}"><button type="button" data-sort="{name}">{title}'
        "</button></th>"
    )


def _row(row: Row, n_removed: int) -> str:
    states = [number(n_removed, "piece") + " removed" if n_removed else "as found"]
    if row.n_same:
        states.append(f"{row.told}, same text as {number(row.n_same, 'other')}")
    state, source = ", ".join(states), text(row.source or "not stated")
    # A narrow screen has no room for four columns: what two of them hold stands below the title.
    return (
        f'<tr><td class="title"><button type="button" data-article="{text(row.article_id)}">'
        f'{text(row.title or row.article_id)}</button><span class="beside">{source}: {state}</span>'
        f'</td><td class="published">{day(row.published)}</td>'
        f'<td class="source">{source}</td><td class="state">{state}</td></tr>'
    )


def _searched(row: Row) -> str:
    parts = (row.title, row.source, row.published, row.article_id)
    return " ".join(str(part) for part in parts if part).casefold()
