"""Waiting for what another thread writes: its tokens, what it met, or that it is gone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from rag.errors import CancelledError, ModelError, RagError
from rag.lifetime import Lifetime
from rag.llm.base import Token

_LOOK_SECONDS = 0.05  # how often who waits looks whether there still is something to wait for

Pieces = queue.SimpleQueue[Token | RagError | None]
"""Tokens in order; an error ends them, and None says that nothing more comes."""


def written(
    pieces: Pieces,
    *,
    name: str,
    owner: threading.Thread,
    life: Lifetime,
    cancelled: threading.Event,
) -> Iterator[Token]:
    """What is written, as it comes.

    Args:
        pieces: Where the owner puts it.
        name: Of the language model.
        owner: The thread that writes.
        life: Of the language model.
        cancelled: Ends it.

    Raises:
        CancelledError: `cancelled` was set, or the model was closed meanwhile.
        ClosedError: this is a copy of the process.
        ModelError: the owner is gone.
        RagError: whatever the owner met.
    """
    while True:
        if life.copied:
            life.check()
        alive = owner.is_alive()  # before looking: it may end after its last piece
        try:
            piece = pieces.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if cancelled.is_set():
                raise CancelledError("the answer was stopped") from None
            if life.closed:
                raise closed_meanwhile() from None
            if not alive:
                raise gone(name) from None
            continue
        if piece is None:
            return
        if isinstance(piece, RagError):
            raise piece
        yield piece
        if cancelled.is_set():
            raise CancelledError("the answer was stopped")


def closed_meanwhile() -> CancelledError:
    """What who waits is told when the model is closed."""
    return CancelledError("the language model was closed before the answer was complete")


def gone(name: str) -> ModelError:
    """What is told when the thread that runs a model is no more."""
    return ModelError(
        f"the thread that runs language model {name!r} has ended", mend="open it again"
    )
