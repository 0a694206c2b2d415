"""A line of JSON for each request and each message; no question stands in it unless wished."""

from __future__ import annotations

import datetime
import json
import logging
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.serving.metrics import Metrics

_log = logging.getLogger(__name__)
LEVELS = ("debug", "info", "warning", "error")
_FIELDS = (
    *("request", "who", "method", "route", "status", "seconds", "bytes", "error"),
    *("index", "question", "answer_status", "confidence", "version"),
)


class JsonLines(logging.Formatter):
    """Each record as one JSON object: time, level, logger, message, and what came along."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        told = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def configure(level: str) -> None:
    """Write lines of JSON to stderr, from a level on.

    Args:
        level: One of `LEVELS`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("rag", "uvicorn.error"):
        logging.getLogger(name).setLevel(level.upper())


class Told:
    """Logs and counts each request. Plain ASGI: wrapping the body would hold back a stream.

    Args:
        app: What answers.
        metrics: Where it is counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request = secrets.token_hex(8)
        status = 500
        n_bytes = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status, n_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request
            else:
                n_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", None) or "none"
            self._metrics.request(route, status, seconds)
            if status in (401, 403, 413, 503, 504):
                self._metrics.refused(str(status))
            _log.info(
                "request",
                extra={
                    "request": request,
                    "who": scope.get("state", {}).get("who"),
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "seconds": round(seconds, 4),
                    "bytes": n_bytes,
                },
            )
