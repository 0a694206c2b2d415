"""`rag ui`: starts the page of app.py, which stands beside the package."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import Index
from rag.errors import RagError

_APP = Path(__file__).parents[2] / "app.py"


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
    if not _APP.is_file():
        raise RagError(
            f"{_APP} is not there: the page is part of the project, not of the installed package",
            mend="run it from a checkout installed with pip install --editable, such as by make ui",
        )
    runpy.run_path(str(_APP))["main"](index=index, port=port, host=host, auth=auth)
