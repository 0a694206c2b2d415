"""Serving the page: who may come in, where it listens, until Ctrl-C.

It listens on 127.0.0.1 unless told otherwise, is never shared, and reports nothing to anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from rag import BuildReport, Rag, RagError, Settings
from rag import build as build_index
from rag.errors import needs_extra
from rag.page.engines import Engines

HOST = "127.0.0.1"


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
    with needs_extra("the page", extra="ui"):
        from rag.page import look
        from rag.page.blocks import MAX_UPLOAD, build_page
        from rag.page.handlers import Handlers

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    if host != HOST and not auth:
        raise RagError(
            f"{host}: others on the network could ask and add articles",
            mend="name who may, with --auth FILE",
        )
    allowed = people(auth) if auth else None
    settings = Settings()
    engines = Engines(open_index, settings)
    ready = engines.names()
    if index not in ready:
        raise RagError(f"index {index!r} is not ready to be asked", mend=f"rag build {index}")
    names = [index, *(name for name in ready if name != index)]
    # All who fit into the model's queue, and some who are told that it is full.
    page = build_page(Handlers(engines, build), names, settings.queue_size + 4)
    try:
        _, address, _ = page.launch(
            prevent_thread_lock=True,
            server_name=host,
            server_port=port,
            auth=allowed,
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
            head=look.head(),
            app_kwargs={
                "middleware": look.middleware([HOST, "localhost"] if host == HOST else ["*"])
            },
        )
        announce(address)
        engines.warm_up(index)
        page.block_thread()
    except OSError as error:
        raise RagError(f"the page does not start: {error}", mend="name another --port") from error
    finally:
        engines.close()
