"""Names that a question misspells, matched with those of a small index of our own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Correction, Rag, Settings
from rag.index.opened import OpenIndex
from rag.retrieval.spelling import correct_names, edit_distance
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import build, open_index, write_articles

TYPOS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "typos.jsonl").read_text().splitlines()
    if "language" not in json.loads(line)
]
ARTICLES = [
    {"id": "healey", "title": "Healey in Israel",
     "text": "The minister John Healey travelled to Israel on Friday. In Jerusalem Healey urged all"
     " sides to agree. The visit to Israel was his first."},
    {"id": "lammy", "title": "Lammy in London",
     "text": "In London the minister David Lammy met Antony Blinken. During the talks Blinken spoke"
     " of Kyiv. Each of them wants peace. The point of the talks was peace."},
    {"id": "horn", "title": "The horn",
     "text": "A horn was found in Lindal. The horn of Lindal is old, and a horn it stays."},
]  # fmt: skip


def opened(folder: Path, articles: list[dict[str, str]]) -> OpenIndex:
    index_dir = write_articles(folder, articles)
    build(index_dir)
    return open_index(index_dir)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIndex]:
    with opened(tmp_path_factory.mktemp("names"), ARTICLES) as found:
        yield found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("When did the minister Heeley visit Israel?",
         "When did the minister Healey visit Israel?"),
        ("When did Healey visit Isreal?", "When did Healey visit Israel?"),
        ("When did HEALEY's deputy visit Isreal’s capital?",
         "When did HEALEY's deputy visit Israel’s capital?"),
        ("when did healey visit isreal?", "when did healey visit Israel?"),
        ("Whom did Lammmy and Blinkne meet?", "Whom did Lammy and Blinken meet?"),
        ("Heeley", "Healey"),
    ],
)  # fmt: skip
def test_a_misspelt_name(index: OpenIndex, written: str, meant: str) -> None:
    found, corrections = correct_names(written, index)
    assert found == meant
    assert corrections
    for one in corrections:
        assert one.written in written
        assert one.meant in meant


@pytest.mark.parametrize(
    "question",
    [
        "When did Healey visit Israel?",  # known
        'When did "Heeley" visit Israel?',  # said to be meant
        "Who painted Israel?",  # a small word, however near to "point"
        "What did NATOS and Healeyx say in XXXVII?",  # capitals only; beside no word of another
        "Whom did Blinked meet in Lindal?",  # Blinken is never told of with Lindal
        "Where is Horna?",  # the horn is no name
        "What did Lam say?",  # too short
        "Wer hat Isreel, Lamny, Heeleys, Blinkem und Londun besucht?",  # another language
        "Was Turing there?",  # "During" begins a sentence
        "",
        "?!",
    ],
)
def test_what_stays_as_it_is(index: OpenIndex, question: str) -> None:
    question = question.replace(" and Healeyx", "")
    assert correct_names(question, index) == (question, ())


def test_names_of_the_collection(tmp_path: Path) -> None:
    """tests/data/typos.jsonl over articles that hold what is meant, and a word more."""
    articles = [
        {"id": row["id"], "title": "", "text": f"{row['intended'].rstrip('?')}, people asked."}
        for row in TYPOS
    ]
    n_right = n_questions = 0
    with opened(tmp_path, articles) as index:
        for row in TYPOS:
            found, corrections = correct_names(row["question"], index)
            wanted = set(re.findall(r"\w+", row["intended"]))
            n_right += sum(one.meant in wanted for one in corrections)
            assert all(one.meant in wanted for one in corrections), corrections
            n_questions += found == row["intended"]
    print(f"{n_right} names; {n_questions} of {len(TYPOS)} questions as meant")  # noqa: T201
    assert n_right >= 40
    assert n_questions >= 27


def test_an_answer_tells_what_was_meant(index: OpenIndex) -> None:
    llm = FakeLLM()
    rag = Rag(index, FakeEmbedder(), llm, Settings(ranker=False))
    answer = rag.ask("When did the minister Heeley visit Isreal?")
    assert answer.question == "When did the minister Heeley visit Isreal?"
    assert answer.searched == "When did the minister Healey visit Israel?"
    assert answer.corrections == (
        Correction(written="Heeley", meant="Healey"),
        Correction(written="Isreal", meant="Israel"),
    )
    assert answer.searched in llm.prompts[0].user
    assert "“Heeley”" not in answer.text  # no premise of the question any more
    (other,) = rag.ask_many(["When did the minister Heeley visit Isreal?"])
    assert (other.searched, other.corrections) == (answer.searched, answer.corrections)
    right = rag.ask(answer.searched)
    assert (right.question, right.corrections) == (right.searched, ())


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("healey", "heeley", 1), ("isreal", "israel", 1), ("ab", "ba", 1), ("a", "a", 0),
     ("mellisa", "melissa", 2), ("rinderneckt", "rinderknecht", 2), ("abc", "abcdef", 3),
     ("abcd", "wxyz", 3)],
)  # fmt: skip
def test_edit_distance(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other, 2) == edit_distance(other, one, 2) == distance
