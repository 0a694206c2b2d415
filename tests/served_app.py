"""The server with fakes, on a real port, in a thread of the tests' own process."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from rag.engine import Rag
from rag.pool import EnginePool
from rag.serving.app import create_app
from rag.settings import Settings
from rag.testing import fake_calibration
from tests.steered import built_held, opened_steered
from tests.support import ARTICLES, build, write_articles

WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class ServedApp:
    """The server under test.

    Attributes:
        url: Where it is.
        folder: Files in it steer the fakes, see tests/steered.py.
        engine: What answers.
    """

    url: str
    folder: Path
    engine: Callable[[], Rag]

    def ask(self, path: str, body: Any = None, **headers: str) -> Reply:
        """GET, or POST where there is a body (JSON, or bytes as they are)."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.url + path, data, {"content-type": "application/json"} | named
        )
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
                return Reply(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, _lower(error.headers), error.read())

    @contextlib.contextmanager
    def hold(self, what: str) -> Iterator[None]:
        """While this lasts the fakes do it."""
        file = self.folder / f"hold-{what}"
        file.touch()
        try:
            yield
        finally:
            file.unlink()


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextlib.contextmanager
def served_app(folder: Path, **options: Any) -> Iterator[ServedApp]:
    """Serve the articles of tests/support.py until the block ends; see `create_app`."""
    index_dir = write_articles(folder, ARTICLES)
    build(index_dir)

    settings = Settings(index_dir=index_dir, queue_size=2)
    pool = EnginePool(opened_steered(folder, fake_calibration()))
    chosen: dict[str, Any] = {"index": "news", "build": built_held(folder)} | options
    app = create_app(pool, settings, **chosen)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield ServedApp(url, folder, lambda: pool.get("news", settings))
        finally:
            server.should_exit = True
            thread.join(WAIT_SECONDS)
            pool.close()


def until(happened: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + WAIT_SECONDS
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
