"""Serving: where it listens, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from rag.building.report import BuildReport
from rag.engine import Rag
from rag.errors import RagError, SettingsError, check_extra
from rag.pool import EnginePool
from rag.settings import Settings, silence_telemetry

PORT = 8000
HOST = "127.0.0.1"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MAX_CONNECTIONS = 512
_KEEP_ALIVE_SECONDS = 30
_STOP_SECONDS = 10


def main(
    index: str = "seeds",
    port: int = PORT,
    host: str = HOST,
    tokens: Path | None = None,
    *,
    read_only: bool = False,
    log_level: str = "info",
    log_questions: bool = False,
    open_index: Callable[..., Rag] = Rag.open,
    build: Callable[..., BuildReport] | None = None,
    announce: Callable[[str], object] = lambda address: None,
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        index: Asked when a request names none; opened at once.
        port: Port to listen on; 0 takes a free one.
        host: Address to listen on; any but this machine's own needs `tokens`.
        tokens: File with a line NAME:TOKEN for each who may come in; None lets everybody.
        read_only: Leave out builds.
        log_level: From which level on it writes to stderr (`rag.serving.log.LEVELS`).
        log_questions: Write questions into the log.
        open_index: Like `Rag.open`; tests open one with fakes.
        build: Like `rag.build`; None takes that.
        announce: Told the address once it listens.

    Raises:
        MissingExtraError: a library of the extra `server` is not installed.
        SettingsError: others could come in without a token, or the tokens do not fit.
        RagError: the port is taken.
    """
    for library in ("fastapi", "uvicorn", "prometheus_client"):
        check_extra("the server", extra="server", library=library)
    if host not in _LOOPBACK and tokens is None:
        raise SettingsError(
            f"{host}: others on the network could ask and build",
            mend="name who may, with --tokens FILE",
        )
    silence_telemetry()
    import uvicorn

    from rag.api import build as build_index
    from rag.serving import guard, log
    from rag.serving.app import create_app
    from rag.serving.tokens import Tokens

    log.configure(log_level)
    settings = Settings()
    pool = EnginePool(open_index)
    app = create_app(
        pool,
        settings,
        index=index,
        tokens=Tokens.read(tokens) if tokens else None,
        hosts=guard.LOCAL_NAMES if host in _LOOPBACK else None,
        read_only=read_only,
        log_questions=log_questions,
        build=build or build_index,
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # it would log addresses with what is asked in them
        server_header=False,
        ws="none",
        lifespan="on",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    # uvicorn raises the signal that ended it once more, for whoever had it before.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with _listening(host, port) as listener:
            announce(_address(host, listener))
            uvicorn.Server(config).run([listener])
    finally:
        pool.close()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens already when the address is announced."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_MAX_CONNECTIONS)
        # asyncio sets it only where a socket names its protocol. Without it the end of an answer
        # waits 40 ms for the client to acknowledge the beginning. Connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        problem = f"the server does not start at {host}, port {port}: {error.strerror or error}"
        raise RagError(problem, mend="name another --port") from error


def _address(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"
