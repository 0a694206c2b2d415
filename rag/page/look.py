"""Theme, style sheet, script and headers. Nothing is loaded from anywhere else."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOLDER = Path(__file__).parent
# Fonts of the system only: Gradio's own themes may load theirs from the network.
_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "monospace")
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
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def theme() -> gr.themes.Base:
    """Plain, with fonts of the system; colours come from page.css."""
    return gr.themes.Base(
        primary_hue="teal", neutral_hue="stone", font=_SANS, font_mono=_MONO, radius_size="md"
    )


def head() -> str:
    """What goes into the head of the page: its style sheets and its script.

    Not by Gradio's own `css`: that puts a selector of its own before each of ours, and a rule
    for the state of `body` never holds.
    """
    sheets = (_FOLDER / name for name in ("page.css", "library.css"))
    style = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    return f"<style>{style}</style><script>{script}</script>"


def middleware(hosts: list[str]) -> list[Middleware]:
    """Headers for every answer, and a refusal of requests for other hosts.

    Args:
        hosts: Names that the page may be asked by: another site that makes its own name point
            to this machine (DNS rebinding) must not read the page.
    """
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
        Middleware(_Headers),
    ]


class _Headers:
    """Adds the headers. Plain ASGI: wrapping the body would hold back what is streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)
