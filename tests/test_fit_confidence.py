"""tools/fit_confidence.py: what is fitted to the answers of several sets together."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.engine import Rag
from rag.errors import DatasetError
from rag.evaluation import EvalQuestion, evaluate, read_dataset
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import build, open_index, write_articles
from tests.test_evaluation import write_lines
from tests.test_evaluation_forms import BROAD

TOOLS = Path(__file__).parents[1] / "tools"
TOWNS = ("Osterby", "Lindal", "Norvik", "Halden", "Brenna", "Sundvik", "Tarnes", "Ulvsund")
THINGS = ("bridge", "museum", "harbour", "library", "stadium", "theatre", "brewery", "school")
FINDS = ("marble", "copper", "amber", "velvet", "granite", "walnut", "ivory", "bronze")
NEWS: list[dict[str, Any]] = [
    {
        "id": town.lower(),
        "title": f"The {thing} of {town}",
        "text": f"The {thing} of {town} is made of {find}, the mayor said."
        f" It opened {year} years ago and costs {year} million a year."
        " Visitors come from far away.",
        "published": f"2024-03-{year:02d}",
    }
    for year, (town, thing, find) in enumerate(zip(TOWNS, THINGS, FINDS, strict=True), start=11)
]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("confidence_rows")


@pytest.fixture
def tool(rows: Any) -> Any:
    return importlib.import_module("fit_confidence")


@pytest.fixture(scope="module")
def rag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path_factory.mktemp("fit"), NEWS)
    build(index_dir)
    with open_index(index_dir) as index:
        yield Rag(index, FakeEmbedder(), FakeLLM(), Settings(ranker=False))


def span_rows() -> list[dict[str, Any]]:
    made = []
    for number, (article, find) in enumerate(zip(NEWS, FINDS, strict=True)):
        town, thing = TOWNS[number], THINGS[number]
        start = article["text"].index(find)
        made.append(
            {
                "id": f"a{number}", "question": f"Of what is the {thing} of {town} made?",
                "kind": "answerable", "article_id": article["id"],
                "answers": [{"text": find, "start": start, "end": start + len(find)}],
            }
        )  # fmt: skip
        made.append(
            {"id": f"u{number}", "question": f"Who painted the doors of the {thing} of {town}?",
             "kind": "unanswerable", "article_id": article["id"], "answers": []}
        )  # fmt: skip
        made.append(
            {"id": f"o{number}", "question": f"Who won chess cup number {number} in Peru?",
             "kind": "off-corpus", "answers": []}
        )  # fmt: skip
    return made


def quiz_rows() -> list[dict[str, Any]]:
    return [
        {
            "id": f"q{number}", "question": f"What is the {THINGS[number]} of {TOWNS[number]} of?",
            "date": f"2024/03/{20 + number}", "choices": [FINDS[(number + wrong) % 8], "clay"],
            "gold": FINDS[(number + wrong) % 8], "gold_articles": [NEWS[number]["id"]],
        }
        for number in range(8)
        for wrong in [0 if number % 3 else 3]  # a choice that its article does not hold
    ]  # fmt: skip


@pytest.fixture
def sets(rag: Rag, rows: Any, tmp_path: Path) -> list[Any]:
    """A set of spans and one of a quiz, asked."""
    made = []
    for name, written in (("wiki", span_rows()), ("news", quiz_rows())):
        folder = tmp_path / name
        folder.mkdir()
        write_lines(folder / "articles.jsonl", NEWS)
        write_lines(folder / "questions.jsonl", written)
        dataset = read_dataset(folder, rag.article)
        evaluate(rag, dataset, answers=True, log=folder / "answers.jsonl")
        made.append(rows.QuestionSet.of(dataset, rag, folder / "answers.jsonl"))
    return made


def test_every_signal_of_an_answer_is_named(rag: Rag, rows: Any) -> None:
    """Leave one out of the constants by choice, not because it is new: then change this test."""
    answer = rag.ask("Of what is the bridge of Osterby made?")
    assert set(answer.signals) == set(rows.ANSWER_SIGNALS)
    assert set(rows.EVIDENCE_SIGNALS) < set(rows.ANSWER_SIGNALS)


def test_questions_of_an_article_or_a_week_are_left_out_together(rows: Any) -> None:
    made = rows.Rows(())
    week = {"kind": "recent", "quiz": {"choices": ("a",), "gold": "a", "gold_articles": ("x",)}}
    for name, fields in (
        ("wiki", {"article_id": "x"}),
        ("wiki", {"article_id": "y"}),
        ("wiki", {"article_id": "x"}),
        ("other", {"article_id": "x"}),
        ("news", {"asked_on": "2024-03-18", **week}),  # a Monday
        ("news", {"asked_on": "2024-03-24", **week}),
        ("news", {"asked_on": "2024-03-25", **week}),
        ("wiki", {}),
    ):
        values = {"question_id": "q", "question": "?", "kind": "answerable", **fields}
        made.add(name, EvalQuestion.model_validate(values), {}, True)
    group = made.group.tolist()
    assert group[0] == group[2]
    assert group[4] == group[5]
    assert len(set(group)) == 6


def test_evidence_rows_say_what_the_model_is_given(sets: list[Any], rows: Any) -> None:
    made = rows.evidence_rows(sets)
    assert made.x.shape == (len(made.right), len(rows.EVIDENCE_SIGNALS))
    assert made.right[made.kind == "answerable"].all()
    assert not made.right[made.kind == "unanswerable"].any()
    recent = made.kind == "recent"
    assert set(made.set[recent]) == {"news"}
    held = [bool(number % 3) for number in range(8)]
    assert made.right[recent].tolist() == held


def test_answer_rows_are_right_by_the_form_of_the_question(sets: list[Any], rows: Any) -> None:
    made = rows.answer_rows(sets)
    assert made.x.shape == (len(made.right), len(rows.ANSWER_SIGNALS))
    answers = {
        logged.question_id: logged.answer
        for asked in sets
        for _, logged in rows.answered(asked)
    }  # fmt: skip
    expected = [question["gold"] in answers[question["id"]].text for question in quiz_rows()]
    assert made.right[made.kind == "recent"].tolist() == expected
    assert True in expected
    assert False in expected
    assert not made.right[made.kind == "off-corpus"].any()


def test_of_several_answers_to_a_question_the_last_counts(sets: list[Any], rows: Any) -> None:
    lines = sets[1].log.read_text().splitlines()
    again = json.loads(lines[1])
    again["answer"]["text"] = "Of clay."
    with sets[1].log.open("a") as file:
        file.write(json.dumps(again) + "\n")
    assert [answer.answer.text for _, answer in rows.answered(sets[1])][1] == "Of clay."
    assert len(list(rows.answered(sets[1]))) == 8


def test_answers_of_another_version_are_refused(sets: list[Any], rows: Any) -> None:
    lines = [json.loads(line) for line in sets[0].log.read_text().splitlines()]
    del lines[0]["answer"]["signals"]["n_sources"]
    write_lines(sets[0].log, lines)
    with pytest.raises(DatasetError, match="question 'a0' of wiki lacks the signals n_sources"):
        rows.answer_rows(sets)


def test_only_forms_with_right_answers_count(rag: Rag, rows: Any, tmp_path: Path) -> None:
    broad = BROAD[0] | {"articles": [NEWS[0]["id"]]}
    write_lines(tmp_path / "articles.jsonl", NEWS)
    write_lines(tmp_path / "questions.jsonl", quiz_rows())
    write_lines(tmp_path / "broad.jsonl", [broad])
    dataset = read_dataset(tmp_path, rag.article)
    kept = rows.QuestionSet.of(dataset, rag, tmp_path / "none.jsonl").dataset
    assert {question.form for question in dataset.questions} == {"quiz", "broad"}
    assert {question.form for question in kept.questions} == {"quiz"}


@pytest.mark.slow
def test_two_sets_are_fitted_together(sets: list[Any], tool: Any, rag: Rag) -> None:
    made, fitted = tool.calibrate(sets, refused=0.1, min_confidence=0.25, balanced=False)
    assert made.min_confidence == 0.25
    assert made.fitted_on.startswith("wiki: 24 questions, ")
    assert "; news: 8 questions, " in made.fitted_on
    assert made.evidence.figures["n"]["recent"] == 8
    assert {"right_auroc", "recent_auroc"} & set(made.answer.figures)
    # It can be used: its weights are of signals that answers carry.
    used = Rag(rag.index, rag.embedder, FakeLLM(), Settings(ranker=False), calibration=made)
    answer = used.ask("Of what is the bridge of Osterby made?")
    assert answer.confidence == pytest.approx(made.confidence(answer.signals), abs=0.01)
    table = tool.told("answer", *fitted["answer"])
    assert "| news recent | 8 |" in table
    assert "| wiki answerable | 8 |" in table


def synthetic(rows: Any, n: dict[str, int]) -> Any:
    """Sets in which one signal tells right from wrong, in the second the other way round."""
    made, rng = rows.Rows(("signal",)), np.random.default_rng(1)
    for name, count in n.items():
        for number in range(count):
            signal = float(rng.random())
            question = EvalQuestion(question_id="q", question="?", kind="recent",
                                    article_id=str(number))  # fmt: skip
            right = (signal > 0.5) == (name == "large")
            made.add(name, question, {"signal": signal}, right)
    return made


def test_balanced_sets_weigh_the_same(rows: Any, tool: Any) -> None:
    made = synthetic(rows, {"large": 90, "small": 30})
    used = np.ones(120, dtype=bool)
    by_question, _ = tool.fit(made, used)
    by_set, _ = tool.fit(made, used, balanced=True)
    assert by_question.weights["signal"] > 1
    assert abs(by_set.weights["signal"]) < 0.5 * by_question.weights["signal"]


def test_the_price_of_a_limit(rows: Any, tool: Any) -> None:
    made = synthetic(rows, {"large": 4})
    made._right = [True, True, False, False]
    probability = np.array([0.15, 0.55, 0.35, 0.05])
    cells = tool.told("answer", made, probability).splitlines()[-1].split(" | ")
    assert cells[:4] == ["| large recent", "4", "0.50", "0.75"]
    # Below .1, .2, .3, .4, .5, .6: right answers lost, wrong ones kept.
    assert [cell.removesuffix(" |") for cell in cells[4:]] == [
        *("0.00 / 0.50", "0.50 / 0.50", "0.50 / 0.50", "0.50 / 0.00", "0.50 / 0.00", "1.00 / 0.00"),
    ]
