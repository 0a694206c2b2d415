"""`rag mcp`: the indexes for assistants."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rag.cli.options import Index, Model, settings_with
from rag.cli.output import tell_where_it_goes
from rag.cli.parts import parts_of


def _address(text: str) -> tuple[str, int]:
    """A host and a port, such as 127.0.0.1:8765."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT", param_hint="'--http'")
    return host.strip("[]"), int(port)


def mcp(
    ctx: typer.Context,
    index: Index = "seeds",
    http: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Serve over HTTP at this address of this machine, until Ctrl-C; without it on"
            " stdin and stdout.",
        ),
    ] = None,
    model: Model = None,
) -> None:
    """Serve the indexes to an assistant, over the Model Context Protocol.

    Tools: ask, search, fetch, timeline, list_indexes; articles are resources. Nothing is written.
    """
    from rag.mcp_server.transport import main

    address = _address(http) if http is not None else None
    settings = settings_with(model=model)
    tell_where_it_goes(settings)
    main(
        index,
        settings,
        address,
        parts_of(ctx).open,
        announce=lambda address: print(f"MCP over HTTP: {address}", flush=True),
        aside=None if http else sys.stderr,
    )
