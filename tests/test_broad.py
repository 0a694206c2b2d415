"""Answers made of items, on an index with news written for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.answering.answer import AnswerStatus
from rag.answering.broad import ARTICLE_WORDS
from rag.engine import Rag
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import build, open_index, write_articles

LONG = " ".join(
    f"The council of Osterby heard speaker {n} on the price of the new bridge and its {n} lanes."
    for n in range(1, 41)
)
ARTICLES: list[dict[str, Any]] = [
    {"id": "bridge", "title": "How Osterby got its bridge in 1987", "published": "2024-03-07",
     "text": f"Osterby has voted for a bridge. {LONG}"},
    {"id": "old", "title": "Fares", "published": "2024-03-07", "url": "https://n.example/fares",
     "text": "The ferry fares of Osterby rise by 4 crowns, the harbour said. Nobody was asked."},
    {"id": "new", "title": "Fares", "published": "2024-03-08", "url": "https://n.example/fares",
     "text": "The ferry fares of Osterby rise by 5 crowns, the harbour said. Nobody was asked."},
    {"id": "untitled", "title": "", "published": None,
     "text": "Lindal keeps its ferry. The ferry of Lindal sails twice a day in winter."},
]  # fmt: skip


@pytest.fixture
def rag(tmp_path: Path) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    with open_index(index_dir) as index:
        yield Rag(index, FakeEmbedder(), FakeLLM([]), Settings())


@pytest.mark.parametrize("article_id", ["bridge", "old", "new", "untitled"])
def test_an_article_is_summarised_by_its_id(rag: Rag, article_id: str) -> None:
    answer = rag.ask(article_id, kind="summary")
    article = rag.article(article_id)
    assert article is not None
    assert answer.items
    assert {citation.article_id for citation in answer.citations} == {article_id}
    # In the order of the text, its beginning first, and short.
    starts = [answer.citations[item.citations[0] - 1].start for item in answer.items]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert sum(len(item.text.split()) for item in answer.items) <= ARTICLE_WORDS


def test_what_is_no_id_is_a_subject(rag: Rag) -> None:
    answer = rag.ask("the ferry fares of Osterby", kind="summary")
    assert "new" in {citation.article_id for citation in answer.citations}
    assert "old" not in {citation.article_id for citation in answer.citations}


STRIKE: list[dict[str, Any]] = [
    {"id": "first", "title": "Strike in Lindal", "published": "2021-05-04",
     "text": "The crews of the Lindal ferry began a strike over pay. Four ships lay in the port."},
    {"id": "again", "title": "Strike in Lindal", "published": "2024-03-07",
     "text": "The crews of the Lindal ferry began another strike over shifts. All ships sailed."},
    {"id": "paper", "title": "Lindal", "published": "2024-03-08",
     "text": "The Lindal ferry crews began another strike over shifts on Thursday."},
    {"id": "view", "title": "Lindal", "published": "2024-03-08",
     "text": "Over the Lindal ferry the crews, we hear, may go for a new round."},
]  # fmt: skip


@pytest.fixture
def strike(tmp_path: Path) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path, STRIKE)
    build(index_dir)
    with open_index(index_dir) as index:
        yield Rag(index, FakeEmbedder(), FakeLLM([]), Settings())


def test_a_summary_begins_with_the_newest_state_and_says_of_when(strike: Rag) -> None:
    answer = strike.ask("the strike of the Lindal ferry crews", kind="summary")
    days = [item.day for item in answer.items if item.day]
    assert days == sorted(days, reverse=True)
    assert len({day.year for day in days}) == 2
    assert all(item.text.startswith(("7 March 2024: ", "8 March 2024: ", "4 May 2021: "))
               for item in answer.items)  # fmt: skip


def test_a_list_of_what_no_article_is_about_is_refused(strike: Rag) -> None:
    answer = strike.ask("Which colours did early astronomers give to distant comets?", kind="list")
    assert answer.status is AnswerStatus.NO_ANSWER
    assert answer.items == ()


def test_a_timeline_of_a_name_is_made_however_it_is_asked(strike: Rag) -> None:
    answer = strike.ask("Make me a chronological overview of whatever is said about Lindal")
    assert answer.kind == "timeline"
    assert answer.items


def test_it_is_told_how_many_articles_were_looked_at(strike: Rag) -> None:
    answer = strike.ask("the strike of the Lindal ferry crews", kind="summary")
    n_cited = len({citation.article_id for citation in answer.citations})
    assert f"Of 4 articles that were looked at, {n_cited} are cited." in (answer.note or "")
    alone = strike.ask("first", kind="summary")
    assert "looked at" not in (alone.note or "")


def test_a_summary_of_one_time_does_not_repeat_its_day(strike: Rag) -> None:
    answer = strike.ask("the strike of the Lindal ferry crews", kind="summary", since="2024-01-01")
    assert answer.items
    assert not any(item.text.startswith(("7 March", "8 March")) for item in answer.items)


def test_an_article_counts_as_saying_the_same_by_its_words(strike: Rag) -> None:
    answer = strike.ask("the strike of the Lindal ferry crews", kind="summary")
    (item,) = [item for item in answer.items if "another strike" in item.text]
    cited = {answer.citations[number - 1].article_id for number in item.citations}
    assert cited == {"again", "paper"}  # not "view", which is about it and says something else
    assert item.n_articles == 2
