"""The page over plain HTTP: what it promises and refuses. How it behaves: tests/browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rag import RagError
from rag.page import serve
from tests.browser.serving import Server, served
from tests.browser.visiting import HttpVisitor, Refused, file_data
from tests.support import ARTICLES, build, write_articles

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow  # a server in a process of its own


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


def test_what_never_changes_is_asked_for_once(server: Server) -> None:
    page = urllib.request.urlopen(server.url, timeout=30).read().decode()
    ours = re.findall(r"\./(page/\w+\.(?:css|js))", page)
    theirs = re.findall(r"\./(assets/[\w-]+\.js)", page)
    assert len(set(ours)) == 2
    assert theirs
    for path in (*ours, *theirs):
        status, headers = answer(server, f"/{path}", **{"Accept-Encoding": "gzip"})
        assert status == 200
        assert "immutable" in headers["cache-control"]
    assert "immutable" not in answer(server, "/")[1].get("cache-control", "")


def test_news_is_served_as_a_feed(server: Server) -> None:
    status, headers = answer(server, "/news/news.atom")
    assert status == 200
    assert headers["content-type"].startswith("application/atom+xml")
    assert answer(server, "/news/none.atom")[0] == 404
    assert answer(server, "/news/...atom")[0] == 404
    assert answer(server, "/news/news.atom", Origin="https://elsewhere.example")[0] == 403


def test_headers_keep_scripts_and_frames_out(server: Server) -> None:
    status, headers = answer(server, "/")
    assert status == 200
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'self'"
    assert policy["object-src"] == policy["frame-ancestors"] == "'none'"
    assert "connect-src" not in policy  # as default-src: this server and no other
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert headers["referrer-policy"] == "no-referrer"


def test_other_names_for_this_machine_are_refused(server: Server) -> None:
    assert answer(server, "/config", Host="news.example")[0] == 400


def test_what_another_site_asks_is_refused(server: Server) -> None:
    at = urlsplit(server.url).netloc
    evil = "http://news.example"
    for headers in (
        {"Origin": evil},
        {"Origin": "http://localhost:9"},  # another page of this machine
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": evil},
    ):
        assert answer(server, "/config", **headers)[0] == 403
    for headers in (
        {"Origin": f"http://{at}", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://rag.example", "X-Forwarded-Host": "rag.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},  # a link
    ):
        assert answer(server, "/config", **headers)[0] == 200


def test_an_upload_without_the_token_of_the_page_is_refused(server: Server) -> None:
    visitor = HttpVisitor(server.url)
    assert len(visitor.token) == 22
    for token in ("", visitor.token[:-1]):
        visitor.token = token
        with pytest.raises(Refused, match="403: files are taken from the page itself only"):
            visitor.upload("rain.txt", b"Rain fell.")


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


# Requests that no browser sends


OUTSIDE = "http://192.0.2.9/article.txt"  # an address that nobody has (RFC 5737)
FORGED = [
    file_data(OUTSIDE),
    file_data("/tmp/article.txt", OUTSIDE),
    file_data("/etc/passwd"),
    {"path": OUTSIDE, "meta": {"_type": "gradio.FileData"}},
    {"url": OUTSIDE},
]


def told_nothing_of_outside(server: Server) -> bool:
    """Whether the server spoke to no other machine, nor looked one up."""
    return not (server.folder / "outside").exists()


@pytest.mark.parametrize("file", FORGED, ids=lambda file: json.dumps(file)[:40])
def test_a_file_that_was_not_uploaded_is_refused(server: Server, file: dict[str, Any]) -> None:
    visitor = HttpVisitor(server.url)
    n_values = len(visitor.event("files", "upload")["inputs"])
    forged: list[tuple[str, str, list[Any], Any]] = [
        ("files", "upload", [[file], *[None] * (n_values - 1)], None),
        ("index", "change", [file], None),  # any component takes a file to heart
        ("index", "change", [{"deep": [{"er": file}]}], None),
        ("timeline", "select", ["news", None], {"since": file, "until": None}),
    ]
    for name, kind, data, about in forged:
        with pytest.raises(Refused, match="403: only files that were uploaded here"):
            visitor.fire(name, kind, data, about)
    with pytest.raises(Refused, match="403"):
        visitor.post("/gradio_api/run/predict", {"data": [file], "fn_index": 0})
    assert told_nothing_of_outside(server)


def test_what_is_no_json_is_refused(server: Server) -> None:
    visitor = HttpVisitor(server.url)
    for body in (b"path=x", b"{", b"[" * 100_000):
        with pytest.raises(Refused, match="400: not JSON"):
            visitor.post("/gradio_api/queue/join", body)


def test_an_upload_is_taken(server: Server) -> None:
    visitor = HttpVisitor(server.url)
    file = visitor.upload(
        "rain.txt", b"Rain\n\nRain fell in Osterby on Tuesday, and again at night."
    )
    n_values = len(visitor.event("files", "upload")["inputs"])
    told = json.dumps(visitor.fire("files", "upload", [[file], False, "news"][:n_values]))
    assert "1 file added" in told
    assert not Path(file["path"]).exists()
    kept = server.folder / "indexes" / "news" / "uploads" / "rain.txt"
    assert kept.read_text().startswith("Rain\n")
    # Not served again, though Gradio would.
    with pytest.raises(Refused, match="404"):
        visitor.get(f"/gradio_api/file={file['path']}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=http://192.0.2.9/",
        f"/gradio_api/file={OUTSIDE}",
        "/gradio_api/deep_link",
        "/gradio_api/info",
        "/gradio_api/runs",
        "/monitoring",
        "/gradio_api/vibe-code",
        "/gradio_api/openapi.json",
    ],
)
def test_what_the_page_does_not_need_is_not_there(server: Server, path: str) -> None:
    assert answer(server, path)[0] == 404
    assert told_nothing_of_outside(server)


def test_the_environment_opens_nothing(tmp_path: Path) -> None:
    """Neither files nor the page to others; nor does it lead the page's own calls to a proxy."""
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    (tmp_path / "secret.txt").write_text("secret")
    variables = {
        "GRADIO_ALLOWED_PATHS": "/",
        "GRADIO_TEMP_DIR": str(tmp_path),
        "GRADIO_SHARE": "True",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_ROOT_PATH": "/elsewhere",
        "GRADIO_ANALYTICS_ENABLED": "True",
        "GRADIO_MCP_SERVER": "True",
        "GRADIO_VIBE_MODE": "1",
        "GRADIO_NUM_WORKERS": "1",
        "KAGGLE_KERNEL_RUN_TYPE": "Interactive",
        "SYSTEM": "spaces",
        "SPACE_ID": "someone/page",
        "http_proxy": "http://192.0.2.9:3128",
    }
    command = ["-m", "tests.browser.serve", "PORT", str(tmp_path)]
    with served(command, tmp_path, index_dir, **variables) as server:
        visitor = HttpVisitor(server.url)
        config = visitor.config
        assert (config["root"], config["space_id"]) == (server.url, None)
        assert not config.get("vibe_mode")
        assert config.get("share_url") is None
        for path in (tmp_path / "secret.txt", Path("/etc/hostname")):
            with pytest.raises(Refused, match="404"):
                visitor.get(f"/gradio_api/file={path}")
            with pytest.raises(Refused, match="403"):
                visitor.fire("index", "change", [file_data(str(path))])
        assert told_nothing_of_outside(server)
