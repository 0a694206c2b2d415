"""Questions that are followed, over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest

from rag.following.follow import look_for_news
from rag.settings import Settings
from rag.testing import FakeEmbedder
from tests.served_app import ServedApp, served_app
from tests.support import ARTICLES, build, write_articles


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApp]:
    with served_app(tmp_path_factory.mktemp("following")) as served:
        yield served


STRIKE = {
    "id": "strike",
    "title": "Ferry crews begin strike",
    "text": "Crews of the ferry in Osterby began a strike on Sunday morning.",
}


def test_a_question_is_followed_read_and_forgotten(tmp_path: Path) -> None:
    with served_app(tmp_path) as server:
        added = server.ask("/indexes/news/followed", {"question": "ferry strike"})
        assert (added.status, added.json["name"]) == (201, "ferry-strike")
        assert added.headers["location"] == "/indexes/news/news?followed=ferry-strike"
        again = server.ask("/indexes/news/followed", {"question": "ferry strike"})
        assert (again.status, "already" in again.json["detail"]) == (409, True)
        other = urllib.request.Request(f"{server.url}/indexes/news/followed", method="PUT")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(other, timeout=60)
        with refused.value:
            assert refused.value.headers["allow"] == "GET, POST"
        (listed,) = server.ask("/indexes/news/followed").json
        assert listed == added.json
        assert server.ask(added.headers["location"]).json == []

        index_dir = write_articles(tmp_path, [*ARTICLES, STRIKE])
        build(index_dir)
        look_for_news(
            "news",
            settings=Settings(index_dir=index_dir),
            open_embedder=lambda *_: FakeEmbedder(),
        )
        (told,) = server.ask("/indexes/news/news").json
        assert (told["article_id"], told["followed"]) == ("strike", "ferry-strike")
        assert server.ask(f"/indexes/news/news?after={told['number']}").json == []
        feed = server.ask("/indexes/news/news.atom?followed=ferry-strike")
        assert feed.headers["content-type"].startswith("application/atom+xml")
        (entry,) = feedparser.parse(feed.body).entries
        assert (entry.title, entry.id) == (STRIKE["title"], told["id"])

        url = f"{server.url}/indexes/news/followed/ferry-strike"
        request = urllib.request.Request(url, method="DELETE")
        with urllib.request.urlopen(request, timeout=60) as removed:
            assert (removed.status, removed.read()) == (204, b"")
        assert server.ask("/indexes/news/news?followed=ferry-strike").status == 404
        assert server.ask("/indexes/news/followed").json == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/indexes/none/followed", None, 404),
        ("/indexes/none/news", None, 404),
        ("/indexes/none/news.atom", None, 404),
        ("/indexes/none/followed", {"question": "ferry"}, 404),
        ("/indexes/news/news?followed=nobody", None, 404),
        ("/indexes/news/followed", {"question": " "}, 422),
        ("/indexes/news/followed", {"question": "ferry", "name": "../up"}, 422),
        ("/indexes/news/followed", {"question": "ferry", "min_score": 2}, 422),
        ("/indexes/news/followed", {"question": "ferry", "versions": 0}, 422),
        ("/indexes/news/followed", {"question": "ferry", "min_score": False}, 422),
        ("/search", {"query": "ferry", "k": True}, 422),
        ("/indexes/news/followed", {"question": "ferry", "filter": {"since": 0}}, 422),
    ],
)
def test_what_does_not_fit_is_a_problem(
    server: ServedApp, path: str, body: object, status: int
) -> None:
    reply = server.ask(path, body)
    assert reply.status == status
    assert reply.json["detail"]


def test_who_may_only_read_reads_news(tmp_path: Path) -> None:
    with served_app(tmp_path, read_only=True) as server:
        assert server.ask("/indexes/news/news").json == []
        assert server.ask("/indexes/news/followed", {"question": "ferry"}).status == 405
        paths = json.loads(server.ask("/openapi.json").body)["paths"]
        assert set(paths["/indexes/{name}/followed"]) == {"get"}
