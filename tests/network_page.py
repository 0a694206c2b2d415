"""Visits the real page: python -m tests.network_page SECONDS, with the settings of the environment.

Run under the watcher of `tests.network`, where the page and its visitor have a network of their
own. Opens the page, asks, looks at the library, hands over a file and sends forged ones.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from tests.browser.visiting import HttpVisitor, Refused, file_data

PORT = 7861
OUTSIDE = "http://192.0.2.9/article.txt"


def visit(url: str) -> None:
    visitor = HttpVisitor(url)
    assert visitor.get("/")
    assert "seeds" in str(visitor.fire("index", "change", ["seeds"]))
    question: list[Any] = ["What did Healey urge in Israel?", "seeds", None, None, [], False, None]
    n_values = len(visitor.event("ask", "click")["inputs"])
    answered = visitor.fire("ask", "click", question[:n_values])
    assert "turn done" in str(answered), answered
    file = visitor.upload(
        "rain.txt", b"Rain\n\nRain fell in Osterby on Tuesday, and again at night."
    )
    n_values = len(visitor.event("files", "upload")["inputs"])
    visitor.fire("files", "upload", [[file], False, "seeds"][:n_values])
    for forged in (file_data(OUTSIDE), file_data(file["path"], OUTSIDE)):
        with pytest.raises(Refused, match="403"):
            visitor.fire("index", "change", [forged])


def main(seconds: float) -> None:
    command = [sys.executable, "-m", "rag", "ui", "--port", str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        try:
            assert page.stdout is not None
            assert page.stdout.readline() == f"The page: http://127.0.0.1:{PORT}/\n"
            visit(f"http://127.0.0.1:{PORT}")
            time.sleep(seconds)
        finally:
            page.terminate()


if __name__ == "__main__":
    main(float(sys.argv[1]))
