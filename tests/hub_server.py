"""A server on this machine that speaks as much of the hub's API as models are pulled with."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
_BLOCK = 1 << 16


@dataclass
class Hub:
    """What the server has, how it misbehaves, and what it was asked.

    Attributes:
        repositories: Content by file name, by repository.
        commit: That every branch stands at.
        gated: Repositories that want terms to be accepted.
        cut: The first answer with content ends after so many bytes; None lets it end as it should.
        stall: Instead of ending there, the answer goes on never.
        ranges: Whether it continues where it is asked to.
        asked: (method, path, Range, Authorization) of each request.
    """

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commit: str = COMMIT
    gated: set[str] = field(default_factory=set)
    cut: int | None = None
    stall: bool = False
    ranges: bool = True
    asked: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    url: str = ""

    def downloads(self) -> list[str | None]:
        """The Range of each request for content."""
        return [item[2] for item in self.asked if item[0] == "GET" and "/resolve/" in item[1]]


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub at `hub.url`, while a block runs."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def _answer(self, with_content: bool) -> None:
        headers = self.headers
        self.hub.asked.append((self.command, self.path, headers["Range"], headers["Authorization"]))
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._describe("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
        elif parts[2:3] == ["resolve"]:
            self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]), with_content)
        else:
            self._refuse(404, "NotFound")

    def _describe(self, repository: str, revision: str) -> None:
        if not self._is_there(repository, revision):
            return
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "blobId": "0" * 40,
                "lfs": {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 134,
                },
            }
            for name, content in self.hub.repositories[repository].items()
        ]
        told = {
            "id": repository,
            "sha": self.hub.commit,
            "siblings": siblings,
            "tags": ["gguf", "license:mit"],
        }
        data = json.dumps(told).encode()
        self._head(200, {"Content-Length": str(len(data)), "Content-Type": "application/json"})
        self.wfile.write(data)

    def _file(self, repository: str, revision: str, name: str, with_content: bool) -> None:
        if not self._is_there(repository, revision):
            return
        content = self.hub.repositories[repository].get(name)
        if content is None:
            self._refuse(404, "EntryNotFound")
            return
        asked_for = self.headers["Range"] if self.hub.ranges else None
        start = int(asked_for.removeprefix("bytes=").removesuffix("-")) if asked_for else 0
        facts = {
            "X-Repo-Commit": self.hub.commit,
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "Content-Length": str(len(content) - start),
        }
        if asked_for:
            facts["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._head(206 if asked_for else 200, facts)
        if with_content:
            self._send(content[start:])

    def _send(self, content: bytes) -> None:
        end, self.hub.cut = self.hub.cut, None
        for position in range(0, len(content[:end]), _BLOCK):
            self.wfile.write(content[position : min(position + _BLOCK, end or len(content))])
        if end is not None and self.hub.stall:
            time.sleep(60)
        self.close_connection = end is not None

    def _is_there(self, repository: str, revision: str) -> bool:
        if repository in self.hub.gated:
            self._refuse(403, "GatedRepo")
        elif repository not in self.hub.repositories:
            self._refuse(404, "RepoNotFound")
        elif revision not in ("main", self.hub.commit):
            self._refuse(404, "RevisionNotFound")
        else:
            return True
        return False

    def _refuse(self, status: int, code: str) -> None:
        self._head(status, {"X-Error-Code": code, "Content-Length": "0"})

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass
