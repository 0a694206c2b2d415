"""`rag eval`, `rag batch` and `rag search --explain`, with fakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rag.cli import app
from rag.cli.parts import Parts
from rag.engine import Rag
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles
from tests.test_evaluation import QUESTIONS, write_dataset
from tests.test_evaluation_forms import write_forms


@pytest.fixture
def project(tmp_path: Path) -> Path:
    build(write_articles(tmp_path, ARTICLES))
    return tmp_path


def run(project: Path, *arguments: str, stdin: str | None = None) -> Result:
    def open_fake(name: str, settings: Settings | None = None) -> Rag:
        index = open_index(project / "indexes")
        return Rag(index, FakeEmbedder(), FakeLLM(), settings)

    parts = Parts(open=open_fake)
    return CliRunner().invoke(app, [*arguments, "--index", "news"], obj=parts, input=stdin)


def test_eval_prints_figures_by_kind(project: Path) -> None:
    dataset = write_dataset(project, QUESTIONS)
    result = run(project, "eval", str(dataset), "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert list(report["metrics"]) == ["answerable", "off-corpus"]
    names = {"hit@1", "hit@3", "hit@5", "hit@10", "mrr@10", "ndcg@10"}
    assert names <= set(report["metrics"]["answerable"])
    assert report["metrics"]["answerable"]["hit@10"] == 1.0
    table = run(project, "eval", str(dataset)).stdout
    assert "answerable: 2 questions" in table
    assert "hit@10" in table


def test_eval_on_a_sample(project: Path) -> None:
    dataset = write_dataset(project, QUESTIONS)
    runs = [run(project, "eval", str(dataset), "--json", "--sample", "2") for _ in range(2)]
    one, two = [json.loads(result.stdout)["questions"] for result in runs]
    assert one == two
    assert len(one) == 2


def test_eval_measures_answers_and_keeps_them(project: Path) -> None:
    dataset = write_dataset(project, QUESTIONS)
    log = project / "answers.jsonl"
    asked = ["eval", str(dataset), "--answers", "--log", str(log), "--kind", "answerable"]
    result = run(project, *asked, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert list(report["metrics"]) == ["answerable"]
    names = {"contains", "exact_match", "f1", "no_answer_rate", "seconds_total"}
    assert names <= set(report["metrics"]["answerable"])
    assert report["model"] == "fake"
    assert len(log.read_text().splitlines()) == 2
    assert "contains" in run(project, *asked).stdout
    assert len(log.read_text().splitlines()) == 2


def test_eval_of_a_folder_with_all_forms_and_of_one_file(project: Path) -> None:
    folder = write_forms(project / "forms")
    result = run(project, "eval", str(folder), "--answers", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {"right", "wrong_choice", "both", "refused", "hit@5"} <= set(report["metrics"]["quiz"])
    assert {"held_as_if", "trap", "refused"} <= set(report["metrics"]["false_premise"])
    assert {"vital_recall", "all_vital", "forbidden"} <= set(report["metrics"]["broad"])
    assert report["left_out"] == {
        "the right choice stands in no article": 1,
        "the index lacks their article": 1,
    }
    chosen = run(project, "eval", str(folder), "--answers", "--kind", "quiz").stdout
    assert "quiz: 2 questions" in chosen
    assert "wrong_choice" in chosen
    assert "summary" not in chosen
    assert "Left out: 1, because the right choice stands in no article." in chosen
    file = run(project, "eval", str(folder / "broad.jsonl"), "--answers").stdout
    assert "broad: 3 questions" in file
    assert "rightly_refused" in file
    assert "recent" not in file


def test_eval_sees_a_regression(project: Path) -> None:
    dataset = write_dataset(project, QUESTIONS)
    report = json.loads(run(project, "eval", str(dataset), "--json").stdout)
    stored = project / "stored.json"
    stored.write_text(json.dumps(report))
    assert run(project, "eval", str(dataset), "--compare", str(stored)).exit_code == 0
    for question in report["questions"]:
        question["metrics"] = {name: 1.5 for name in question["metrics"]}
    stored.write_text(json.dumps(report))
    worse = run(project, "eval", str(dataset), "--compare", str(stored))
    assert worse.exit_code == 1
    assert "worse" in worse.stdout


def test_eval_of_an_index_without_the_articles(project: Path, tmp_path: Path) -> None:
    dataset = write_dataset(project, QUESTIONS)
    other: list[dict[str, Any]] = [ARTICLES[2]]
    build(write_articles(tmp_path / "other", other))
    result = run(tmp_path / "other", "eval", str(dataset))
    assert result.exit_code == 1
    assert "lacks article 'ferry'" in result.stderr
    assert "index.toml" in result.stderr


def test_batch_of_lines_and_objects(project: Path) -> None:
    lines = 'Which raise does the union demand?\n\n{"question": "Who is the mayor?", "id": 7}\n'
    result = run(project, "batch", "-", "--search", "-k", "2", stdin=lines)
    assert result.exit_code == 0, result.output
    one, two = [json.loads(line) for line in result.stdout.splitlines()]
    assert one["question"] == "Which raise does the union demand?"
    assert [hit["rank"] for hit in one["hits"]] == [1, 2]
    assert one["hits"][0]["article_id"] == "ferry"
    assert (two["id"], two["hits"][0]["article_id"]) == ("7", "harbour")
    assert "2 of 2 questions" in result.stderr


def test_batch_asks(project: Path) -> None:
    path = project / "questions.txt"
    path.write_text("Which raise does the union demand?\nWho won the chess cup in Peru?\n")
    result = run(project, "batch", str(path))
    assert result.exit_code == 0, result.output
    answers = [json.loads(line)["answer"] for line in result.stdout.splitlines()]
    alone = [
        json.loads(run(project, "ask", question, "--json").stdout)
        for question in path.read_text().splitlines()
    ]
    for one, other in zip(answers, alone, strict=True):
        del one["timings"], other["timings"]
    assert answers == alone


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("", "has no question"),
        ('{"question": 3}\n', "-:1: `question`"),
        ('fine\n{"question"\n', "-:2: not JSON"),
    ],
)
def test_batch_of_something_else(project: Path, data: str, what: str) -> None:
    result = run(project, "batch", "-", stdin=data)
    assert result.exit_code == 1
    assert what in result.stderr


def test_search_explains(project: Path) -> None:
    shown = run(project, "search", "Which raise does the union demand?", "--explain").stdout
    assert "dense 0." in shown
    assert "sentence words 0." in shown
    assert "dense 0." not in run(project, "search", "Which raise does the union demand?").stdout
