"""Questions that are followed: what is news, told once, and what a killed round leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import feedparser
import pytest

from rag.cli import main
from rag.cli.following import repeat
from rag.cli.parts import Parts
from rag.errors import (
    ExistsError,
    IndexCorruptError,
    IndexMissingError,
    NotFoundError,
    QuestionError,
    RagError,
)
from rag.following.feed import atom
from rag.following.follow import (
    after_build,
    feed,
    follow,
    followed,
    look_for_news,
    news,
    unfollow,
)
from rag.following.followed import News
from rag.following.store import Store
from rag.index.layout import IndexFolder
from rag.retrieval import Filter
from rag.settings import Settings
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, open_index, write_articles

STRIKE = {
    "id": "strike",
    "title": "Ferry crews begin strike",
    "text": "Crews of the ferry in Osterby began a strike on Sunday morning. "
    "No boat left the harbour before noon. Commuters waited on the quay for hours.",
    "published": "2024-03-10",
    "source": "Osterby Post",
    "url": "https://post.example/strike?a=1&b=2",
}
PICNIC = {
    "id": "picnic",
    "title": "Picnic in the park",
    "text": "The choir of Lindal sang in the park while children flew kites.",
    "published": "2024-03-11",
}
LONG = " ".join(
    f"The strike of the ferry crews cost company number {n} some {n * 7} crowns in lost fares,"
    f" said witness {n} to the court of Osterby."
    for n in range(30)
)


def embedder(*_: object) -> FakeEmbedder:
    return FakeEmbedder()


def no_embedder(*_: object) -> FakeEmbedder:
    raise AssertionError("nothing is new: no model is needed")


class Project:
    """An index with a fake embedder, whose articles come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.articles: list[dict[str, Any]] = [*ARTICLES]
        self.settings = Settings(index_dir=folder / "indexes")
        self.build()

    def build(self, *more: dict[str, Any]) -> None:
        self.articles += more
        build(write_articles(self.folder, self.articles), allow_removal=True)

    def follow(self, question: str = "ferry strike", **options: Any) -> str:
        return follow(
            question, "news", settings=self.settings, open_embedder=embedder, **options
        ).name

    def look(self, **options: Any) -> list[tuple[str, str]]:
        chosen = {"open_embedder": embedder} | options
        return told(look_for_news("news", settings=self.settings, **chosen))

    def news(self, **options: Any) -> list[tuple[str, str]]:
        return told(news("news", settings=self.settings, **options))

    @property
    def path(self) -> Path:
        return self.folder / "indexes" / "news" / "following"

    def entries(self, name: str) -> list[str]:
        text = (self.path / name).read_text(encoding="utf-8")
        return [entry.title for entry in feedparser.parse(text).entries]


def told(found: Sequence[News]) -> list[tuple[str, str]]:
    return [(one.followed, one.article_id) for one in found]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_new_story_that_fits_is_told_once(project: Project) -> None:
    project.follow()
    assert project.look(open_embedder=no_embedder) == []  # what is there already is no news
    project.build(STRIKE, PICNIC)
    assert project.look() == [("ferry-strike", "strike")]
    assert project.look(open_embedder=no_embedder) == []
    project.build({**PICNIC, "id": "again", "title": "Rain", "text": "It rained in Lindal."})
    assert project.look() == []
    assert project.news() == [("ferry-strike", "strike")]


def test_what_is_told_of_a_story(project: Project) -> None:
    project.follow("Why do ferry crews strike?", name="crews", min_score=0.2)
    project.build(STRIKE)
    project.look()
    (one,) = news("news", settings=project.settings)
    with open_index(project.settings.index_dir) as index:
        article = index.catalog.article("strike")
    assert article is not None
    assert one.quote == article.text[one.start : one.end] != ""
    assert "Crews of the ferry" in one.quote
    assert (one.number, one.kind, one.story, one.index, one.version) == (
        *(1, "new story", "strike"),
        *("news", 2),
    )
    assert (one.question, one.url, str(one.published)) == (
        *("Why do ferry crews strike?", STRIKE["url"]),
        "2024-03-10",
    )
    assert one.score >= 0.2


