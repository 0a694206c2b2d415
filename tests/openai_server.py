"""A server on this machine that speaks as much of OpenAI's protocol as answers are asked with."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ModelHost:
    """What the server writes, how it misbehaves, and what it was asked.

    Attributes:
        name: Of its one model.
        pieces: What it sends of a completion, one after another.
        finish: Why it ends; None ends the stream without a word about it.
        key: That it asks for; it repeats a wrong one, as some do.
        refused: Fields of a request that it does not take.
        failures: Status codes of the next answers, before it goes on as it should.
        redirect: Where it sends who asks for a completion.
        context_tokens: Words of a prompt that it takes.
        gate: Set by a test: before each piece but the first the server waits for it.
        asked: Bodies of the requests for completions.
        headers: Of every request.
        gone: Set when who asked has left before the end.
    """

    name: str = "small"
    pieces: list[str] = field(default_factory=lambda: ["The ferry ", "leaves ", "at ", "noon."])
    finish: str | None = "stop"
    key: str | None = None
    refused: set[str] = field(default_factory=set)
    failures: list[int] = field(default_factory=list)
    redirect: str | None = None
    context_tokens: int = 1000
    gate: threading.Event | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def setting(self) -> str:
        """What `RAG_MODEL` is set to for it."""
        return f"openai:{self.url}#{self.name}"


@contextmanager
def hosting(host: ModelHost) -> Iterator[ModelHost]:
    """The server at `host.url`, while a block runs."""
    handler = type("Handler", (_Handler,), {"host": host})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        host.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield host
        finally:
            if host.gate is not None:
                host.gate.set()
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    host: ModelHost
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self._may() and self.path == "/v1/models":
            self._json(200, {"object": "list", "data": [{"id": self.host.name, "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.host.asked.append(body)
        if not self._may():
            return
        host = self.host
        n_words = sum(len(message["content"].split()) for message in body["messages"])
        if host.failures:
            self._refuse(host.failures.pop(0), "the server is not itself today")
        elif host.redirect:
            self.send_response(307)
            self.send_header("Location", host.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif refused := sorted(host.refused & body.keys()):
            self._refuse(400, f"Unsupported parameter: {refused[0]!r}")
        elif n_words > host.context_tokens:
            self._refuse(400, f"the prompt has {n_words} tokens, more than {host.context_tokens}")
        else:
            self._stream()

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for number, piece in enumerate(self.host.pieces):
                if number and self.host.gate is not None:
                    self.host.gate.wait(10)
                self._event({"content": piece}, None)
            if self.host.finish:
                self._event({}, self.host.finish)
                self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.host.gone.set()

    def _event(self, delta: dict[str, str], finish: str | None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "small"}
        self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())

    def _may(self) -> bool:
        self.host.headers.append({name.lower(): value for name, value in self.headers.items()})
        given = self.headers["Authorization"]
        if self.host.key is None or given == f"Bearer {self.host.key}":
            return True
        self._refuse(401, f"Incorrect API key provided: {given}")
        return False

    def _refuse(self, status: int, message: str) -> None:
        self._json(status, {"error": {"message": message, "type": "error"}})

    def _json(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Retry-After-Ms", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
