"""Whose conversations these are: each browser carries a random cookie, and nothing else is asked.

The cookie is out of reach of scripts and does not come along from other sites. What is kept is
filed under its hash, together with the name of who came in, so that two people at one browser see
their own only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "rag_browser"
_SECONDS = 400 * 24 * 3600  # what browsers allow at most
_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)


def owner(cookies: Mapping[str, str], person: str | None = None) -> str | None:
    """Under which name the conversations of a browser are filed.

    Args:
        cookies: Of a request.
        person: Who came in with a password; None where everybody may.

    Returns:
        Letters and digits that do not tell the cookie; None for a browser without one, of which
        nothing is kept.
    """
    token = cookies.get(COOKIE, "")
    if not _TOKEN.fullmatch(token):
        return None
    return hashlib.sha256(f"{token}\n{person or ''}".encode()).hexdigest()[:40]


class KnowsBrowsers:
    """Gives a browser that opens the page its cookie, and renews it. Plain ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        token = cookie_parser(sent.decode("latin-1")).get(COOKIE, "")
        if not _TOKEN.fullmatch(token):
            token = secrets.token_urlsafe(32)
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = f"{COOKIE}={token}; Max-Age={_SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)
