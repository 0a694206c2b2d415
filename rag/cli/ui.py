"""`rag ui`: starts the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import Index, settings_with
from rag.cli.output import tell_where_it_goes


def ui(
    index: Index = "seeds",
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="PORT",
            help="Port to listen on; without it the first free one from 7860.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on. For others on the network 0.0.0.0, with --auth.",
        ),
    ] = "127.0.0.1",
    auth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Who may come in: a file with a line NAME:PASSWORD for each.",
        ),
    ] = None,
) -> None:
    """Ask in the browser.

    Serves a page, to this machine only unless told otherwise, until Ctrl-C.
    """
    from rag.page.serve import main

    tell_where_it_goes(settings_with())
    main(
        index, port, host, auth, announce=lambda address: print(f"The page: {address}", flush=True)
    )
