"""Style sheets and scripts of the page, as files that a browser asks for once.

In the page itself they would come with every visit, and twice: Gradio repeats its head in what it
tells its own script.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_FOLDER = Path(__file__).parent
_SHEETS = ("page.css", "library.css", "talk.css", "more.css")
_SCRIPTS = ("page.js", "talk.js")
_FOR_EVER = "private, max-age=31536000, immutable"


class Sheets:
    """Answers the addresses of these files, and hands on the others. Plain ASGI.

    Args:
        app: What answers the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files = {address(kind): (_whole(kind), _TYPES[kind]) for kind in _TYPES}
        self._packed = {at: gzip.compress(whole) for at, (whole, _) in self._files.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        found = self._files.get(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        whole, kind = found
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if "gzip" in Request(scope).headers.get("accept-encoding", ""):
            whole = self._packed[scope["path"]]
            headers["Content-Encoding"] = "gzip"
        await Response(whole, media_type=kind, headers=headers)(scope, receive, send)


_TYPES = {"css": "text/css", "js": "text/javascript"}


def address(kind: str) -> str:
    """Where all files of a kind, `css` or `js`, lie as one; it changes with what they hold."""
    return f"/page/{hashlib.sha256(_whole(kind)).hexdigest()[:16]}.{kind}"


def _whole(kind: str) -> bytes:
    names = _SHEETS if kind == "css" else _SCRIPTS
    return b"\n".join((_FOLDER / name).read_bytes() for name in names)
