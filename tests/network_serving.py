"""Asks the real server: python -m tests.network_serving SECONDS, in a folder with `indexes/`.

Run under the watcher of `tests.network`, where the server and its client have a network of their
own. Asks in every form, builds, and names addresses elsewhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from typing import Any

QUESTION = "What did Healey urge in Israel?"
OUTSIDE = "http://outside.invalid"


def ask(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "referer": OUTSIDE}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=300) as reply:
        return json.load(reply)


def visit(url: str) -> None:
    talk = [{"role": "user", "content": QUESTION}]
    assert ask(f"{url}/search", {"query": OUTSIDE})
    assert ask(f"{url}/ask", {"question": QUESTION})["citations"]
    assert ask(f"{url}/v1/chat/completions", {"model": "seeds", "messages": talk})["choices"]
    assert ask(f"{url}/v1/messages", {"model": "seeds", "messages": talk})["content"]
    job = ask(f"{url}/build", {"full": True})["id"]
    while ask(f"{url}/jobs/{job}")["state"] not in ("done", "failed"):
        time.sleep(0.2)
    assert ask(f"{url}/jobs/{job}")["state"] == "done"
    assert ask(f"{url}/openapi.json")["paths"]


def main(seconds: float) -> None:
    command = [sys.executable, "-m", "rag", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            visit(server.stdout.readline().split()[-1])
            time.sleep(seconds)
        finally:
            server.terminate()


if __name__ == "__main__":
    main(float(sys.argv[1]))
