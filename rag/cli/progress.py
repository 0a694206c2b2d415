"""How far a build or a download is: a bar on a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from rag.cli.output import log

if TYPE_CHECKING:
    from rich.console import Console

    from rag.building.report import BuildProgress

_LINE_EVERY_ARTICLES = 1000
_LINE_EVERY_PERCENT = 10
LINE_EVERY_SECONDS = 9.0
"""A log gets a line at least every ten seconds: whoever reads it sees that the work goes on."""
_PHASES = {
    "read": "reading",
    "embed": "embedding",
    "derive": "writing vectors and words",
    "publish": "publishing",
}


class LogLines:
    """How far something is, as lines in a log; on a terminal it writes nothing.

    A context manager: while it is open, what was told last is written again after
    `every` seconds without a line, with the time that has gone by.

    Args:
        console: Where to.
        doing: What is being done until something is told.
        every: Seconds after which a line is due.
    """

    def __init__(self, console: Console, doing: str, *, every: float = LINE_EVERY_SECONDS) -> None:
        self._console = console
        self._text = doing
        self._every = every
        self._started = self._written = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="log-lines", daemon=True)

    def tell(self, text: str, *, now: bool) -> None:
        """Say how far it is: with a line of its own now, or when the next one is due."""
        with self._lock:
            self._text = text
            if now and not self._console.is_terminal:
                self._console.print(text)
                self._written = time.monotonic()

    def __enter__(self) -> Self:
        if not self._console.is_terminal:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _repeat(self) -> None:
        while not self._ended.wait(self._written + self._every - time.monotonic()):
            with self._lock:
                now = time.monotonic()
                if now >= self._written + self._every:
                    self._console.print(f"{self._text}, {now - self._started:,.0f} s so far")
                    self._written = now


@contextmanager
def build_progress(
    index: str, *, every: float = LINE_EVERY_SECONDS
) -> Iterator[Callable[[BuildProgress], None]]:
    """What to give to `build` as its `progress`; `every`: see `LogLines`."""
    console = log()
    if console.is_terminal:
        with _build_bar(index, console) as show:
            yield show
        return
    shown: set[object] = set()
    with LogLines(console, f"{index}: opening", every=every) as lines:

        def write(told: BuildProgress) -> None:
            if told.note and told.note not in shown:
                shown.add(told.note)
                console.print(f"{told.index}: {told.note}")
            step = told.n_done // _LINE_EVERY_ARTICLES
            # Reading and embedding take turns: a line for so many articles, not for each turn.
            key = step if told.phase in ("read", "embed") else told.phase
            lines.tell(_build_line(told), now=key not in shown)
            shown.add(key)

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
        with LogLines(console, f"{name}: looking for it") as lines:
            yield _download_lines(name, lines)
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


def _download_lines(name: str, lines: LogLines) -> Callable[[int, int, str], None]:
    shown = -1

    def write(done: int, total: int, what: str) -> None:
        nonlocal shown
        percent = 100 * done // max(total, 1)
        step = percent // _LINE_EVERY_PERCENT
        lines.tell(f"{name}: {percent} % of {total / 1e6:,.0f} MB ({what})", now=step > shown)
        shown = max(step, shown)

    return write


@contextmanager
def question_progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """How many questions are done: what to give to `rag.evaluation.evaluate` as its `progress`."""
    from rich import progress

    if not console.is_terminal:
        with LogLines(console, "reading the questions") as lines:
            yield _question_lines(lines)
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


def _question_lines(lines: LogLines) -> Callable[[int, int], None]:
    shown = 0

    def write(done: int, total: int) -> None:
        nonlocal shown
        step = 100 * done // max(total, 1) // _LINE_EVERY_PERCENT
        lines.tell(f"{done:,} of {total:,} questions", now=step > shown)
        shown = max(step, shown)

    return write
