"""The page over plain HTTP: what it promises and refuses. How it behaves: tests/browser."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rag import RagError
from rag.page import serve
from tests.browser.serving import Server, served
from tests.support import ARTICLES, build, write_articles

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("app")
    index_dir = write_articles(folder, ARTICLES)
    build(index_dir)
    with served(["-m", "tests.browser.serve", "PORT", str(folder)], folder, index_dir) as server:
        yield server


def answer(server: Server, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(str(urlsplit(server.url).netloc), timeout=30)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}


def test_nothing_is_shared_or_reported(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}/config", timeout=30) as response:
        config = json.load(response)
    assert config["analytics_enabled"] is False
    assert config["run_history"] is False
    assert config.get("share_url") is None


def test_headers_keep_scripts_and_frames_out(server: Server) -> None:
    status, headers = answer(server, "/")
    assert status == 200
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'self'"
    assert policy["object-src"] == policy["frame-ancestors"] == "'none'"
    assert "connect-src" not in policy  # as default-src: this server and no other
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_other_names_for_this_machine_are_refused(server: Server) -> None:
    assert answer(server, "/config", Host="news.example")[0] == 400


def test_files_of_this_machine_are_not_served(server: Server) -> None:
    for path in ("/gradio_api/file=/etc/passwd", f"/gradio_api/file={ROOT}/README.md"):
        assert answer(server, path)[0] in (403, 404)


def test_the_network_needs_names_and_passwords() -> None:
    with pytest.raises(RagError, match="--auth FILE"):
        serve.main(host="0.0.0.0")


def test_index_that_is_not_built(tmp_path: Path) -> None:
    write_articles(tmp_path, ARTICLES)
    run = subprocess.run(
        [sys.executable, "-m", "rag", "ui", "--index", "news"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "RAG_INDEX_DIR": str(tmp_path / "indexes")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "index 'news' is not ready to be asked\n  To mend it: rag build news" in run.stderr


def test_names_and_passwords_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "people"
    file.write_text("ada:one:two\n\nben:secret\n", encoding="utf-8")
    assert serve.people(file) == [("ada", "one:two"), ("ben", "secret")]
    file.write_text("ada\n", encoding="utf-8")
    with pytest.raises(RagError, match="line 1: not NAME:PASSWORD"):
        serve.people(file)
