"""What is refused before anything is asked: other names, other sites, strangers.

Without this a page in the browser of whoever runs the server could ask it: by a name that it makes
point to this machine (DNS rebinding), or by a request across sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.serving.problems import Problem, response
from rag.serving.tokens import Tokens

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
OPEN_PATHS = ("/health", "/ready")
"""What anybody may ask who reaches the server: it tells nothing about indexes."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def middleware(
    hosts: Sequence[str] | None, tokens: Tokens | None, body_bytes: int
) -> list[Middleware]:
    """Headers for every answer, and the refusals.

    Args:
        hosts: Names that the server may be asked by; None lets every name pass, which needs
            tokens: a page that reaches the server by its own name has none.
        tokens: Who may come in; None lets everybody.
        body_bytes: Largest body of a request.
    """
    return [
        Middleware(_WithHeaders),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts or ["*"]), www_redirect=False),
        Middleware(_SameSite),
        Middleware(_OnlyKnown, tokens=tokens),
        Middleware(_NotTooLarge, body_bytes=body_bytes),
    ]


class _WithHeaders:
    """Adds the headers. Plain ASGI: wrapping the body would hold back what is streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _SameSite:
    """Refuses what a browser sends for a page of another site.

    A program sends neither header, or its own address. A link that somebody follows to an article
    passes: the page that has the link cannot read what is there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_of_another_site(Headers(scope=scope)):
            detail = "a page of another site asks, and may not"
            refused = Problem(title="Another site", status=403, detail=detail)
            await response(Request(scope), refused)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_of_another_site(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return not _is_at(origin, headers.get("host"))
    follows_link = headers.get("sec-fetch-mode") == "navigate"
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and not follows_link


def _is_at(origin: str, host: str | None) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


class _OnlyKnown:
    """Refuses who shows no token, as `Authorization: Bearer` or `x-api-key`."""

    def __init__(self, app: ASGIApp, tokens: Tokens | None) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._tokens is None or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        who = self._tokens.who(_token(Headers(scope=scope)))
        if who is None:
            detail = "it takes a token: Authorization: Bearer TOKEN"
            refused = Problem(title="No token", status=401, detail=detail)
            await response(Request(scope), refused)(scope, receive, send)
            return
        scope.setdefault("state", {})["who"] = who
        await self._app(scope, receive, send)


def _token(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-api-key", "")


class _NotTooLarge:
    """Refuses a body that says it is too large; FastAPI counts one that does not say."""

    def __init__(self, app: ASGIApp, body_bytes: int) -> None:
        self._app = app
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if said.isdecimal() and int(said) > self._body_bytes:
            detail = f"the body is larger than {self._body_bytes:,} bytes"
            refused = Problem(title="Too large", status=413, detail=detail)
            await response(Request(scope), refused)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