def test_filter_and_least_score_decide_what_fits(project: Project) -> None:
    project.follow(name="by-news", filter=Filter.make(source="Harbour News"))
    project.follow(name="later", filter=Filter.make(since="2024-03-10"))
    project.follow(name="never", min_score=1)
    project.build(STRIKE)
    assert project.look() == [("later", "strike")]


def test_more_that_fits_than_a_first_look_finds(project: Project) -> None:
    project.follow("ferry boats", min_score=0.1)
    project.build(
        *(
            {"id": f"b{n}", "title": f"Boat {n}", "text": f"Ferry boats of line {n} sank."}
            for n in range(130)
        )
    )
    assert len(project.look()) == 130


def test_a_reprint_is_no_news_and_a_new_version_only_where_that_is_said(project: Project) -> None:
    first = {"id": "cost", "title": "Strike costs", "text": LONG, "published": "2024-04-01"}
    project.follow(name="stories")
    project.follow(name="all", versions=True)
    project.build({**first, "url": "https://post.example/cost"})
    assert project.look() == [("all", "cost"), ("stories", "cost")]
    project.build({**first, "id": "reprint", "published": "2024-04-02"})
    assert project.look() == []
    more = "The ferry strike ended at last, said the union of the ferry crews on strike."
    project.build(
        {
            **{**first, "id": "cost-2", "text": f"{LONG} {more}", "published": "2024-04-03"},
            "url": "https://post.example/cost",
        }
    )
    assert project.look() == [("all", "cost-2")]
    assert news("news", settings=project.settings)[-1].kind == "new version"


def test_a_changed_article_is_news_only_where_that_is_said(project: Project) -> None:
    project.follow(name="stories")
    project.follow(name="all", versions=True)
    project.articles[1] = {**ARTICLES[1], "text": "The ferry strike of the crews is over."}
    project.build()
    assert project.look() == [("all", "ferry")]


def test_an_article_that_went_and_came_back_is_no_news(project: Project) -> None:
    project.follow()
    project.build(STRIKE)
    project.look()
    project.articles.remove(STRIKE)
    project.build()
    assert project.look() == []
    project.build(STRIKE)
    assert project.look() == []


def test_a_question_added_later_hears_nothing_of_before_and_the_others_do(project: Project) -> None:
    project.follow(name="early")
    project.build(STRIKE)
    project.follow(name="late")  # before it is kept, the others are looked up
    assert project.look() == []
    assert project.news() == [("early", "strike")]


def test_before_a_first_build_all_is_news(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [*ARTICLES, STRIKE])
    settings = Settings(index_dir=index_dir)
    follow("ferry strike", "news", settings=settings, open_embedder=no_embedder)
    assert look_for_news("news", settings=settings, open_embedder=no_embedder) == []
    build(index_dir)
    found = look_for_news("news", settings=settings, open_embedder=embedder)
    assert {one.article_id for one in found} == {"strike", "ferry"}


class Killed(BaseException):
    """Nothing of the code is run after it, as after a kill, but what the system does itself."""


