"""Serving the tools: on stdin and stdout, or over HTTP to this machine only."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from rag.engine import Rag
from rag.errors import RagError, check_extra
from rag.mcp_server.tools import Library, make_server
from rag.pool import EnginePool
from rag.settings import Settings

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

PATH = "/mcp"
_LOCAL = ("127.0.0.1", "localhost", "::1")


def main(
    index: str,
    settings: Settings,
    http: tuple[str, int] | None = None,
    open_index: Callable[..., Rag] = Rag.open,
    announce: Callable[[str], object] = lambda address: None,
    aside: TextIO | None = None,
) -> None:
    """Serve until the client closes stdin, or until Ctrl-C.

    Args:
        index: Asked where none is named.
        settings: How it works.
        http: Host and port to listen on, port 0 for a free one; None speaks on stdin and stdout,
            which then belong to the protocol.
        open_index: Like `Rag.open`.
        announce: Told the address once it listens.
        aside: Where goes what else would be written to stdout.

    Raises:
        MissingExtraError: the SDK is not installed.
        RagError: the host is not this machine's own, or the port is taken.
    """
    check_extra("the server for assistants", extra="server", library="mcp")
    engines = EnginePool(open_index)
    try:
        server = make_server(Library(engines, settings, index), aside)
        if http is None:
            server.run("stdio")
        else:
            _serve_http(server, *http, announce)
    finally:
        engines.close()


def _serve_http(
    server: MCPServer[Any], host: str, port: int, announce: Callable[[str], object]
) -> None:
    if host not in _LOCAL:
        raise RagError(
            f"{host}: others on the network could ask, and nothing here asks who they are",
            mend="listen on 127.0.0.1, behind a proxy that lets in whom you want",
        )
    import uvicorn

    # Its own rules against requests that a web page has a browser make come with this host.
    app = server.streamable_http_app(host=host, streamable_http_path=PATH)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise RagError(f"{host}:{port}: {error.strerror}", mend="name another port") from error
    with listening:
        shown = f"[{host}]" if ":" in host else host
        announce(f"http://{shown}:{listening.getsockname()[1]}{PATH}")
        uvicorn.Server(config).run(sockets=[listening])
