"""Comparisons: the publishers that a question names, side by side, and where sources differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.answering.sides import named_sources, without_sources
from rag.engine import Rag
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import build, open_index, write_articles

SOURCES = ["osterbypost.com", "www.coast-radio.co.uk", "Varnes Times", None]
ARTICLES: list[dict[str, Any]] = [
    {"id": "post", "title": "Storm in Varnes", "published": "2024-04-09",
     "source": "osterbypost.com",
     "text": "The storm in Varnes on Friday killed 12 people. Roads in Varnes were closed by the"
     " storm for two days. The mayor of Varnes thanked the firemen after the storm."},
    {"id": "radio", "title": "Storm in Varnes", "published": "2024-04-08",
     "source": "www.coast-radio.co.uk",
     "text": "The storm in Varnes killed 18 people on Friday. Roads in Varnes were closed by the"
     " storm for two days. Schools of Varnes shut after the storm."},
    {"id": "times", "title": "Storm in Varnes", "published": "2024-04-08", "source": "Varnes Times",
     "text": "The storm over Varnes tore away forty roofs."},
]  # fmt: skip


@pytest.fixture
def rag(tmp_path: Path) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    with open_index(index_dir) as index:
        yield Rag(index, FakeEmbedder(), FakeLLM([]), Settings())


@pytest.mark.parametrize(
    ("question", "named", "left"),
    [
        (
            "How do Coast Radio and the Osterby Post differ on the storm?",
            ["www.coast-radio.co.uk", "osterbypost.com"],
            "How do and the differ on the storm?",
        ),
        (
            "Compare Varnes Times's report with OsterbyPost’s.",
            ["Varnes Times", "osterbypost.com"],
            "Compare report with",
        ),
        ("Compare the storm in Varnes with the one in Osterby.", [], None),
    ],
)
def test_publishers_are_known_by_name_and_address(
    question: str, named: list[str], left: str | None
) -> None:
    assert named_sources(question, SOURCES) == named
    assert without_sources(question, named).rstrip(" .") == (left or question).rstrip(" .")


def test_publishers_stand_side_by_side_what_both_say_first(rag: Rag) -> None:
    answer = rag.ask("How do the Osterby Post and Coast Radio differ on the storm in Varnes?")
    assert answer.kind == "compare"
    lines = answer.text.splitlines()
    heads = [line for line in lines if not line.startswith("- ") and line.endswith(":")]
    assert heads == [
        "osterbypost.com and www.coast-radio.co.uk:", "osterbypost.com:", "www.coast-radio.co.uk:",
    ]  # fmt: skip
    assert lines[1].startswith("- Roads in Varnes were closed by the storm for two days.")
    assert "times" not in {citation.article_id for citation in answer.citations}


def test_it_is_told_where_the_sources_of_items_differ(rag: Rag) -> None:
    for question in (
        "How do the Osterby Post and Coast Radio differ on the storm in Varnes?",
        "Summarise the storm in Varnes",
    ):
        answer = rag.ask(question)
        (point,) = answer.disagreements
        assert [claim.text.split()[0] for claim in point.claims] == ["12", "18"]
        assert answer.text.splitlines()[-1].startswith("The sources differ: “12 people”")
        cited = {answer.citations[claim.citation - 1].article_id for claim in point.claims}
        assert cited == {"post", "radio"}
        assert len(answer.items) == len(answer.sentences) - 1


def test_what_changed_is_told_by_days_and_is_no_disagreement(rag: Rag) -> None:
    answer = rag.ask("How did the toll of the storm in Varnes change?")
    assert answer.kind == "compare"
    days = [item.day for item in answer.items if item.day]
    assert days == sorted(days)
    assert all(item.text.startswith(("5 April", "8 April", "9 April")) for item in answer.items)
    assert answer.disagreements == ()


def test_publishers_are_compared_within_the_time_that_is_asked_for(rag: Rag) -> None:
    answer = rag.ask(
        "How do the Osterby Post and Coast Radio differ on the storm in Varnes on 9 April 2024?"
    )
    assert answer.window is not None
    assert "post" in {citation.article_id for citation in answer.citations}
