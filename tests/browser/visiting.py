"""The page without a browser: its events as HTTP requests, forged ones too."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.page.guard import TOKEN

API = "/gradio_api"


class Refused(Exception):  # noqa: N818  it is what some tests want
    """The server's answer was none: its status and text."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(f"{status}: {text}")


class HttpVisitor:
    """Somebody at the page who sends what a browser would, or what none would.

    Args:
        url: The page.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = uuid.uuid4().hex
        self.config = json.loads(self.get("/config"))
        found = re.search(rf'name=\\?"{TOKEN}\\?" content=\\?"([\w-]+)', self.get("/").decode())
        self.token = found[1] if found else ""
        self._names = {
            item["id"]: item["props"].get("elem_id") for item in self.config["components"]
        }

    def get(self, path: str) -> bytes:
        return self._opened(urllib.request.Request(self.url + path))

    def post(self, path: str, value: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return json.loads(self._opened(urllib.request.Request(self.url + path, data, headers)))

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Hand over a file; what the page's script then sends as the value of the component."""
        boundary = uuid.uuid4().hex
        head = f'Content-Disposition: form-data; name="files"; filename="{name}"'
        body = f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{boundary}--".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        headers |= {TOKEN: self.token}
        request = urllib.request.Request(f"{self.url}{API}/upload", body, headers)
        (path,) = json.loads(self._opened(request))
        return file_data(path, f"{self.url}{API}/file={path}")

    def event(self, name: str, kind: str) -> dict[str, Any]:
        """What happens when `kind` befalls the component `name` (None: the page itself)."""
        for event in self.config["dependencies"]:
            if any((self._names.get(at), what) == (name, kind) for at, what in event["targets"]):
                found: dict[str, Any] = event
                return found
        raise LookupError(f"nothing happens at {kind} of {name}")

    def fire(self, name: str, kind: str, data: list[Any], about: Any = None) -> list[Any]:
        """Let it happen; the values of the outputs, and their changes, until it is done.

        Raises:
            Refused: the server did not take it, or the event failed.
        """
        event = self.event(name, kind)
        body = {
            "data": data,
            "event_data": about,
            "fn_index": event["id"],
            "trigger_id": event["targets"][0][0],
            "session_hash": self.session,
        }
        asked = self.post(f"{API}/queue/join", body)["event_id"]
        values: list[Any] = []
        for told in self._told():
            if told.get("event_id") == asked and "output" in told:
                if not told["success"]:
                    raise Refused(500, json.dumps(told["output"]))
                values += told["output"].get("data", [])
                if told["msg"] == "process_completed":
                    return values
        raise LookupError("the server stopped telling")

    def _told(self) -> Iterator[dict[str, Any]]:
        address = f"{self.url}{API}/queue/data?session_hash={self.session}"
        with urllib.request.urlopen(address, timeout=120) as lines:
            for line in lines:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def _opened(self, request: urllib.request.Request) -> bytes:
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from error


def file_data(path: str, url: str | None = None) -> dict[str, Any]:
    """A file as Gradio's components take it."""
    return {
        "path": path,
        "url": url,
        "orig_name": Path(path).name,
        "size": 1,
        "mime_type": "text/plain",
        "meta": {"_type": "gradio.FileData"},
    }
