"""Engines kept open for everybody who asks: the page, `ask` and `search`, a server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from rag.engine import Rag
from rag.errors import ClosedError
from rag.settings import Settings


class EnginePool:
    """Engines by index and settings, each opened once. Safe to use from several threads.

    What they are made of they share: one language model with one queue, one embedding model
    (`Rag.open`).

    Args:
        open_index: Like `Rag.open`.
    """

    def __init__(self, open_index: Callable[..., Rag] = Rag.open) -> None:
        self._open_index = open_index
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._opening: dict[tuple[str, Settings], threading.Lock] = {}
        self._opened: dict[tuple[str, Settings], Rag] = {}
        self._closed = False

    def get(self, index: str, settings: Settings | None = None) -> Rag:
        """The engine for an index, opened at the first call and kept for later ones.

        Raises:
            RagError: it does not open; the next call tries again.
            ClosedError: the pool was closed.
        """
        self._forget_the_parents()
        self._check()
        key = (index, settings or Settings())
        with self._guard:
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:  # one index that opens keeps nobody from another
            if (opened := self._opened.get(key)) is not None:
                return opened
            try:
                rag = self._open_index(index, settings=key[1])
            except BaseException:
                with self._guard:  # names that are none leave nothing behind
                    self._opening.pop(key, None)
                raise
            with self._guard:
                # Another may have opened it behind a lock that was given up.
                opened = None if self._closed else self._opened.setdefault(key, rag)
            if opened is not rag:
                rag.close()
            if opened is not None:
                return opened
        self._check()
        raise AssertionError("an engine is kept unless the pool was closed")

    def is_open(self, index: str, settings: Settings | None = None) -> bool:
        """Whether `get` has an engine ready."""
        self._forget_the_parents()
        return (index, settings or Settings()) in self._opened

    def close(self) -> None:
        """Close every engine; answers being written end with a `CancelledError`."""
        self._forget_the_parents()
        with self._guard:
            self._closed = True
            opened = list(self._opened.values())
            self._opened.clear()
        for rag in opened:
            rag.close()

    def _check(self) -> None:
        if self._closed:
            raise ClosedError("the pool of engines was closed", mend="make another one")

    def _forget_the_parents(self) -> None:
        """In a process made by `os.fork()` engines are opened anew: those here are the parent's."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            self._guard = threading.Lock()  # a thread that is not here may have held the old one
            self._opening, self._opened = {}, {}
