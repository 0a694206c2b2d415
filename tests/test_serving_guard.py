"""Whom the server lets in: names, other sites, tokens; and how `rag serve` begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import RagError, SettingsError
from rag.serving import serve
from rag.serving.tokens import Tokens
from tests.served_app import ServedApp, served_app, until

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-of-more-than-16-characters"
SEARCH = {"query": "ferry"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApp]:
    with served_app(tmp_path_factory.mktemp("serving")) as served:
        yield served


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApp]:
    tokens = Tokens({"ada": TOKEN})
    with served_app(tmp_path_factory.mktemp("guarded"), tokens=tokens, hosts=None) as served:
        yield served


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_another_name_is_refused(server: ServedApp, host: str) -> None:
    assert server.ask("/search", SEARCH, host=host).status == 400
    assert server.ask("/indexes", host=host).status == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "[::1]:9", "LOCALHOST:9"])
def test_own_names_pass(server: ServedApp, host: str) -> None:
    assert server.ask("/search", SEARCH, host=host).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},  # another port is another site
        {"origin": "http://[broken"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"},
    ],
)
def test_pages_of_other_sites_may_not_ask(server: ServedApp, headers: dict[str, str]) -> None:
    for path, body in (("/search", SEARCH), ("/build", {}), ("/v1/responses", {}), ("/jobs", None)):
        assert server.ask(path, body, **headers).status == 403
    assert server.ask("/jobs").json == []


def test_its_own_pages_and_links_pass(server: ServedApp) -> None:
    own = server.ask("/search", SEARCH, origin=server.url)
    followed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert (own.status, server.ask("/indexes", **followed).status) == (200, 200)
    assert "access-control-allow-origin" not in own.headers


def test_a_form_of_another_page_is_no_question(server: ServedApp) -> None:
    assert server.ask("/search", b'{"query": "ferry"}', content_type="text/plain").status == 422


def test_answers_are_not_kept_nor_shown_in_frames(server: ServedApp) -> None:
    headers = server.ask("/indexes/news/articles/museum").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_strangers_are_refused(guarded: ServedApp) -> None:
    for path in ("/indexes", "/metrics", "/openapi.json", "/v1/models", "/nowhere", "/health/x"):
        refused = guarded.ask(path)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    wrong = [{"authorization": f"Bearer {TOKEN}x"}, {"authorization": TOKEN}, {"x_api_key": "é"}]
    assert [guarded.ask("/search", SEARCH, **one).status for one in wrong] == [401, 401, 401]
    assert guarded.ask("/health").status == 200
    until(lambda: guarded.ask("/ready").status == 200)


def test_who_has_a_token_comes_in(guarded: ServedApp) -> None:
    import openai

    for headers in ({"authorization": f"Bearer {TOKEN}"}, {"x_api_key": TOKEN}):
        assert guarded.ask("/search", SEARCH, host="news.example", **headers).status == 200
    with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            client.models.list()
        assert client.with_options(api_key=TOKEN).models.list().data[0].id == "news"


@pytest.mark.parametrize("text", ["", "ada", "ada:short", f":{TOKEN}", f"a:{TOKEN}\na:{TOKEN}x"])
def test_a_file_of_tokens_that_does_not_fit(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(SettingsError, match="tokens"):
        Tokens.read(file)


def test_a_file_of_tokens(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"ada: {TOKEN}\n\nbob:{TOKEN}:2\n")
    tokens = Tokens.read(file)
    assert [tokens.who(one) for one in (TOKEN, f"{TOKEN}:2", "")] == ["ada", "bob", None]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])
def test_others_come_in_only_with_tokens(host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        serve.main(host=host, port=0)
    assert "--tokens" in str(refused.value.mend)


def test_a_port_that_is_taken(server: ServedApp) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(RagError, match=f"port {port}"):
        serve.main(port=port)


@pytest.mark.models
def test_rag_serve_answers_the_official_client_and_ends_when_told(seeds_project: Path) -> None:
    import openai

    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "serve", "--port", "0"],
        cwd=seeds_project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAG_N_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", timeout=120) as client:
            talk = "What did Healey urge in Israel?"
            answer = client.responses.create(model="seeds", input=talk)
    finally:
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=60)[1]
    assert "[1]" in answer.output_text
    assert "restraint" in answer.output_text
    assert answer.model_extra is not None
    spans = answer.model_extra["rag"]["citations"]
    articles = {path.stem: path.read_text() for path in (seeds_project / "seeds").iterdir()}
    for one in spans:
        assert one["quote"] in articles[one["article_id"]]
    assert process.returncode == 0, log
    assert '"answer_status": "answered"' in log
    assert "Healey" not in log
