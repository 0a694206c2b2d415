"""The command `rag`: questions, indexes, models and the page, from a terminal.

Results go to stdout; progress, logs and errors to stderr. Exit codes: 0 done, 1 failed (the
message says what mends it), 2 wrong usage, 3 no answer (only with `ask --strict`), 130 stopped
with Ctrl-C, 141 nobody reads stdout any more. Heavy libraries load inside the commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rag import __version__
from rag.cli import batch, evaluation, indexes, models, questions, ui, upkeep
from rag.cli.output import show_error
from rag.cli.parts import Parts
from rag.errors import RagError

FAILED, PIPE_CLOSED = 1, 141


class _Commands(TyperGroup):
    """Turns what commands raise into a message and an exit code."""

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
            # Python's own advice (library/signal): nothing may be flushed there at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
app.command("list")(indexes.list_)
app.command()(indexes.show)
app.command()(upkeep.check)
app.command()(upkeep.rollback)
app.command()(upkeep.prune)
app.command("eval")(evaluation.evaluate)
app.add_typer(models.app, name="models")
app.command()(ui.ui)


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
    # A path or a quotation that the terminal's encoding lacks is shown, not an error.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(args=arguments, prog_name="rag", obj=parts)
