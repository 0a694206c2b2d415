"""The page, served by `app.main` in a process of its own and asked over plain HTTP."""

from __future__ import annotations

import html
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import build, write_articles

ROOT = Path(__file__).parents[1]
EVIL = '<img src=x onerror="alert(1)"> & ${value} {{value}}'
ARTICLES: list[dict[str, Any]] = [
    {
        "id": "bridge",
        "title": f"Bridge {EVIL}",
        "text": f"The bridge closes on Monday for repairs {EVIL} in Osterby.",
        "published": "2024-03-01",
        "source": "Osterby Post",
    }
]
# A process of its own: gradio leaves event loops open, and warnings are errors here.
SERVE = """
import os, sys
import app
from rag import Rag, Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import open_index

def opened(name, *, settings):
    parts = open_index(settings.index_dir), FakeEmbedder(), FakeLLM()
    return Rag(*parts, settings)

app.main(index="news", port=int(sys.argv[1]), open_index=opened)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    index_dir = write_articles(folder, ARTICLES)
    build(index_dir)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", SERVE, str(port)],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "RAG_INDEX_DIR": str(index_dir),
            "RAG_MIN_CONFIDENCE": "0",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    started = next((text for text in process.stdout if "local URL" in text), "it did not start")
    assert f"http://127.0.0.1:{port}" in started
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def ask(url: str, question: str, index: str = "news") -> list[list[str]]:
    """What the page shows, [answer, hits] each time, the last one at the end."""
    call = f"{url}/gradio_api/call/ask"
    body = json.dumps({"data": [question, index]}).encode()
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{call}/{event}", timeout=30) as response:
        stream = response.read().decode()
    assert "event: complete" in stream
    return [json.loads(data) for data in re.findall(r"^data: (.*)$", stream, re.MULTILINE)]


def test_answer_with_its_citation(url: str) -> None:
    answer, hits = ask(url, "When does the bridge close?")[-1]
    quote = html.escape(ARTICLES[0]["text"])
    assert f"<p>{quote} [1]</p>" in answer
    assert f'<li value="1">{quote}<br>' in answer
    assert "Osterby Post · 2024-03-01 · ../../news.jsonl:0-" in answer
    assert quote in hits


def test_texts_of_articles_are_escaped_at_every_step(url: str) -> None:
    shown = ask(url, "When does the bridge close?")
    assert len(shown) > 3  # evidence, pieces of text, answer
    for boxes in shown:
        assert not any("<img" in box for box in boxes)


def test_errors_are_a_message(url: str) -> None:
    answer, hits = ask(url, "   ")[-1]
    assert answer.startswith("<p><strong>Error:</strong> the question is empty")
    assert hits == ""


def test_nothing_is_shared_or_reported(url: str) -> None:
    with urllib.request.urlopen(f"{url}/config", timeout=30) as response:
        config = json.load(response)
    assert config["analytics_enabled"] is False
    assert config["run_history"] is False
    assert config.get("share_url") is None


def test_index_that_is_not_built(tmp_path: Path) -> None:
    write_articles(tmp_path, ARTICLES)
    run = subprocess.run(
        [sys.executable, "-m", "rag", "ui", "--index", "news"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "RAG_INDEX_DIR": str(tmp_path / "indexes")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "index 'news' is not ready to be asked\n  To mend it: rag build news" in run.stderr
