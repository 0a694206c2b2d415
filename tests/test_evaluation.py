"""Evaluation: datasets, figures of known rankings, intervals, comparison with a stored one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.article import Article
from rag.engine import Rag
from rag.errors import DatasetError
from rag.evaluation import EvalQuestion, compare, evaluate, read_dataset, read_report, sample
from rag.evaluation.dataset import GoldSpan
from rag.evaluation.metrics import FoundSpan, intervals, retrieval_metrics
from rag.evaluation.report import EvaluationReport
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles

WIKI = Path(__file__).parents[1] / ".." / "shared" / "eval" / "wiki"


@pytest.fixture(scope="module")
def rag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path_factory.mktemp("evaluation"), ARTICLES)
    build(index_dir)
    with open_index(index_dir) as index:
        yield Rag(index, FakeEmbedder(), FakeLLM())


def write_dataset(folder: Path, questions: list[dict[str, Any]]) -> Path:
    write_lines(folder / "articles.jsonl", ARTICLES)
    write_lines(folder / "questions.jsonl", questions)
    return folder


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def asked(question_id: str, question: str, article: int, answer: str) -> dict[str, Any]:
    start = ARTICLES[article]["text"].index(answer)
    return {
        "id": question_id,
        "question": question,
        "kind": "answerable",
        "article_id": ARTICLES[article]["id"],
        "answers": [{"text": answer, "start": start, "end": start + len(answer)}],
    }


QUESTIONS = [
    asked("q1", "Which raise does the union demand?", 1, "6 percent"),
    asked("q2", "What would the bridge work cost?", 0, "4.2 million crowns"),
    {
        "id": "q3",
        "question": "Who won the chess cup?",
        "kind": "off-corpus",
        "article_id": None,
        "answers": [],
    },
]


# Figures


def spans(*places: tuple[str, int, int]) -> list[FoundSpan]:
    return [FoundSpan(article_id=a, start=s, end=e) for a, s, e in places]


GOLD = EvalQuestion(
    question_id="q",
    question="?",
    kind="answerable",
    article_id="a",
    answers=(GoldSpan(text="x" * 5, start=10, end=15), GoldSpan(text="x", start=40, end=41)),
)


@pytest.mark.parametrize(
    ("found", "rank"),
    [
        ([("a", 10, 15)], 1),
        ([("a", 0, 14), ("a", 11, 30), ("b", 0, 99), ("a", 0, 99)], 4),  # cut, cut, another article
        ([("b", 0, 99), ("a", 40, 41)], 2),  # any one of the answers
        ([("b", 0, 99)] * 9 + [("a", 0, 99)], 10),
        ([("b", 0, 99)] * 10 + [("a", 0, 99)], None),  # deeper than is looked
        ([], None),
    ],
)
def test_a_hit_covers_a_whole_answer(found: list[tuple[str, int, int]], rank: int | None) -> None:
    metrics = retrieval_metrics(GOLD, spans(*found))
    for k in (1, 3, 5, 10):
        assert metrics[f"hit@{k}"] == float(rank is not None and rank <= k)
    assert metrics["mrr@10"] == (1 / rank if rank else 0.0)
    assert metrics["ndcg@10"] == pytest.approx(1 / math.log2(rank + 1) if rank else 0.0)


def test_a_second_hit_on_the_same_answer_adds_nothing() -> None:
    once = retrieval_metrics(GOLD, spans(("a", 0, 20)))
    assert retrieval_metrics(GOLD, spans(("a", 0, 20), ("a", 5, 20))) == once


def test_graded_articles() -> None:
    question = EvalQuestion(
        question_id="q", question="?", kind="query", relevant={"a": 2, "b": 1, "c": 0}
    )
    found = spans(("c", 0, 1), ("b", 0, 1), ("b", 5, 9), ("a", 0, 1))
    metrics = retrieval_metrics(question, found)
    assert (metrics["hit@1"], metrics["hit@3"], metrics["mrr@10"]) == (0.0, 1.0, 0.5)
    # Articles in order: c, b, a; the second span of b takes no place.
    gained, ideal = 1 / math.log2(3) + 2 / math.log2(4), 2 + 1 / math.log2(3)
    assert metrics["ndcg@10"] == pytest.approx(gained / ideal)


def test_intervals_hold_the_mean_and_know_that_articles_differ() -> None:
    rng = np.random.default_rng(1)
    values = rng.random(400)
    rows = [{"hit@1": float(value < 0.7)} for value in values]
    share = float(np.mean([row["hit@1"] for row in rows]))
    low, high = intervals(rows, [str(number) for number in range(400)])["hit@1"]
    assert low < share < high
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(share * (1 - share) / 400), rel=0.15)
    # Ten articles, each all right or all wrong: far less is known than from 400 questions.
    rows = [{"hit@1": float(number // 40 < 7)} for number in range(400)]
    low, high = intervals(rows, [str(number // 40) for number in range(400)])["hit@1"]
    assert high - low > 0.4


# Datasets


def test_evaluate_on_spans(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article)
    told: list[tuple[int, int]] = []
    report = evaluate(rag, dataset, progress=lambda done, total: told.append((done, total)))
    assert report.n_questions == {"answerable": 2, "off-corpus": 1}
    assert told == [(1, 3), (2, 3), (3, 3)]
    # What the report says is what the search gives.
    ranks = []
    for row in QUESTIONS[:2]:
        gold = row["answers"][0]
        hits = rag.search(row["question"], k=10)
        right = [
            hit.rank
            for hit in hits
            if hit.article_id == row["article_id"]
            and hit.start <= gold["start"]
            and gold["end"] <= hit.end
        ]
        ranks.append(min(right))
    answerable = report.metrics["answerable"]
    assert answerable["hit@1"] == np.mean([rank <= 1 for rank in ranks])
    assert answerable["mrr@10"] == pytest.approx(np.mean([1 / rank for rank in ranks]))
    assert set(report.metrics["off-corpus"]) == {"top_score"}
    assert EvaluationReport.model_validate_json(report.model_dump_json()) == report


def test_offsets_are_of_the_text_as_it_stands_in_the_file(tmp_path: Path) -> None:
    """Cleaning takes lines out and reading changes newlines: the answer is found nevertheless."""
    # Decomposed letters and Windows newlines: shorter once read.
    raw = (
        "Advertisement\r\nThe cafe\u0301 in Osterby closes on Monday.\r\nMenu\r\n"
        "Its owner, Lena Holm, is 61 years old and will move to the coast.\r\n"
    )
    article = {"id": "cafe", "title": "Cafe\u0301 closes", "text": raw}
    index_dir = write_articles(tmp_path, [article])
    build(index_dir)
    answers = [{"text": text, "start": raw.index(text), "end": raw.index(text) + len(text)}
               for text in ("61 years", "Advertisement")]  # fmt: skip
    rows = [
        {"id": str(n), "question": "How old is the owner?", "article_id": "cafe",
         "kind": "answerable", "answers": [answer]}
        for n, answer in enumerate(answers)
    ]  # fmt: skip
    write_lines(tmp_path / "articles.jsonl", [article])
    write_lines(tmp_path / "questions.jsonl", rows)
    with open_index(index_dir) as index:
        rag = Rag(index, FakeEmbedder(), FakeLLM())
        dataset = read_dataset(tmp_path, rag.article)
        found = rag.article("cafe")
        report = evaluate(rag, dataset)
    kept, removed = dataset.questions
    assert found is not None
    assert "Advertisement" not in found.text
    assert found.text[kept.answers[0].start : kept.answers[0].end] == "61 years"
    assert removed.lost
    assert removed.answers == ()
    assert report.n_lost == 1
    assert report.metrics["answerable"]["hit@10"] == 0.5


def test_beir(tmp_path: Path) -> None:
    corpus = [{"_id": row["id"], "title": row["title"], "text": row["text"]} for row in ARTICLES]
    index_dir = write_articles(tmp_path, corpus)
    build(index_dir)
    write_lines(tmp_path / "corpus.jsonl", corpus)
    write_lines(
        tmp_path / "queries.jsonl",
        [
            {"_id": "1", "text": "union demands a raise"},
            {"_id": "2", "text": "a query of another split"},
        ],
    )
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\tferry\t1\n")
    with open_index(index_dir) as index:
        rag = Rag(index, FakeEmbedder(), FakeLLM())
        dataset = read_dataset(tmp_path, rag.article)
        report = evaluate(rag, dataset)
    assert [question.relevant for question in dataset.questions] == [{"ferry": 1}]
    assert report.metrics["query"]["hit@1"] == 1.0


def bad(change: dict[str, Any]) -> list[dict[str, Any]]:
    return [QUESTIONS[0] | change]


@pytest.mark.parametrize(
    ("questions", "what"),
    [
        (
            bad({"answers": [{"text": "6 percent", "start": 3, "end": 12}]}),
            "does not stand at 3-12",
        ),
        (bad({"answers": [{"text": "6 percent", "start": -1, "end": 12}]}), "answers.0.start"),
        (bad({"article_id": "nowhere"}), "no article 'nowhere'"),
        (bad({"question": " "}), "questions.jsonl:1: `question`"),
        ([QUESTIONS[0], QUESTIONS[0]], "two questions have the id 'q1'"),
    ],
)
def test_dataset_that_is_wrong(
    rag: Rag, tmp_path: Path, questions: list[dict[str, Any]], what: str
) -> None:
    with pytest.raises(DatasetError, match=what):
        read_dataset(write_dataset(tmp_path, questions), rag.article)


def test_folder_without_questions(rag: Rag, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no dataset"):
        read_dataset(tmp_path, rag.article)
    (tmp_path / "questions.jsonl").write_text("{'x'\n")
    with pytest.raises(DatasetError, match=r"questions.jsonl:1: not JSON"):
        read_dataset(tmp_path, rag.article)


def test_index_without_the_articles(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path, QUESTIONS)
    with pytest.raises(DatasetError, match="lacks article 'ferry'") as error:
        read_dataset(folder, lambda article_id: None)
    assert str(folder.resolve() / "articles.jsonl") in str(error.value.mend)
    other = Article(article_id="ferry", text="Quite another text.")
    with pytest.raises(DatasetError, match="with another text"):
        read_dataset(folder, lambda article_id: other)


# Comparison


def test_compare_question_by_question(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article)
    now = evaluate(rag, dataset)
    (tmp_path / "stored.json").write_text(now.model_dump_json())
    assert {change.verdict for change in compare(now, read_report(tmp_path / "stored.json"))} == {
        "same"
    }
    worse = now.model_copy(
        update={
            "questions": tuple(
                result.model_copy(update={"metrics": {name: 0.0 for name in result.metrics}})
                for result in now.questions
            )
        }
    )
    changes = {(c.kind, c.metric): c for c in compare(worse, now)}
    change = changes["answerable", "hit@10"]
    assert (change.verdict, change.before, change.now) == ("worse", 1.0, 0.0)
    assert compare(now, worse)[0].verdict == "better"


def test_compare_with_something_else(rag: Rag, tmp_path: Path) -> None:
    report = evaluate(rag, read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article))
    with pytest.raises(DatasetError, match="none of these questions"):
        compare(report, report.model_copy(update={"questions": ()}))
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(DatasetError, match="no stored evaluation"):
        read_report(tmp_path / "other.json")


def test_sample_is_the_same_for_the_same_seed(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_dataset(tmp_path, QUESTIONS), rag.article)
    one, two = sample(dataset, 2, seed=4), sample(dataset, 2, seed=4)
    assert one == two
    assert len(one.questions) == 2
    assert sample(dataset, 99) == dataset


@pytest.mark.skipif(not WIKI.is_dir(), reason="needs ../shared/eval/wiki")
def test_cleaning_loses_no_answer_of_the_shared_questions() -> None:
    from rag.cleaning import clean
    from rag.readers import read_sources

    articles = {
        article.article_id: clean(article).article
        for article in read_sources(["articles.jsonl"], WIKI)
        if isinstance(article, Article)
    }
    dataset = read_dataset(WIKI, articles.get)
    kinds = [question.kind for question in dataset.questions]
    assert (kinds.count("answerable"), len(kinds)) == (1696, 2590)
    assert not any(question.lost for question in dataset.questions)
    for question in dataset.questions:
        for answer in question.answers:
            assert question.article_id is not None
            assert articles[question.article_id].text[answer.start : answer.end] == answer.text
