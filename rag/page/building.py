"""Builds in the background, as one line of HTML after the other."""

from __future__ import annotations

import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor

from rag import BuildProgress, BuildReport, RagError, RemovalError, Settings
from rag.page import stock
from rag.page.markup import message

_log = logging.getLogger(__name__)
_MOMENT_SECONDS = 0.2


class Builds:
    """Builds of indexes, of each index one at a time: what comes meanwhile waits for its turn.

    Args:
        run: Like `rag.build`.
        settings: Where the indexes lie.
    """

    def __init__(self, run: Callable[..., BuildReport], settings: Settings) -> None:
        self._run = run
        self._settings = settings
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def build(
        self, index: str, *, allow_removal: bool = False, files: Collection[str] = ()
    ) -> Iterator[str]:
        """Run a build in a thread of its own and show how far it is.

        It goes on when nobody looks any more: a build is the index's business, not the page's.

        Args:
            index: Name of the index.
            allow_removal: Whether most of the articles may go; without it a button asks.
            files: What was just handed over, as `Skipped.path` has it: of these it is told what
                was not taken.
        """
        steps: queue.SimpleQueue[BuildProgress] = queue.SimpleQueue()
        begun = threading.Event()

        def in_turn() -> BuildReport:
            with self._turns[index]:
                begun.set()
                return self._run(
                    index,
                    allow_removal=allow_removal,
                    progress=steps.put,
                    settings=self._settings,
                )

        pool = ThreadPoolExecutor(1, thread_name_prefix="build")
        future = pool.submit(in_turn)
        pool.shutdown(wait=False)
        if not begun.wait(_MOMENT_SECONDS):
            yield stock.WAITING
            begun.wait()
        yield stock.progress(BuildProgress(index=index, phase="read"))
        while not future.done():
            newest = _newest(steps)
            if newest is not None:
                yield stock.progress(newest)
        try:
            yield stock.built(future.result(), files)
        except RemovalError as error:
            _log.warning("build of %r refused: %s", index, error)
            yield stock.refused(error.message)
        except RagError as error:
            _log.warning("build of %r failed: %s", index, error)
            yield message("error", error.message, mend=error.mend)


def _newest(steps: queue.SimpleQueue[BuildProgress]) -> BuildProgress | None:
    """The last step told within a moment; a page need not hear of each."""
    newest = None
    try:
        newest = steps.get(timeout=_MOMENT_SECONDS)
        while True:
            newest = steps.get_nowait()
    except queue.Empty:
        return newest
