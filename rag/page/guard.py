"""What the server answers: to whom, which addresses, and what a request may hold.

Gradio serves much more than this page needs: files, requests passed on to other servers, tools for
developers. What is not listed here is not there.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.page.login import LOGIN, Brake, SameSiteCookies
from rag.page.owner import KnowsBrowsers
from rag.page.sheets import Sheets

# The second fence behind escaping. Gradio itself needs inline scripts and `eval`; what a script
# could do then is to speak to this server, and to nobody else.
_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for what does not know frame-ancestors
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# The page and what it is made of, who comes in, and the events with their files.
_KNOWN = re.compile(
    r"/|/(?:config|login|logout|theme\.css|favicon\.ico)/?|/(?:assets|static)/.*"
    r"|/gradio_api/(?:app_id|startup-events|queue/join|queue/data|run/predict|cancel|reset)/?"
    r"|/gradio_api/(?:heartbeat/\w+|upload|upload_progress)/?"
)
# Their names change with what they hold: a browser asks for each of them once.
_ASSETS, _FOR_EVER = "/assets/", "private, max-age=31536000, immutable"
_UPLOAD = "/gradio_api/upload"
# Bodies that hold files and passwords, not values of the page's components.
_FORMS = (_UPLOAD, LOGIN)
TOKEN = "x-rag-page"
"""Header in which the page says that it is the page; its value stands in a `meta` of that name."""


def middleware(
    hosts: list[str], uploads: Path, token: str, beside: Sequence[Middleware] = ()
) -> list[Middleware]:
    """Headers for every answer, and the refusals.

    Args:
        hosts: Names that the page may be asked by: another site that makes its own name point
            to this machine (DNS rebinding) must not read the page.
        uploads: Where files lie that were uploaded.
        token: What the page shows with what it uploads.
        beside: What answers addresses of its own, behind the refusals of who asks.
    """
    return [
        Middleware(_Headers),
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
        Middleware(_OnlyThePage, token=token),
        Middleware(Sheets),
        *beside,
        Middleware(SameSiteCookies),
        Middleware(KnowsBrowsers),
        Middleware(Brake),
        Middleware(_OnlyWhatIsNeeded),
        Middleware(_OnlyUploads, uploads=uploads),
    ]


class _Headers:
    """Adds the headers. Plain ASGI: wrapping the body would hold back what is streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if scope["path"].startswith(_ASSETS) and message["status"] == 200:
                    headers["Cache-Control"] = _FOR_EVER
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _OnlyThePage:
    """Refuses what pages of other sites send, and uploads that do not show the page's token.

    A browser says for whom it asks (`Origin`, `Sec-Fetch-Site`); a link that is followed passes.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = None
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if _is_of_another_site(headers):
                refused = "a page of another site asks, and may not"
            elif scope["path"].rstrip("/") == _UPLOAD and not secrets.compare_digest(
                headers.get(TOKEN, "").encode(), self._token.encode()
            ):
                refused = "files are taken from the page itself only"
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse(refused, 403)(scope, receive, send)


def _is_of_another_site(headers: Headers) -> bool:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin != "null":
        return not _is_at(origin, _hosts(headers))
    follows_link = headers.get("sec-fetch-mode") == "navigate" and origin is None
    return (site in ("cross-site", "same-site") and not follows_link) or (
        origin == "null" and site != "same-origin"
    )


def _hosts(headers: Headers) -> set[str | None]:
    """Names that this request asked by; a proxy tells the one that it was asked by itself."""
    return {headers.get("host"), headers.get("x-forwarded-host")}


class _OnlyWhatIsNeeded:
    """Refuses addresses that the page does not use."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _KNOWN.fullmatch(scope["path"]):
            await PlainTextResponse("not found", 404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _OnlyUploads:
    """Refuses values that name a file which was not uploaded: Gradio would fetch its address."""

    def __init__(self, app: ASGIApp, uploads: Path) -> None:
        self._app = app
        self._uploads = uploads.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or _is_form(scope["path"]):
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        try:
            named = list(_files(json.loads(body or b"null")))
        except (ValueError, RecursionError):
            await PlainTextResponse("not JSON", 400)(scope, receive, send)
            return
        hosts = _hosts(Headers(scope=scope))
        if not all(self._is_upload(file, hosts) for file in named):
            await PlainTextResponse("only files that were uploaded here", 403)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)

    def _is_upload(self, file: dict[str, Any], hosts: set[str | None]) -> bool:
        path, address = file.get("path"), file.get("url")
        # Gradio's own script adds the address that it would show the file at.
        if address is not None and not (isinstance(address, str) and _is_at(address, hosts)):
            return False
        if not isinstance(path, str) or "\0" in path:
            return False
        return Path(path).is_absolute() and Path(path).resolve().is_relative_to(self._uploads)


def _is_form(path: str) -> bool:
    return path.rstrip("/") in _FORMS


def _is_at(address: str, hosts: set[str | None]) -> bool:
    try:
        found = urlsplit(address)
    except ValueError:
        return False
    return found.scheme in ("http", "https") and found.netloc in hosts


def _files(value: Any) -> Iterator[dict[str, Any]]:
    """Whatever may be meant as a file, at any depth: no value of the page looks like it."""
    if isinstance(value, dict):
        if "path" in value or "url" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _files(item)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):  # also when the other side has hung up
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that begins with a body that was read already."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again