@pytest.mark.parametrize("step", ["looked", "written", "recorded", "feeds written"])
def test_stopped_at_any_step_nothing_is_lost_or_doubled(project: Project, step: str) -> None:
    project.follow()
    project.build(STRIKE)

    def stop(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        project.look(on_step=stop)
    project.look()
    assert project.news() == [("ferry-strike", "strike")]
    assert project.entries("feed.atom") == project.entries("feeds/ferry-strike.atom")
    assert project.entries("feed.atom") == ["Ferry crews begin strike"]


KILLED = """
import os, signal, sys
from pathlib import Path
from rag.following.follow import look_for_news
from rag.settings import Settings
from rag.testing import FakeEmbedder
def step(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
look_for_news("news", settings=Settings(index_dir=Path(sys.argv[1])),
              open_embedder=lambda *_: FakeEmbedder(), on_step=step)
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", ["written", "recorded"])
def test_killed_before_or_after_it_is_stored_nothing_is_lost_or_doubled(
    project: Project, step: str
) -> None:
    project.follow()
    project.build(STRIKE)
    command = [sys.executable, "-c", KILLED, os.fspath(project.settings.index_dir), step]
    assert subprocess.run(command, check=False).returncode == -9
    project.look()
    assert project.news() == [("ferry-strike", "strike")]
    assert project.entries("feed.atom") == ["Ferry crews begin strike"]


def test_of_many_who_look_at_once_one_tells(project: Project) -> None:
    project.follow()
    project.build(STRIKE)
    found: list[list[tuple[str, str]]] = []
    threads = [threading.Thread(target=lambda: found.append(project.look())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [[], [], [], [("ferry-strike", "strike")]]


def test_who_comes_again_reads_on(project: Project) -> None:
    project.follow()
    project.build(STRIKE)
    project.look()
    project.build({**STRIKE, "id": "ends", "text": "The ferry strike of the crews ended today."})
    project.look()
    first, second = news("news", settings=project.settings)
    assert news("news", after=first.number, settings=project.settings) == [second]
    assert news("news", newest=True, limit=1, settings=project.settings) == [second]
    assert news("news", followed="ferry-strike", limit=1, settings=project.settings) == [first]


def test_a_forgotten_question(project: Project) -> None:
    name = project.follow()
    other = project.follow(name="other")
    project.build(STRIKE)
    project.look()
    unfollow(name, "news", settings=project.settings)
    assert [one.name for one in followed("news", settings=project.settings)] == [other]
    assert project.news() == [("other", "strike")]
    assert project.entries("feed.atom") == ["Ferry crews begin strike"]
    assert not (project.path / "feeds" / f"{name}.atom").exists()
    with pytest.raises(NotFoundError, match=name):
        unfollow(name, "news", settings=project.settings)
    with pytest.raises(NotFoundError, match=name):
        news("news", followed=name, settings=project.settings)
    kept = project.follow(name=name)
    project.build({**STRIKE, "id": "ends", "text": "The ferry strike of the crews ended today."})
    project.look()
    assert [one.number for one in news("news", followed=kept, settings=project.settings)] > [2]


@pytest.mark.parametrize(
    ("question", "name", "why"),
    [
        (" ", None, "empty"),
        ("ferry", "Not a name", "not a name"),
        ("ferry", "", "not a name"),
        ("ferry", "../up", "not a name"),
        ("ferry", "taken", "already"),
    ],
)
def test_what_cannot_be_followed(
    project: Project, question: str, name: str | None, why: str
) -> None:
    project.follow(name="taken")
    with pytest.raises((QuestionError, ExistsError), match=why):
        project.follow(question, name=name)


def test_an_index_that_is_none(project: Project) -> None:
    calls: list[Callable[[], object]] = [
        lambda: follow("ferry", "none", settings=project.settings),
        lambda: followed("none", settings=project.settings),
        lambda: news("none", settings=project.settings),
        lambda: look_for_news("none", settings=project.settings),
        lambda: unfollow("ferry", "none", settings=project.settings),
    ]
    for call in calls:
        with pytest.raises(IndexMissingError, match="none"):
            call()
    assert [path.name for path in project.settings.index_dir.iterdir()] == ["news"]


def test_a_damaged_file_is_told_with_what_mends_it(project: Project) -> None:
    project.follow()
    (project.path / "questions.sqlite").write_bytes(b"no database, however long it may be" * 100)
    with pytest.raises(IndexCorruptError, match="questions") as caught:
        followed("news", settings=project.settings)
    assert "rm '" in str(caught.value.mend)


def test_a_build_looks_for_news_and_fails_for_none(project: Project) -> None:
    report = build(project.settings.index_dir)
    assert after_build(report, project.settings, no_embedder) is report
    assert not project.path.exists()
    project.follow()
    project.build(STRIKE)
    report = build(project.settings.index_dir)

    def broken(*_: object) -> FakeEmbedder:
        raise RagError("the model is gone")

    failed = after_build(report, project.settings, broken)
    assert failed.news == {}
    assert "the model is gone" in (failed.note or "")
    assert after_build(report, project.settings, embedder).news == {"ferry-strike": 1}


def test_a_feed_holds_whatever_articles_hold(project: Project) -> None:
    project.follow()
    project.build({**STRIKE, "title": "Ferry & <b>strike</b> \x07 ]]> é"})
    project.look()
    text = feed("news", at="http://127.0.0.1:8000/feed?a=1&b=2", settings=project.settings)
    read = feedparser.parse(text)
    assert not read.bozo
    (entry,) = read.entries
    assert entry.link == STRIKE["url"]
    assert entry.id.startswith("urn:uuid:")
    assert entry.published.startswith("2024-03-10")
    assert "é" in entry.title
    assert "&" in entry.title
    assert read.feed.links[0].href == "http://127.0.0.1:8000/feed?a=1&b=2"
    assert not feedparser.parse(atom([], index="news")).bozo


def test_the_same_story_has_the_same_id_in_a_restored_store(project: Project) -> None:
    project.follow()
    kept = (project.path / "questions.sqlite").read_bytes()
    project.build(STRIKE)
    project.look()
    (one,) = news("news", settings=project.settings)
    (project.path / "questions.sqlite").write_bytes(kept)
    project.look()
    (again,) = news("news", settings=project.settings)
    assert again.id == one.id


def test_the_store_goes_on_from_the_last_number_after_all_was_forgotten(project: Project) -> None:
    name = project.follow()
    project.build(STRIKE)
    project.look()
    unfollow(name, "news", settings=project.settings)
    with Store.turn(IndexFolder(project.settings.index_dir, "news")) as store:
        assert store.last_number() == 1


# The command


def rag(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments, Parts(embedder=embedder))
    assert ended.value.code == 0, arguments


def test_from_the_command_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_INDEX_DIR", os.fspath(project.settings.index_dir))
    rag("follow", "add", "ferry strike", "-i", "news", "--since", "2024-03-02")
    rag("follow", "list", "-i", "news")
    shown = capsys.readouterr().out
    assert "ferry-strike: followed" in shown
    assert "ferry-strike: ferry strike (from 0.45, published since 2024-03-02)" in shown
    project.build(STRIKE)
    rag("follow", "run", "-i", "news")
    assert "1 ferry-strike: Ferry crews begin strike (strike, Osterby Post, 2024-03-10)" in (
        capsys.readouterr().out
    )
    rag("follow", "run", "-i", "news", "--json")
    assert json.loads(capsys.readouterr().out) == []
    rag("follow", "news", "ferry-strike", "-i", "news", "--json")
    assert [one["article_id"] for one in json.loads(capsys.readouterr().out)] == ["strike"]
    rag("follow", "feed", "-i", "news")
    assert len(feedparser.parse(capsys.readouterr().out).entries) == 1
    rag("follow", "remove", "ferry-strike", "-i", "news")
    rag("follow", "list", "-i", "news", "--json")
    assert capsys.readouterr().out.endswith("[]\n")


def test_on_a_timer(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    class Timer(threading.Event):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == 600
            self.rounds += 1
            if self.rounds == 1:
                project.build(STRIKE)
            return self.rounds == 3

    project.follow()
    parts = Parts(embedder=embedder)
    repeat(parts, "news", project.settings, 600, Timer(), as_json=True)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["article_id"] for line in lines] == ["strike"]


def test_a_name_that_was_made_is_numbered_for_another_question(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    settings = Settings(index_dir=index_dir)
    asked = ("渡轮罢工", "大桥关闭", "渡轮罢工")
    narrowed = (None, None, Filter(source=("Osterby Post",)))
    for question, only in zip(asked, narrowed, strict=True):
        follow(question, "news", filter=only, settings=settings, open_embedder=embedder)
    names = {one.name: one.question for one in followed("news", settings=settings)}
    assert names == dict(zip(("question", "question-2", "question-3"), asked, strict=True))
    with pytest.raises(ExistsError):
        follow(asked[0], "news", settings=settings, open_embedder=embedder)
