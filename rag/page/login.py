"""Who may come in with a password: guessing is slowed down, and the cookie stays with this site."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN = "/login"
_FREE_TRIES = 3
_MAX_SECONDS = 30.0
_MAX_WAITING = 5
_MAX_ADDRESSES = 10_000
_WRONG = 400  # what Gradio answers to a wrong password


@dataclass
class _Tries:
    """What one address has tried since it last came in."""

    n_wrong: int = 0
    n_waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Brake:
    """Lets each wrong password make the next one from the same address wait twice as long.

    One at a time, so that trying many at once does not help. Nobody is locked out: the right
    password comes in, after the wait, which is 30 s at most.

    Args:
        app: What it stands before.
        sleep: Waits so many seconds.
    """

    def __init__(
        self, app: ASGIApp, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._app = app
        self._sleep = sleep
        self._tries: dict[str, _Tries] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _is_login(scope["path"]):
            await self._app(scope, receive, send)
            return
        tries = self._of((scope.get("client") or ("", 0))[0])
        if tries.n_waiting >= _MAX_WAITING:
            refused = PlainTextResponse("too many tries at once", 429, {"Retry-After": "30"})
            await refused(scope, receive, send)
            return
        tries.n_waiting += 1
        try:
            async with tries.turn:
                await self._in_turn(tries, scope, receive, send)
        finally:
            tries.n_waiting -= 1

    async def _in_turn(self, tries: _Tries, scope: Scope, receive: Receive, send: Send) -> None:
        if tries.n_wrong >= _FREE_TRIES:
            await self._sleep(min(2.0 ** (tries.n_wrong - _FREE_TRIES), _MAX_SECONDS))

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                wrong = message["status"] == _WRONG
                tries.n_wrong = min(tries.n_wrong + 1, 100) if wrong else 0
            await send(message)

        await self._app(scope, receive, told)

    def _of(self, address: str) -> _Tries:
        if address not in self._tries:
            if len(self._tries) >= _MAX_ADDRESSES:
                del self._tries[next(iter(self._tries))]
            self._tries[address] = _Tries()
        return self._tries[address]


class SameSiteCookies:
    """Makes each cookie one that no other site's page has sent along: SameSite=Lax."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def narrowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                cookies = headers.getlist("set-cookie")
                del headers["set-cookie"]
                for cookie in cookies:
                    headers.append("set-cookie", _lax(cookie))
            await send(message)

        await self._app(scope, receive, narrowed)


def _lax(cookie: str) -> str:
    parts = [part.strip() for part in cookie.split(";")]
    kept = [part for part in parts if not part.lower().startswith("samesite")]
    return "; ".join([*kept, "SameSite=Lax"])


def _is_login(path: str) -> bool:
    return path.rstrip("/") == LOGIN
