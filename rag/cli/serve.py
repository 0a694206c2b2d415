"""`rag serve`: starts the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rag.cli.options import Index, settings_with
from rag.cli.output import tell_where_it_goes


def serve(
    index: Index = "seeds",
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, metavar="PORT", help="Port to listen on; 0: a free one."),
    ] = 8000,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on. For others on the network 0.0.0.0, with --tokens.",
        ),
    ] = "127.0.0.1",
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Who may come in: a file with a line NAME:TOKEN for each.",
        ),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Answer and search, but do not build.")
    ] = False,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option("--log-level", help="From which level on the log is written, to stderr."),
    ] = "info",
    log_questions: Annotated[
        bool, typer.Option("--log-questions", help="Write questions into the log.")
    ] = False,
) -> None:
    """Answer other programs over HTTP.

    REST, and the forms of OpenAI and Anthropic; /openapi.json describes them. To this machine only
    unless told otherwise, until Ctrl-C. --index is asked where a request names none.
    """
    from rag.serving.serve import main

    tell_where_it_goes(settings_with())
    main(
        index,
        port,
        host,
        tokens,
        read_only=read_only,
        log_level=log_level,
        log_questions=log_questions,
        announce=lambda address: print(f"The server: {address}", flush=True),
    )
