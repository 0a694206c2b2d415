"""The command `rag`: questions, indexes, models and the page, from a terminal.

Results go to stdout; progress, logs and errors to stderr. Exit codes: 0 done, 1 failed (the
message says what mends it), 2 wrong usage, 3 no answer (only with `ask --strict`), 130 stopped
with Ctrl-C, 141 nobody reads stdout any more. Heavy libraries load inside the commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, TextIO, cast

import typer
from typer.core import TyperGroup

from rag import __version__
from rag.cli import (
    adding,
    batch,
    evaluation,
    following,
    indexes,
    mcp,
    models,
    questions,
    serve,
    ui,
    upkeep,
)
from rag.cli.output import Results, show_error, silence
from rag.cli.parts import Parts
from rag.errors import RagError

FAILED, PIPE_CLOSED = 1, 141


class _Commands(TyperGroup):
    """Turns what commands raise into a message and an exit code."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().main(*arguments, **options)
        except RagError as error:  # such as a help text that cannot be written
            show_error(error)
            sys.exit(FAILED)
        except OSError as error:  # for want of a better message
            place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
            show_error(RagError(f"{place}{error.strerror or error}"))
            sys.exit(FAILED)

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # here, not at exit, where a closed pipe leaves a traceback
        except RagError as error:
            show_error(error)
            raise typer.Exit(FAILED) from error
        except BrokenPipeError as error:
            silence(sys.stdout)
            raise typer.Exit(PIPE_CLOSED) from error


app = typer.Typer(
    cls=_Commands,
    help="Ask questions of news articles on your own machine; every answer cites its sources.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
app.command()(questions.ask)
app.command()(questions.search)
app.command()(questions.timeline)
app.command()(questions.summarize)
app.command()(batch.batch)
app.command()(indexes.build)
app.command()(adding.add)
app.command()(adding.watch)
app.command("list")(indexes.list_)
app.command()(indexes.show)
app.command()(upkeep.check)
app.command()(upkeep.rollback)
app.command()(upkeep.prune)
app.command("eval")(evaluation.evaluate)
app.add_typer(following.app, name="follow")
app.add_typer(models.app, name="models")
app.command()(ui.ui)
app.command()(serve.serve)
app.command()(mcp.mcp)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rag {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    ctx.ensure_object(Parts)


def main(arguments: Sequence[str] | None = None, parts: Parts | None = None) -> None:
    """Run the command and exit.

    Args:
        arguments: Without the name of the program; None takes them from the command line.
        parts: What the commands work with, such as one with fakes; None takes the real ones.
    """
    _open_what_is_closed()
    sys.stdout = cast(TextIO, Results(sys.stdout))
    # A path or a quotation that the terminal's encoding lacks is shown, not an error.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(args=arguments, prog_name="rag", obj=parts)


def _open_what_is_closed() -> None:
    """Give stdin, stdout and stderr a file where a shell closed them (`>&-`).

    Else the next file that is opened gets their number: an index into which a library then writes
    its messages. What is written to stdout still fails, to be told: the results are lost.
    """
    modes = os.O_RDONLY, os.O_RDONLY, os.O_WRONLY
    for number, mode in enumerate(modes):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            os.dup2(opened, number)  # the same, unless the one before it is closed too
            if opened != number:
                os.close(opened)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
