"""The stock of an index: what was skipped, files handed over, its health, a build under way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from rag import (
    KNOWN_SUFFIXES,
    BuildProgress,
    BuildReport,
    CheckReport,
    IndexInfo,
    Upload,
    format_of_path,
)
from rag.page.markup import message, number, text

MAX_SKIPPED = 200
MAX_UPLOADS = 1_000
MAX_OPEN = 10
"""A list of at most so many inputs is open from the start."""
_PHASES = {
    "read": "Reading the sources",
    "embed": "Reading and embedding",
    "derive": "Writing vectors and words",
    "publish": "Publishing",
}
WAITING = (
    '<div class="build" role="status"><p>Another build of this index is under way; this one'
    " follows.</p></div>"
)


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


def accepted(max_bytes: int) -> str:
    """Which files are read, by format, for whoever is about to choose some."""
    ends: dict[str, list[str]] = {}
    for end in KNOWN_SUFFIXES:
        ends.setdefault(format_of_path(f"x{end}") or "archive", []).append(end)
    listed = "; ".join(f"{name} ({', '.join(found)})" for name, found in ends.items())
    return (
        f'<details class="accepted"><summary>Up to {max_bytes // 2**20} MiB a file:'
        f" {text(', '.join(ends))}</summary><p>{text(listed)}</p></details>"
    )


def skipped(items: Sequence[SkippedInput]) -> str:
    """What the build did not take, and why."""
    if not items:
        return '<p class="skipped none">Nothing was skipped.</p>'
    lines = "".join(map(_skipped_line, items[:MAX_SKIPPED]))
    if len(items) > MAX_SKIPPED:
        lines += f"<li>{len(items) - MAX_SKIPPED:,} more: rag show NAME lists all of them.</li>"
    return (
        f'<details class="skipped"{" open" * (len(items) <= MAX_OPEN)}>'
        f"<summary>{number(len(items), 'input')} skipped</summary><ul>{lines}</ul></details>"
    )


def _skipped_line(item: SkippedInput) -> str:
    line = "" if item.line is None else f", line {item.line}"
    return (
        f"<li><code>{text(item.path)}{line}</code>"
        f'<span class="reason">{text(item.reason)}</span></li>'
    )


def taken_out(article_ids: Sequence[str]) -> str:
    """The articles that were taken out though the sources hold them, to be put back."""
    if not article_ids:
        return ""
    return _buttons(
        article_ids,
        what="uploads taken-out",
        summary=f"{number(len(article_ids), 'article')} taken out",
        data="take-back",
        does="Put back",
    )


def uploads(paths: Sequence[Path]) -> str:
    """The files that were handed over, each with a button that removes it."""
    if not paths:
        return ""
    return _buttons(
        [path.name for path in paths],
        what="uploads",
        summary=f"{number(len(paths), 'file')} added here",
        data="remove",
        does="Remove",
        more=f" in {paths[0].parent}",
    )


def _buttons(
    names: Sequence[str], *, what: str, summary: str, data: str, does: str, more: str = ""
) -> str:
    """A list of names, each with a button; `more` follows the number of those left out."""
    lines = "".join(
        f'<li><code>{text(name)}</code> <button type="button" data-{data}="{text(name)}"'
        f' aria-label="{does} {text(name)}">{does}</button></li>'
        for name in names[:MAX_UPLOADS]
    )
    if len(names) > MAX_UPLOADS:
        lines += f"<li>{len(names) - MAX_UPLOADS:,} more{text(more)}</li>"
    return (
        f'<details class="{what}"{" open" * (len(names) <= MAX_OPEN)}><summary>{summary}</summary>'
        f"<ul>{lines}</ul></details>"
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


def told(words: str) -> str:
    """What was done, in a line above what the build says."""
    return _uploaded([words])


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


def built(done: BuildReport, files: Collection[str] = ()) -> str:
    """What a build did, and what it did not take of the files that were just handed over.

    Args:
        done: Its report.
        files: Their paths, as `Skipped.path` has them.
    """
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
        f"{_note(done.note)}</div>{_not_taken(done.skipped, files)}"
    )


def _not_taken(items: Sequence[SkippedInput], files: Collection[str]) -> str:
    """Which of the files just handed over were not read, or not all of them, and why."""
    found = [
        one
        for one in items
        if any(one.path == file or one.path.startswith(f"{file}/") for file in files)
    ]
    if not found:
        return ""
    lines = "".join(map(_skipped_line, found[:MAX_OPEN]))
    if len(found) > MAX_OPEN:
        lines += f"<li>{len(found) - MAX_OPEN:,} more: see the list below.</li>"
    return (
        '<div class="notice stopped not-taken" role="alert"><p>Not taken of what you added:</p>'
        f"<ul>{lines}</ul></div>"
    )


def refused(words: str) -> str:
    """That a build would take most articles out, with a button that lets it."""
    return (
        f'<div class="notice error" role="alert"><p>{text(words)}</p><p>The index is as it was. Put'
        ' them back and rebuild, or</p><button type="button" data-let-go>let them go</button></div>'
    )


def _note(words: str | None) -> str:
    return f'<p class="build-note">{text(words)}</p>' if words else ""
