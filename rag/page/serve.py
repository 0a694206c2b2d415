"""Serving the page: who may come in, where it listens, until Ctrl-C.

It listens on 127.0.0.1 unless told otherwise, is never shared, and reports nothing to anybody.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag import BuildReport, EnginePool, Rag, RagError, Settings
from rag import build as build_index
from rag.errors import check_extra
from rag.page.engines import Engines
from rag.settings import leave_gradio_no_settings

HOST = "127.0.0.1"
_LOCAL_NAMES = (HOST, "localhost")


def people(file: Path) -> list[tuple[str, str]]:
    """Names and passwords of a file with a line NAME:PASSWORD for each person.

    Raises:
        RagError: it cannot be read, or a line is none.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RagError(f"{file} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        name, colon, password = line.partition(":")
        if line.strip() and not (name and colon and password):
            raise RagError(f"{file}, line {number}: not NAME:PASSWORD")
        if line.strip():
            found.append((name, password))
    return found


def main(
    index: str = "seeds",
    port: int | None = None,
    host: str = HOST,
    auth: Path | None = None,
    open_index: Callable[..., Rag] = Rag.open,
    build: Callable[..., BuildReport] = build_index,
    announce: Callable[[str], object] = lambda address: None,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        index: Chosen at first.
        port: None takes the first free one from 7860.
        host: Address to listen on; any but 127.0.0.1 needs `auth`.
        auth: File with a line NAME:PASSWORD for each who may come in; None lets everybody.
        open_index: Like `Rag.open`; tests open one with fakes.
        build: Like `rag.build`.
        announce: Told the address once it listens.

    Raises:
        MissingExtraError: Gradio is not installed.
        RagError: no index is built, or the port is taken.
    """
    check_extra("the page", extra="ui", library="gradio")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    if host != HOST and not auth:
        raise RagError(
            f"{host}: others on the network could ask and add articles",
            mend="name who may, with --auth FILE",
        )
    allowed = people(auth) if auth else None
    settings = Settings()
    engines = Engines(EnginePool(open_index), settings)
    ready = engines.names()
    if index not in ready:
        raise RagError(f"index {index!r} is not ready to be asked", mend=f"rag build {index}")
    names = [index, *(name for name in ready if name != index)]
    with (
        _tidy_at_sigterm(),
        tempfile.TemporaryDirectory(prefix="rag-page-", ignore_cleanup_errors=True) as uploads,
    ):
        leave_gradio_no_settings(Path(uploads), [*_LOCAL_NAMES, host])
        # While Gradio is imported, and not while somebody's browser already loads the page.
        engines.warm_up(index)
        try:
            page = _launched(engines, build, names, Path(uploads), host, port, allowed)
            announce(page.local_url)
            page.block_thread()
        except (OSError, ValueError) as error:  # the second: Gradio does not reach itself
            mend = "name another --port"
            raise RagError(f"the page does not start: {error}", mend=mend) from error
        finally:
            engines.close()


class _Terminated(BaseException):
    """SIGTERM came."""


@contextlib.contextmanager
def _tidy_at_sigterm() -> Iterator[None]:
    """End what is inside at SIGTERM as at Ctrl-C, then by the signal: no build holds it up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends it at once
        raise _Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except _Terminated:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def _launched(
    engines: Engines,
    build: Callable[..., BuildReport],
    names: Sequence[str],
    uploads: Path,
    host: str,
    port: int | None,
    people: list[tuple[str, str]] | None,
) -> Any:
    """The page (`gr.Blocks`), listening."""
    from starlette.middleware import Middleware

    from rag.page import guard, look
    from rag.page.blocks import build_page
    from rag.page.feeds import Feeds
    from rag.page.handlers import Handlers
    from rag.page.library_events import LibraryEvents
    from rag.page.library_tab import MAX_UPLOAD

    token = secrets.token_urlsafe(16)
    feed = people is None  # readers of feeds cannot come in with a password
    # All who fit into the model's queue, and some who are told that it is full.
    n_asking = engines.settings.queue_size + 4
    page = build_page(Handlers(engines, feed=feed), LibraryEvents(engines, build), names, n_asking)
    asked_by = list(_LOCAL_NAMES) if host == HOST else ["*"]
    feeds = [Middleware(Feeds, settings=engines.settings)] if feed else []
    fences = guard.middleware(asked_by, uploads, token, feeds)
    page.launch(
        prevent_thread_lock=True,
        server_name=host,
        server_port=port,
        auth=people,
        quiet=True,  # it offers to share
        share=False,
        footer_links=[],
        run_history=False,  # it offers to keep questions in a bucket elsewhere
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
        max_file_size=MAX_UPLOAD,
        theme=look.theme(),
        head=look.head(token),
        app_kwargs={"middleware": fences},
    )
    return page
