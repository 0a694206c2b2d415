"""Conversations: which question is searched, by rules alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rag.chat import standalone
from rag.chat.phrases import names_of_persons
from rag.engine import Rag
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles

HEALEY = "What did Healey urge in Israel?"
BANK = "What did the Bank of England decide on interest rates?"
TWO = "What did Blinken and Lammy discuss?"
MAYOR = "When did Lena Holm visit the ferry company?"


@pytest.mark.parametrize(
    ("before", "question", "searched"),
    [
        (HEALEY, "And what did he say about Gaza?", "What did Healey say about Gaza?"),
        (HEALEY, "Whom did he meet there?", "Whom did Healey meet in Israel?"),
        (HEALEY, "Who travelled with him?", "Who travelled with Healey in Israel?"),
        (HEALEY, "What is his post?", "What is Healey's post?"),
        (HEALEY, "And in Qatar?", "What did Healey urge in Qatar?"),
        (HEALEY, "What about Lammy?", "What did Lammy urge in Israel?"),
        (HEALEY, "And David Lammy?", "What did David Lammy urge in Israel?"),
        (HEALEY, "Why?", "Why did Healey urge in Israel?"),
        (MAYOR, "what did she say?", "What did Lena Holm say (visit the ferry company)?"),
        (TWO, "Where did they meet?", "Where did Blinken and Lammy meet?"),
        (BANK, "And the ECB?", "What did the ECB decide on interest rates?"),
        (BANK, "How did markets react?",
         "How did markets react (the Bank of England decide on interest rates)?"),
        ("Which company bought Skype?", "How much did they pay?",
         "How much did the company that bought Skype pay?"),
        ("Who is suing Disney?", "Why?", "Why, and who is suing Disney?"),
        ("Why did Keir Starmer apologise?", "What did Farage say about it?",
         "What did Farage say about Keir Starmer (apologise)?"),
        ("Did the court convict Marine Le Pen?", "Of what?",
         "Of what did the court convict Marine Le Pen?"),
        ("How many people were killed in Kadar?", "And how many injured?",
         "How many people were injured in Kadar?"),
        ("Who was on board (the UPS plane)?", "Why?", "Why, and who was on board (the UPS plane)?"),
    ],
)  # fmt: skip
def test_a_question_that_leans_on_the_one_before(before: str, question: str, searched: str) -> None:
    assert standalone(question, before) == searched


@pytest.mark.parametrize(
    ("before", "question"),
    [
        (None, "And what did he say?"),
        (HEALEY, "Who is the president of Brazil?"),
        (HEALEY, "Did Lammy say that he would resign?"),
        (HEALEY, "How many hostages are there in Gaza?"),
        (HEALEY, "How many employees of Boeing lost their jobs?"),
        (HEALEY, "What is the minimum wage?"),
        (HEALEY, "Tell me about the floods in Texas."),
        (HEALEY, "floods in Texas"),
        (HEALEY, "thanks"),
        (HEALEY, "Warum?"),
        (HEALEY, "¿Y qué dijo sobre Gaza?"),
        ("what happened?", "And what did he say?"),
        (HEALEY, ""),
        (HEALEY, "???"),
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(before: str | None, question: str) -> None:
    assert standalone(question, before) == question


ASKED = "Who killed Shinzo Abe?"


@pytest.mark.parametrize(
    ("before", "told", "question", "searched"),
    [
        (ASKED, ["Tetsuya Yamagami"], "How old is he?",
         "How old is Tetsuya Yamagami (killed Shinzo Abe)?"),
        (ASKED, [], "How old is he?", "How old is Shinzo Abe?"),
        ("When did Liz Truss resign?", ["Rishi Sunak"], "Who came after her?",
         "Who came after Liz Truss?"),
        ("Who won the vote in Norway?", [], "Why did she win?",
         "Why did the one who won the vote in Norway win?"),
    ],
)  # fmt: skip
def test_an_answer_tells_whom_he_or_she_means(
    before: str, told: list[str], question: str, searched: str
) -> None:
    assert standalone(question, before, told=told) == searched


def test_names_of_an_answer() -> None:
    sentences = ["On Friday Lena Holm of the Norwick Ferry Company said that Osterby is safe.",
                 "Lena Holm's deputy is Paul van der Berg."]  # fmt: skip
    assert names_of_persons(sentences) == ["Lena Holm"]


FOLLOW_UPS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "follow_ups.jsonl").read_text().splitlines()
]


def understood(row: dict[str, Any]) -> bool:
    """Whether a question of tests/data/follow_ups.jsonl is searched as it is meant."""
    before = None
    for question in row["before"]:
        before = standalone(question, before)
    found = standalone(row["question"], before)
    if not row["leans"]:
        return bool(found == row["question"])
    return all(part.lower() in found.lower() for part in row["must_contain"]) and not any(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", found, re.IGNORECASE)
        for word in row["must_not_contain"]
    )


def test_follow_ups_are_understood() -> None:
    """Before these rules 32 of 75: 23 of the 50 they were written with, 9 of the 25 held out."""
    held_out = [understood(row) for row in FOLLOW_UPS[2::3]]
    others = [understood(row) for number, row in enumerate(FOLLOW_UPS) if number % 3 != 2]
    print(f"follow-ups: {sum(others)} of {len(others)}, held out {sum(held_out)} of 25")  # noqa: T201
    assert (len(held_out), len(others)) == (25, 50)
    assert sum(held_out) >= 24
    assert sum(others) >= 48
    assert all(understood(row) for row in FOLLOW_UPS if not row["leans"])


def test_conversation_shows_what_it_searched(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    llm = FakeLLM()
    with Rag(open_index(index_dir), FakeEmbedder(), llm, Settings(min_evidence=0)) as rag:
        chat = rag.chat()
        first = chat.ask("What did Lena Holm say in Osterby?")
        second = chat.ask("And what did she say about the ferry?")
    assert (first.question, first.searched) == (first.question, first.question)
    assert second.question == "And what did she say about the ferry?"
    assert second.searched == "What did Lena Holm say about the ferry?"
    assert second.searched in llm.prompts[1].user
    assert chat.answers == [first, second]
