"""benchmarks/answers.py: ours and a peer side by side, with fakes for both."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.engine import Rag
from rag.evaluation import read_dataset
from tests.test_evaluation import QUESTIONS, write_dataset
from tests.test_evaluation_forms import QUIZ, question_of, rag, write_forms

__all__ = ["rag"]  # the fixture

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PEER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    assert set(asked) == {"question"}
    print(json.dumps({"text": "They demand six percent, not 3 percent.", "prompt_tokens": 600,
                      "seconds_to_evidence": 0.5, "seconds_to_first_token": 1.5,
                      "seconds_total": 2.0}), flush=True)
"""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("answers")


@pytest.fixture
def peer() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PEER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process


def test_the_recent_questions_of_a_quiz_are_asked_on_their_day(
    answers: Any,
    peer: subprocess.Popen[str],
    rag: Rag,
    tmp_path: Path,
) -> None:
    dataset = answers.asked_of(read_dataset(write_forms(tmp_path), rag.article))
    assert [question.question_id for question in dataset.questions] == ["20240307_0"]
    expected = rag.ask(dataset.questions[0].question, asked_on=dataset.questions[0].asked_on)
    asked: list[Any] = []

    class Recorded:
        article = staticmethod(rag.article)

        def ask(self, question: str, asked_on: Any) -> Any:
            asked.append(asked_on)
            return rag.ask(question, asked_on=asked_on)

    pairs = answers.side_by_side(Recorded(), dataset.questions, peer)
    assert asked == [dataset.questions[0].asked_on]
    report = {"n_questions": 1, **answers.summary(pairs)}
    assert report["LangChain"]["right"] == 1.0
    assert report["LangChain"]["wrong_choice"] == report["LangChain"]["refused"] == 0.0
    assert report["LangChain"]["words"] == 7.0
    assert report["rag"]["right"] == float("6 percent" in expected.text)
    assert set(report["ratio"]) == set(answers.SECONDS)
    table = answers.table(report)
    for row in ("right", "wrong_choice", "refused", "words", "prompt_tokens", "seconds_total"):
        assert f"| {row} |" in table


def test_spans_are_asked_as_before(
    answers: Any, peer: subprocess.Popen[str], rag: Rag, tmp_path: Path
) -> None:
    dataset = answers.asked_of(read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article))
    assert [question.question_id for question in dataset.questions] == ["q1", "q2"]
    made = answers.summary(answers.side_by_side(rag, dataset.questions, peer))
    assert made["LangChain"]["contains"] == 0.0  # "six" is not "6" there
    assert "right" not in made["rag"]


@pytest.mark.parametrize(
    ("text", "right", "refused"),
    [
        ("I don't know.", 0, 1),
        ("The provided context does not specify the demand.", 0, 1),
        ("The context doesn’t say, but it may be 6 percent.", 1, 0),
        ("The union demands a lot.", 0, 0),
    ],
)
def test_a_peer_refuses_in_words(
    answers: Any,
    rag: Rag,
    tmp_path: Path,
    text: str,
    right: int,
    refused: int,
) -> None:
    row = {"text": text, "prompt_tokens": 1, **dict.fromkeys(answers.SECONDS, 1.0)}
    metrics = answers.peers(question_of(QUIZ, 0, tmp_path, rag), row)
    assert (metrics["right"], metrics["refused"]) == (right, refused)
