"""The server's own interface, over real HTTP: what it answers, refuses and stops."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rag.answering.answer import Answer
from rag.article import Article
from rag.index.check import CheckReport
from rag.retrieval import Hit
from tests.served_app import ServedApp, served_app, until
from tests.support import ARTICLES, build, open_index, write_articles

QUESTION = "What did Mayor Lena Holm say the work would cost?"
ASK = {"question": QUESTION}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApp]:
    with served_app(tmp_path_factory.mktemp("serving")) as served:
        yield served


def events(body: bytes) -> list[tuple[str, Any]]:
    """Names and data of server-sent events."""
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", body.decode())
    return [(name, json.loads(data)) for name, data in found]


def busy(server: ServedApp) -> float:
    (value,) = re.findall(r"^rag_questions_busy (.*)$", metrics(server), re.MULTILINE)
    return float(value)


def metrics(server: ServedApp) -> str:
    return server.ask("/metrics").body.decode()


# What is asked


def test_an_answer_is_that_of_the_engine(server: ServedApp) -> None:
    answer = Answer.model_validate_json(server.ask("/ask", ASK).body)
    own = server.engine().ask(QUESTION)
    assert answer.model_copy(update={"timings": own.timings}) == own
    assert "4.2 million crowns" in answer.text
    for citation in answer.citations:
        found = server.ask(f"/indexes/news/articles/{quote(citation.article_id)}").json
        assert Article(**found["article"]).text[citation.start : citation.end] == citation.quote


def test_events_are_what_is_found_then_the_draft_then_the_answer(server: ServedApp) -> None:
    reply = server.ask("/ask", ASK | {"stream": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    told = events(reply.body)
    names = [name for name, _ in told]
    assert names == ["evidence", *["text"] * (len(names) - 2), "answer"]
    assert told[0][1]["hits"][0]["article_id"] == "harbour"
    draft = "".join(data["text"] for name, data in told if name == "text")
    assert draft.strip() == "Mayor Lena Holm said the work would cost 4.2 million crowns."
    assert told[-1][1]["answer"]["text"] == server.ask("/ask", ASK).json["text"]
    asked_by_header = server.ask("/ask", ASK, accept="text/event-stream")
    assert [name for name, _ in events(asked_by_header.body)] == names


def test_a_follow_up_leans_on_the_turns_before(server: ServedApp) -> None:
    earlier = {"question": "What did Lena Holm say about the work?", "answer": "It costs 4.2."}
    body = {"question": "And what did she say about the ferry?", "earlier": [earlier]}
    assert server.ask("/ask", body).json["searched"] == "What did Lena Holm say about the ferry?"


def test_a_search_is_that_of_the_engine(server: ServedApp) -> None:
    body = {"query": "ferry strike", "k": 2, "filter": {"source": ["Harbour News"]}}
    hits = [Hit(**hit) for hit in server.ask("/search", body).json]
    assert [hit.article_id for hit in hits] == ["ferry"]
    assert hits == server.engine().search("ferry strike", k=2, source="Harbour News")


def test_a_search_that_comes_again_sees_a_new_version(tmp_path: Path) -> None:
    with served_app(tmp_path) as server:
        body = {"query": "ferry strike", "k": 1}
        found = [server.ask("/search", body).json for _ in range(2)]
        assert found[0] == found[1]
        assert found[0][0]["article_id"] == "ferry"
        new = {"id": "new", "title": "Ferry strike", "text": "The ferry strike has begun."}
        build(write_articles(tmp_path, [*ARTICLES, new]))
        (hit,) = server.ask("/search", body).json
        assert hit["article_id"] == "new"


@pytest.mark.parametrize(("path", "kind"), [("/timeline", "timeline"), ("/summarize", "summary")])
def test_items(server: ServedApp, path: str, kind: str) -> None:
    answer = Answer.model_validate_json(server.ask(path, {"subject": "the ferry strike"}).body)
    assert answer.kind == kind
    assert answer.items


def test_indexes_and_articles_by_the_page(server: ServedApp) -> None:
    (info,) = server.ask("/indexes").json
    assert (info["name"], info["n_articles"]) == ("news", 3)
    assert server.ask("/indexes/news").json == info
    pages = [server.ask(f"/indexes/news/articles?offset={n}&limit=2").json for n in (0, 2, 4)]
    listed = [line["article_id"] for page in pages for line in page["articles"]]
    assert listed == [article["id"] for article in ARTICLES]
    assert [page["n_articles"] for page in pages] == [3, 3, 3]
    assert pages[0]["articles"][0]["n_characters"] == len(ARTICLES[0]["text"])


def test_an_article_has_its_sentences_and_the_quote_that_is_asked_for(server: ServedApp) -> None:
    found = server.ask("/indexes/news/articles/museum?start=4&end=15").json
    text = ARTICLES[2]["text"]
    assert found["quote"] == text[4:15] == "city museum"
    sentences = [text[one["start"] : one["end"]] for one in found["sentences"]]
    assert sentences[1] == "It hung behind a cupboard in the cellar."
    assert " ".join(sentences) == text


def test_check(server: ServedApp) -> None:
    report = CheckReport(**server.ask("/check", {}).json)
    assert (report.index, [one.severity for one in report.findings]) == ("news", [])


# What is refused


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/ask", {"question": "?", "index": "lost"}, 404, "urn:rag:error:IndexMissing"),
        ("/ask", {"question": "  "}, 422, "about:blank"),
        ("/ask", {"question": "x" * 2001}, 422, "about:blank"),
        ("/ask", {"question": "who", "colour": "red"}, 422, "about:blank"),
        ("/search", {"query": "ferry", "k": 0}, 422, "about:blank"),
        ("/search", {"query": "ferry", "filter": {"since": "2024-02-02", "until": "2024-01-01"}},
         422, "urn:rag:error:Question"),
        ("/search", b"{", 422, "about:blank"),
        ("/indexes/lost", None, 404, "urn:rag:error:IndexMissing"),
        ("/indexes/news/articles/lost", None, 404, "urn:rag:error:NotFound"),
        ("/indexes/news/articles/museum?start=9&end=3", None, 404, "urn:rag:error:NotFound"),
        ("/jobs/lost", None, 404, "urn:rag:error:NotFound"),
        ("/build", {"index": "lost"}, 404, "urn:rag:error:IndexMissing"),
        ("/nowhere", None, 404, "about:blank"),
    ],
)  # fmt: skip
def test_errors_are_problem_details(
    server: ServedApp, path: str, body: Any, status: int, told: str
) -> None:
    reply = server.ask(path, body)
    assert (reply.status, reply.json["type"], reply.json["status"]) == (status, told, status)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["detail"]


def test_an_error_brings_its_mend(server: ServedApp) -> None:
    told = server.ask("/search", {"query": "x", "index": "lost"}).json
    assert told["mend"]
    with pytest.raises(Exception, match=re.escape(told["detail"])):
        server.engine().__class__.open("lost", settings=server.engine().settings)


def test_a_body_has_a_limit(server: ServedApp) -> None:
    client = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    for size in ({"content-length": str(2**20 + 1)}, {"transfer-encoding": "chunked"}):
        client.putrequest("POST", "/ask")
        for name, value in (size | {"content-type": "application/json"}).items():
            client.putheader(name, value)
        client.endheaders()
        if "transfer-encoding" in size:
            client.send(b"100001\r\n" + b" " * 0x100001 + b"\r\n")
        with client.getresponse() as reply:
            assert reply.status == 413
            reply.read()
        client.close()


def test_one_more_question_than_there_is_room_for_is_told_to_come_again(server: ServedApp) -> None:
    with ThreadPoolExecutor(8) as clients, server.hold("answer"):
        waiting = [clients.submit(server.ask, "/ask", ASK) for _ in range(3)]
        until(lambda: busy(server) == 3)
        refused = server.ask("/ask", ASK)
        streamed = server.ask("/ask", ASK | {"stream": True})
        found = server.ask("/search", {"query": "ferry"})  # waits for no answer
        (server.folder / "hold-answer").unlink()
        answered = [one.result().json["status"] for one in waiting]
        (server.folder / "hold-answer").touch()
    assert (refused.status, streamed.status, found.status) == (503, 503, 200)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json["type"] == "urn:rag:error:Full"
    assert answered == ["answered"] * 3


@pytest.mark.slow
def test_of_many_who_ask_at_once_each_is_answered_or_told_when_to_come_again(
    server: ServedApp,
) -> None:
    def ask(_: int) -> list[int]:
        statuses = []
        while True:
            reply = server.ask("/ask", ASK)
            statuses.append(reply.status)
            if reply.status != 503:
                return statuses
            assert int(reply.headers["retry-after"]) >= 1
            time.sleep(0.05)  # sooner than it says

    with ThreadPoolExecutor(64) as clients, server.hold("answer"):
        asking = [clients.submit(ask, n) for n in range(64)]
        until(lambda: busy(server) == 3)
        until(lambda: b'rag_refusals_total{why="503"}' in server.ask("/metrics").body)
        (server.folder / "hold-answer").unlink()
        answers = [one.result() for one in asking]
        (server.folder / "hold-answer").touch()
    assert [statuses[-1] for statuses in answers] == [200] * 64
    assert {status for statuses in answers for status in statuses} == {200, 503}
    until(lambda: busy(server) == 0)


def test_a_full_queue_of_the_model_is_503_too(server: ServedApp) -> None:
    with server.hold("queue"):
        refused = server.ask("/ask", ASK)
        told = events(server.ask("/ask", ASK | {"stream": True}).body)
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert [name for name, _ in told] == ["evidence", "problem"]
    assert told[1][1]["status"] == 503


def test_what_nobody_foresaw_is_500_and_tells_nothing(server: ServedApp) -> None:
    with server.hold("crash"):
        reply = server.ask("/ask", ASK)
    assert (reply.status, reply.json["title"]) == (500, "Internal error")
    assert b"ZeroDivision" not in reply.body
    assert server.ask("/ask", ASK).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_stops_when_its_client_goes(server: ServedApp, stream: bool) -> None:
    client = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    with server.hold("answer"):
        body = json.dumps(ASK | {"stream": stream})
        client.request("POST", "/ask", body, {"content-type": "application/json"})
        until(lambda: busy(server) == 1)
        client.close()
        until(lambda: busy(server) == 0)  # though the model is still held
    assert server.ask("/ask", ASK).status == 200


# Builds


def test_a_build_is_a_job_and_others_ask_meanwhile(tmp_path: Path) -> None:
    with served_app(tmp_path) as server:
        more = {"id": "flood", "title": "Flood", "text": "The river Orm flooded Lindal on Sunday."}
        write_articles(tmp_path, [*ARTICLES, more])
        with server.hold("build"):
            begun = server.ask("/build", {})
            job = begun.json
            assert (begun.status, begun.headers["location"]) == (202, f"/jobs/{job['id']}")
            until(lambda: bool(server.ask(f"/jobs/{job['id']}").json["progress"]))
            assert server.ask(f"/jobs/{job['id']}").json["state"] == "running"
            again = server.ask("/build", {})
            assert (again.status, again.json["mend"]) == (409, f"follow /jobs/{job['id']}")
            assert server.ask("/search", {"query": "river Orm", "k": 1}).status == 200
        until(lambda: server.ask(f"/jobs/{job['id']}").json["state"] == "done")
        (listed,) = server.ask("/jobs").json
        assert listed["report"]["added"] == 1
        (hit,) = server.ask("/search", {"query": "river Orm", "k": 1}).json
        assert hit["article_id"] == "flood"
        write_articles(tmp_path, ARTICLES[:1])
        failed = server.ask("/build", {}).json["id"]
        until(lambda: server.ask(f"/jobs/{failed}").json["state"] == "failed")
        assert server.ask(f"/jobs/{failed}").json["problem"]["type"] == "urn:rag:error:Removal"
        assert 'rag_builds_total{index="news",state="done"} 1.0' in metrics(server)


def test_a_server_that_stops_ends_its_build_between_two_steps(tmp_path: Path) -> None:
    more = [{"id": f"flood {n}", "text": f"The river Orm flooded Lindal {n}."} for n in range(9)]
    with served_app(tmp_path) as server:
        write_articles(tmp_path, [*ARTICLES, *more])
        hold = tmp_path / "hold-build"
        hold.touch()
        job = server.ask("/build", {}).json["id"]
        until(lambda: bool(server.ask(f"/jobs/{job}").json["progress"]))
        threading.Timer(1.0, hold.unlink).start()
    with open_index(tmp_path / "indexes") as index:
        assert (index.version, index.manifest.n_articles) == (1, 3)
    assert build(tmp_path / "indexes").added == 9


def test_a_server_that_only_reads_has_no_builds(tmp_path: Path) -> None:
    with served_app(tmp_path, read_only=True) as server:
        assert server.ask("/build", {}).status == 404
        assert "/build" not in server.ask("/openapi.json").json["paths"]
        assert server.ask("/ask", ASK).status == 200


# To run it


def test_health_readiness_and_metrics(server: ServedApp) -> None:
    assert server.ask("/health").json["status"] == "ok"
    until(lambda: server.ask("/ready").status == 200)
    before = metrics(server)
    server.ask("/ask", ASK)
    counted = r'rag_questions_total\{index="news",status="answered"\} (.*)'
    assert float(re.findall(counted, metrics(server))[0]) >= 1
    assert 'rag_question_seconds_count{phase="first_token"}' in metrics(server)
    assert 'rag_index_version{index="news"} 1.0' in before
    assert 'rag_request_seconds_bucket{le="0.005",route="/health"}' in before


def test_a_server_whose_index_does_not_open_is_not_ready(tmp_path: Path) -> None:
    with served_app(tmp_path, index="lost") as server:
        until(lambda: server.ask("/ready").json["status"] == "failed")
        assert (server.ask("/ready").status, server.ask("/health").status) == (503, 200)


def test_a_server_is_ready_once_its_index_is_built(tmp_path: Path) -> None:
    with served_app(tmp_path, index="later") as server:
        until(lambda: server.ask("/ready").json["status"] == "failed")
        later = tmp_path / "indexes" / "later"
        later.mkdir()
        shutil.copy(tmp_path / "indexes" / "news" / "index.toml", later)
        assert server.ask("/build", {"index": "later"}).status == 202
        until(lambda: server.ask("/ready").status == 200)


def test_the_log_has_requests_and_no_questions(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from rag.serving.log import JsonLines

    caplog.set_level("INFO", "rag")
    with served_app(tmp_path) as server:
        server.ask("/ask", ASK)
    lines = [JsonLines().format(record) for record in caplog.records if record.name != "root"]
    told = [json.loads(line) for line in lines]
    (answered,) = [one for one in told if one["message"] == "answered"]
    assert (answered["index"], answered["answer_status"]) == ("news", "answered")
    (request,) = [one for one in told if one.get("route") == "/ask"]
    assert (request["method"], request["status"], request["level"]) == ("POST", 200, "info")
    assert not any("Lena Holm" in line for line in lines)
    caplog.clear()
    with served_app(tmp_path, log_questions=True) as server:
        server.ask("/ask", ASK)
    assert QUESTION in [getattr(record, "question", None) for record in caplog.records]


def test_openapi_describes_every_address(server: ServedApp) -> None:
    paths = server.ask("/openapi.json").json["paths"]
    assert set(paths) == {
        *("/ask", "/search", "/timeline", "/summarize", "/check", "/build", "/jobs"),
        *("/jobs/{job_id}", "/indexes", "/indexes/{name}", "/indexes/{name}/articles"),
        *("/indexes/{name}/articles/{article_id}", "/health", "/ready", "/metrics"),
        *("/v1/models", "/v1/models/{name}", "/v1/chat/completions", "/v1/responses"),
        *("/indexes/{name}/followed", "/indexes/{name}/followed/{question}"),
        *("/indexes/{name}/news", "/indexes/{name}/news.atom", "/v1/messages"),
    }
    assert server.ask("/docs").status == 404  # it would load scripts from elsewhere
