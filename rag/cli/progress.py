"""How far a build or a download is: a bar on a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.cli.output import log

if TYPE_CHECKING:
    from rich.console import Console

    from rag.building.report import BuildProgress

_LINE_EVERY_ARTICLES = 1000
_LINE_EVERY_PERCENT = 10
_PHASES = {
    "read": "reading",
    "embed": "embedding",
    "derive": "writing vectors and words",
    "publish": "publishing",
}


@contextmanager
def build_progress(index: str) -> Iterator[Callable[[BuildProgress], None]]:
    """What to give to `build` as its `progress`."""
    console = log()
    if console.is_terminal:
        with _build_bar(index, console) as show:
            yield show
        return
    shown: set[object] = set()

    def write(told: BuildProgress) -> None:
        if told.note and told.note not in shown:
            shown.add(told.note)
            console.print(f"{told.index}: {told.note}")
        step = told.n_done // _LINE_EVERY_ARTICLES
        # Reading and embedding take turns: a line for every so many articles, not for each turn.
        key = step if told.phase in ("read", "embed") else told.phase
        if key not in shown:
            shown.add(key)
            console.print(_build_line(told))

    yield write


@contextmanager
def _build_bar(index: str, console: Console) -> Iterator[Callable[[BuildProgress], None]]:
    from rich import progress

    bar = progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(show_speed=False),
        progress.TextColumn("{task.fields[rate]}", markup=False),
        progress.TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
    )
    noted: set[str] = set()
    started = time.monotonic()
    with bar:
        task = bar.add_task(f"{index}: opening", total=None, rate="")

        def show(told: BuildProgress) -> None:
            if told.note and told.note not in noted:
                noted.add(told.note)
                console.print(f"{told.index}: {told.note}")
            rate = told.n_chunks / max(time.monotonic() - started, 1e-3)
            bar.update(
                task,
                description=_build_line(told),
                completed=told.n_done,
                total=max(told.n_expected, told.n_done) if told.n_expected else None,
                rate=f"{rate:,.0f} chunks/s" if told.n_chunks else "",
            )

        yield show


def _build_line(told: BuildProgress) -> str:
    return (
        f"{told.index}: {_PHASES.get(told.phase, told.phase)}"
        f" ({told.n_done:,} articles, {told.n_chunks:,} new chunks)"
    )


@contextmanager
def download_progress(name: str) -> Iterator[Callable[[int, int, str], None]]:
    """What to give to `rag.models.pull` as its `progress`."""
    console = log()
    if not console.is_terminal:
        yield _download_lines(name)
        return
    from rich import progress

    bar = progress.Progress(
        progress.TextColumn("{task.fields[name]}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(compact=True),
        progress.TextColumn("{task.fields[what]}", markup=False, style="dim"),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task(name, total=None, name=name, what="")
        yield lambda done, total, what: bar.update(task, completed=done, total=total, what=what)


def _download_lines(name: str) -> Callable[[int, int, str], None]:
    console = log()
    shown = -1

    def write(done: int, total: int, what: str) -> None:
        nonlocal shown
        step = 100 * done // max(total, 1) // _LINE_EVERY_PERCENT
        if step > shown:
            shown = step
            percent = step * _LINE_EVERY_PERCENT
            console.print(f"{name}: {percent} % of {total / 1e6:,.0f} MB ({what})")

    return write


@contextmanager
def question_progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """How many questions are done: what to give to `rag.evaluation.evaluate` as its `progress`."""
    from rich import progress

    if not console.is_terminal:
        yield _question_lines(console)
        return
    bar = progress.Progress(
        progress.TextColumn("{task.completed:,} of {task.total:,} questions", markup=False),
        progress.BarColumn(),
        progress.TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=0)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _question_lines(console: Console) -> Callable[[int, int], None]:
    shown = 0

    def write(done: int, total: int) -> None:
        nonlocal shown
        step = 100 * done // max(total, 1) // _LINE_EVERY_PERCENT
        if step > shown:
            shown = step
            console.print(f"{done:,} of {total:,} questions")

    return write
