"""Which words of a question are names, by how the articles write them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.answering.answer import AnswerStatus
from rag.engine import Rag
from rag.index.opened import OpenIndex
from rag.retrieval.capitals import with_capitals, written_small
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import build, open_index, write_articles

ARTICLES = [
    {"id": "healey", "title": "Healey in Israel",
     "text": "The minister John Healey travelled to Israel on Friday. In Jerusalem Healey urged all"
     " sides to agree. The visit of Healey to Israel was his first."},
    {"id": "lammy", "title": "Lammy in London",
     "text": "In London the minister David Lammy met Antony Blinken of NATO. During the talks"
     " Blinken spoke of Kyiv. Both ministers said that NATO and Kyiv want peace."},
    {"id": "horn", "title": "The horn",
     "text": "A horn was found in Lindal. The horn of Lindal is old, and a horn it stays."},
    {"id": "north", "title": "Aid in North Selje", "published": "2024-03-04",
     "text": "In North Selje 1,400 people get aid for food."},
    {"id": "south", "title": "Aid in South Selje", "published": "2024-03-05",
     "text": "In South Selje 2,900 people get aid for food."},
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIndex]:
    index_dir = write_articles(tmp_path_factory.mktemp("capitals"), ARTICLES)
    build(index_dir)
    with open_index(index_dir) as opened:
        yield opened


def test_first_words_that_are_no_names(index: OpenIndex) -> None:
    assert written_small("Horn and Healey met whom?", index) == {"horn"}
    assert written_small("Healey met whom? Found in Lindal, what is old?", index) == {"found"}


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("what did healey urge in israel?", "what did Healey urge in Israel?"),
        ("what does nato say of kyiv", "what does NATO say of Kyiv"),
        ("What is the horn of lindal?", "What is the horn of Lindal?"),
        ("who is the minister in london", "who is the minister in London"),
        ("What did healey urge in Israel?", "What did healey urge in Israel?"),  # it has capitals
        ("what is a quagga?", "what is a quagga?"),
        ("who?", "who?"),
    ],
)
def test_a_question_in_small_letters_has_names_too(index: OpenIndex, asked: str, read: str) -> None:
    assert with_capitals(asked, index) == read


def test_a_name_in_small_letters_must_be_borne_out(index: OpenIndex) -> None:
    """The aid of the one state is not that of the other."""
    said = "2,900 people"
    settings = Settings(min_evidence=0, min_confidence=0)
    rag = Rag(index, FakeEmbedder(), FakeLLM([said] * 2), settings)
    south = rag.ask("how many people in south selje get aid for food")
    assert south.status is AnswerStatus.ANSWERED
    assert south.question == "how many people in south selje get aid for food"
    assert south.searched == "how many people in South Selje get aid for food"
    north = rag.ask("how many people in north selje get aid for food")
    assert north.status is not AnswerStatus.ANSWERED
    assert "2,900" not in north.text
