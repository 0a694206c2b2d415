"""`rag add` and `rag watch`: articles come in, once or whenever their files change."""

from __future__ import annotations

import datetime
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.imports import show_import
from rag.cli.indexes import show_report
from rag.cli.options import Json, settings_with
from rag.cli.output import line, log, print_json, show_error
from rag.cli.parts import parts_of
from rag.cli.progress import build_progress
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.building.report import BuildReport
    from rag.settings import Settings

_ROUND_MS = 1_000
_QUIET_MS = 2_000  # a file that is still being written changes more often


def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the index; made if new.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files and folders of articles.")
    ],
    copy: Annotated[
        bool, typer.Option("--copy", help="Keep copies of the files in the index folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add files and folders to an index, and bring it up to date.

    They stay where they are and become sources in its index.toml; with --copy files are copied,
    and the originals may go. Of what was read the report tells numbers and reasons by format.
    """
    settings = settings_with()
    if copy:
        from rag.building.uploads import add_files

        add_files(name, paths, settings=settings)
    else:
        from rag.building.sources import add_sources

        add_sources(name, paths, settings=settings)
    report = _build(ctx, name, settings)
    if as_json:
        print_json(report)
    else:
        show_report(report)
        show_import(report)


def watch(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the index.")],
) -> None:
    """Follow the sources of an index: whenever their files change, bring it up to date.

    Ends with Ctrl-C. What a build could not do is told, and tried again at the next change.
    """
    settings = settings_with()
    follow(ctx, name, settings, threading.Event())


def follow(ctx: typer.Context, name: str, settings: Settings, stop: threading.Event) -> None:
    """Build an index now and at each change of its sources, until `stop` is set."""
    from watchfiles import watch as changes

    from rag.building.sources import watched_paths

    paths = watched_paths(name, settings=settings)
    log().print(f"{line(name)}: following {', '.join(line(str(path)) for path in paths)}")
    # What changes while a build runs is kept for the next round; so the first build, too, waits
    # until the files are followed.
    rounds = changes(
        *paths,
        debounce=_QUIET_MS,
        rust_timeout=_ROUND_MS,
        yield_on_timeout=True,
        stop_event=stop,
    )
    for number, changed in enumerate(rounds):
        if changed and number:
            log().print(
                f"{line(name)}: {datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
                f" {len(changed):,} file{'s' if len(changed) != 1 else ''} changed"
            )
        if changed or not number:
            _build_and_tell(ctx, name, settings)


def _build_and_tell(ctx: typer.Context, name: str, settings: Settings) -> None:
    try:
        report = _build(ctx, name, settings)
    except RagError as error:  # the next change may mend it
        show_error(error)
        return
    if report.published:
        show_report(report)
        show_import(report)
        sys.stdout.flush()  # it goes on for ever, and whoever reads a pipe should not wait for that


def _build(ctx: typer.Context, name: str, settings: Settings) -> BuildReport:
    with build_progress(line(name)) as progress:
        return parts_of(ctx).build(name, progress=progress, settings=settings)
