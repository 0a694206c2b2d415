"""A build in the background, as one line of HTML after the other."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from rag import BuildProgress, BuildReport, RagError, RemovalError, Settings
from rag.page import library
from rag.page.markup import message

_log = logging.getLogger(__name__)


def build(
    run: Callable[..., BuildReport], index: str, settings: Settings, *, allow_removal: bool = False
) -> Iterator[str]:
    """Run a build in a thread of its own and show how far it is.

    It goes on when nobody looks any more: a build is the index's business, not the page's.

    Args:
        run: Like `rag.build`.
        index: Name of the index.
        settings: Where it lies.
        allow_removal: Whether most of the articles may go; without it a button asks.
    """
    steps: queue.SimpleQueue[BuildProgress] = queue.SimpleQueue()
    pool = ThreadPoolExecutor(1, thread_name_prefix="build")
    future = pool.submit(
        run, index, allow_removal=allow_removal, progress=steps.put, settings=settings
    )
    pool.shutdown(wait=False)
    at = BuildProgress(index=index, phase="read")
    yield library.progress(at)
    while not future.done():
        newest = _newest(steps)
        if newest is not None:
            at = newest
            yield library.progress(at)
    try:
        yield library.built(future.result())
    except RemovalError as error:
        _log.warning("build of %r refused: %s", index, error)
        yield library.refused(error.message)
    except RagError as error:
        _log.warning("build of %r failed: %s", index, error)
        yield message("error", error.message, mend=error.mend)


def _newest(steps: queue.SimpleQueue[BuildProgress]) -> BuildProgress | None:
    """The last step told within a moment; a page need not hear of each."""
    newest = None
    try:
        newest = steps.get(timeout=0.2)
        while True:
            newest = steps.get_nowait()
    except queue.Empty:
        return newest
