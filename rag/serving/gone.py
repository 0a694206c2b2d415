"""A client that has hung up, events that are sent as they come, and their ids."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse

from rag.errors import CancelledError

Result = TypeVar("Result")
_KEEP_ALIVE_SECONDS = 10.0
KEEP_ALIVE = ": it is being worked on\n\n"
"""A comment, which every client passes over."""


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What work returns; it is cancelled when the client hangs up.

    Args:
        request: Its body was read.
        work: What it asked for.

    Raises:
        CancelledError: the client is gone.
    """
    working = asyncio.ensure_future(work)
    hung_up = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise CancelledError("the client went before it was answered")
    finally:
        for task in (working, hung_up):
            task.cancel()
        await asyncio.wait({working, hung_up})


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def event_stream(frames: AsyncGenerator[str, None]) -> StreamingResponse:
    """A response of server-sent events; its client hanging up closes the generator."""
    return StreamingResponse(
        _kept_alive(frames), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _kept_alive(frames: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """The frames, with a comment where none came for a while: proxies close what is silent."""
    coming: asyncio.Task[str] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(_next(frames))
            done, _ = await asyncio.wait({coming}, timeout=_KEEP_ALIVE_SECONDS)
            if not done:
                yield KEEP_ALIVE
                continue
            frame = coming.result()
            coming = None
            if not frame:
                return
            yield frame
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.wait({coming})
        await frames.aclose()


async def _next(frames: AsyncGenerator[str, None]) -> str:
    return await anext(frames, "")


def frame(data: str, event: str | None = None) -> str:
    """One server-sent event.

    Args:
        data: JSON on one line.
        event: Its name.
    """
    return (f"event: {event}\n" if event else "") + f"data: {data}\n\n"


def new_id(kind: str) -> str:
    """An id as those forms have it, such as `msg_…`."""
    return f"{kind}_{secrets.token_hex(12)}"
