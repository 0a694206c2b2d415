"""The news about what is followed as an Atom feed, for readers of feeds: /news/INDEX.atom."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag import RagError, Settings, feed

_ADDRESS = re.compile(r"/news/([^/]+)\.atom")


class Feeds:
    """Answers the addresses of feeds, and hands on the others. Plain ASGI.

    Args:
        app: What answers the others.
        settings: Where the indexes lie.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        asked = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        found = _ADDRESS.fullmatch(scope["path"]) if asked else None
        if found is None:
            await self._app(scope, receive, send)
            return
        at = str(Request(scope).url)
        try:
            made = await run_in_threadpool(feed, found[1], at=at, settings=self._settings)
            answer = Response(made, media_type="application/atom+xml")
        except RagError as error:
            answer = PlainTextResponse(error.message, 404)
        await answer(scope, receive, send)
