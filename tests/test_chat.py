"""Conversations: which question is searched, by rules alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.chat import standalone
from rag.engine import Rag
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles

HEALEY = "What did Healey urge in Israel?"
TWO = "What did Blinken and Lammy discuss?"
MAYOR = "When did Lena Holm visit the ferry company?"


@pytest.mark.parametrize(
    ("before", "question", "searched"),
    [
        (HEALEY, "And what did he say about Gaza?", "What did Healey say about Gaza?"),
        (HEALEY, "Whom did he meet there?", "Whom did Healey meet in Israel?"),
        (HEALEY, "Who travelled with him?", "Who travelled with Healey?"),
        (HEALEY, "What is his post?", "What is Healey's post?"),
        (HEALEY, "And in Qatar?", "What did Healey urge in Qatar?"),
        (HEALEY, "What about Lammy?", "What did Lammy urge in Israel?"),
        (HEALEY, "And David Lammy?", "What did David Lammy urge in Israel?"),
        (HEALEY, "Why?", "Why? What did Healey urge in Israel?"),
        (MAYOR, "what did she say?", "What did Lena Holm say?"),
        (TWO, "Where did they meet?", "Where did Blinken and Lammy meet?"),
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
        (HEALEY, "How many hostages are there?"),
        ("what happened?", "And what did he say?"),
        (HEALEY, ""),
        (HEALEY, "???"),
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(before: str | None, question: str) -> None:
    assert standalone(question, before) == question


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
