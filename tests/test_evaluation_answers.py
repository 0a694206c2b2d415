"""Evaluation of answers: figures of known answers, of confidence, and a log that goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.answer import Answer, AnswerSentence, AnswerStatus, Citation
from rag.answering.attribution import Status
from rag.article import Article
from rag.engine import Rag
from rag.errors import DatasetError
from rag.evaluation import answer_metrics, auroc, evaluate, of_kinds, read_dataset, risk_coverage
from rag.evaluation.dataset import EvalQuestion, GoldSpan
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM, fake_calibration
from tests.support import ARTICLES, build, open_index, write_articles
from tests.test_evaluation import QUESTIONS, write_dataset

TEXT = "The bridge closes on Monday. The work costs 4.2 million crowns. Cyclists may use the ferry."
ARTICLE = Article(article_id="bridge", title="Bridge", text=TEXT)
OTHER = Article(article_id="ferry", title="Ferry", text="The ferry is free.")
GOLD = "4.2 million crowns"
QUESTION = EvalQuestion(
    question_id="q", question="What does it cost?", kind="answerable", article_id="bridge",
    answers=(GoldSpan(text=GOLD, start=TEXT.index(GOLD), end=TEXT.index(GOLD) + len(GOLD)),),
)  # fmt: skip


def article(article_id: str) -> Article | None:
    return {"bridge": ARTICLE, "ferry": OTHER}.get(article_id)


def made(text: str, quotes: list[tuple[Article, str]], **fields: Any) -> Answer:
    citations = []
    for number, (source, quote) in enumerate(quotes, 1):
        start = source.text.index(quote)
        citations.append(
            Citation(
                number=number, article_id=source.article_id, title=source.title, published=None,
                source=None, url=None, path=None, start=start, end=start + len(quote), quote=quote,
            )
        )  # fmt: skip
    numbers = tuple(range(1, len(quotes) + 1))
    sentence = AnswerSentence(text=text, status=Status.SUPPORTED, citations=numbers)
    values: dict[str, Any] = {
        "question": "", "searched": "", "text": f"{text} {''.join(f'[{n}]' for n in numbers)}",
        "sentences": (sentence,), "citations": tuple(citations), "hits": (),
        "status": AnswerStatus.ANSWERED, "confidence": 0.9, "index": "news", "version": 1,
        "model": "fake", "timings": {"evidence": 0.1, "first_token": 1.0, "total": 2.0},
    }  # fmt: skip
    return Answer(**{**values, **fields})


def test_figures_of_a_right_answer() -> None:
    answer = made("It costs 4.2 Million crowns!", [(ARTICLE, "The work costs 4.2 million crowns.")])
    metrics = answer_metrics(QUESTION, answer, article)
    assert metrics["contains"] == 1.0
    assert metrics["exact_match"] == 0.0
    assert metrics["f1"] == pytest.approx(2 * 3 / (5 + 3))
    assert metrics["citation_precision"] == metrics["gold_cited"] == 1.0
    assert metrics["citation_recall"] == metrics["quote_exact"] == 1.0
    assert (metrics["words"], metrics["seconds_to_first_token"]) == (5.0, 1.0)
    assert (metrics["answered_rate"], metrics["no_answer_rate"]) == (1.0, 0.0)


def test_citations_of_another_sentence_and_article() -> None:
    quotes = [(ARTICLE, "Cyclists may use the ferry."), (OTHER, "The ferry is free.")]
    metrics = answer_metrics(QUESTION, made("It is free.", quotes), article)
    assert metrics["contains"] == 0.0
    assert metrics["citation_precision"] == 0.5
    assert metrics["gold_citation_precision"] == metrics["gold_cited"] == 0.0


def test_a_number_is_not_held_by_a_longer_one() -> None:
    gold = (GoldSpan(text="4", start=0, end=1),)
    question = QUESTION.model_copy(update={"answers": gold})
    answer = made("It costs 42 crowns.", [(ARTICLE, "The work costs 4.2 million crowns.")])
    assert answer_metrics(question, answer, article)["contains"] == 0.0


def test_no_answer_holds_nothing() -> None:
    answer = made(
        "The articles do not say 4.2 million crowns.", [], status=AnswerStatus.NO_ANSWER,
        sentences=(), model=None,
    )  # fmt: skip
    metrics = answer_metrics(QUESTION, answer, article)
    assert (metrics["contains"], metrics["f1"], metrics["no_answer_rate"]) == (0.0, 0.0, 1.0)
    assert "citation_precision" not in metrics
    assert "words" not in metrics


SCORES = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12)


@pytest.mark.slow  # to import scikit-learn
@given(SCORES, SCORES)
def test_auroc_is_that_of_scikit_learn(positive: list[float], negative: list[float]) -> None:
    from sklearn.metrics import roc_auc_score

    labels = [1] * len(positive) + [0] * len(negative)
    assert auroc(positive, negative) == pytest.approx(roc_auc_score(labels, positive + negative))


def test_risk_at_each_coverage() -> None:
    found = risk_coverage([0.2, 0.9, 0.5, 0.7], [False, True, True, False])
    assert found == [(0.25, 0.0), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]


@pytest.fixture
def rag(tmp_path: Path) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    with open_index(index_dir) as index:
        settings = Settings(min_evidence=0)
        yield Rag(index, FakeEmbedder(), FakeLLM(), settings, calibration=fake_calibration())


def test_evaluation_of_answers_goes_on_where_it_was(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article)
    log = tmp_path / "answers.jsonl"
    first = evaluate(rag, dataset, answers=True, log=log)
    lines = log.read_text().splitlines()
    assert len(lines) == 3
    assert first.metrics["answerable"]["contains"] == 1.0
    assert "contains" not in first.metrics["off-corpus"]
    assert 0 <= first.metrics["off-corpus"]["confidence_auroc"] <= 1
    # Killed while the second line was written: two are asked again.
    log.write_text(lines[0] + "\n" + lines[1][:50])
    again = evaluate(rag, dataset, answers=True, log=log)
    assert log.read_text().splitlines()[0] == lines[0]
    assert len(log.read_text().splitlines()) == 3
    timed = ("seconds_to_evidence", "seconds_to_first_token", "seconds_total")
    for one, other in zip(first.questions, again.questions, strict=True):
        assert {k: v for k, v in one.metrics.items() if k not in timed} == {
            k: v for k, v in other.metrics.items() if k not in timed
        }


def test_a_log_of_other_settings_is_not_taken(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article)
    log = tmp_path / "answers.jsonl"
    evaluate(rag, dataset, answers=True, log=log)
    stricter = Rag(
        rag.index,
        FakeEmbedder(),
        FakeLLM(),
        Settings(min_evidence=1),
        calibration=fake_calibration(),
    )
    report = evaluate(stricter, dataset, answers=True, log=log)
    assert report.metrics["answerable"]["no_answer_rate"] == 1.0
    assert len(log.read_text().splitlines()) == 6


def test_a_log_that_is_none_is_refused(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article)
    log = tmp_path / "answers.jsonl"
    log.write_text(json.dumps({"a": 1}) + "\n" + json.dumps({"b": 1}) + "\n")
    with pytest.raises(DatasetError, match="line 1 is no logged answer"):
        evaluate(rag, dataset, answers=True, log=log)


def test_only_some_kinds(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article)
    assert [q.kind for q in of_kinds(dataset, ["off-corpus"]).questions] == ["off-corpus"]
    with pytest.raises(DatasetError, match="answerable, off-corpus"):
        of_kinds(dataset, ["on-corpus"])
