"""Evaluation of quizzes, premises and broad questions: what is read, and the figures of answers."""

from __future__ import annotations

import datetime
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.answering.answer import Answer, AnswerStatus, Citation
from rag.article import Article
from rag.engine import Rag
from rag.errors import DatasetError
from rag.evaluation import (
    Dataset,
    EvalQuestion,
    EvaluationReport,
    QuestionResult,
    answer_metrics,
    compare,
    evaluate,
    mean,
    of_kinds,
    read_dataset,
)
from rag.evaluation.broad import normal
from rag.evaluation.metrics import interval_of_difference, intervals
from rag.evaluation.premises import says_that_it_fails
from rag.evaluation.report import summary
from rag.retrieval import Hit
from rag.retrieval.hit import HitScores
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM, fake_calibration
from tests.support import ARTICLES, build, open_index, write_articles
from tests.test_evaluation import QUESTIONS, write_dataset, write_lines
from tests.test_evaluation_answers import made

NEWS = Path(__file__).parents[1] / ".." / "shared" / "eval" / "news"
needs_news = pytest.mark.skipif(
    not NEWS.is_dir(), reason="needs ../shared/eval/news, whose scorers are compared with"
)

QUIZ: list[dict[str, Any]] = [
    {
        "id": "20240307_0", "question": "How much does the union of the ferry demand this week?",
        "date": "2024/03/07", "choices": ["3 percent", "6 percent", "Nine percent"],
        "gold": "6 percent", "articles": ["ferry"], "gold_articles": ["ferry"],
    },
    {
        "id": "20240705_1", "question": "What did a museum find?", "date": "2024/07/05",
        "choices": ["A painting", "A bone"], "gold": "A painting", "articles": [],
        "gold_articles": ["harbour", "museum"],
    },
    {
        "id": "20240705_2", "question": "Who won the cup?", "date": "2024/07/05",
        "choices": ["Lindal", "Osterby"], "gold": "Lindal", "articles": [], "gold_articles": [],
    },
]  # fmt: skip
FALSE: list[dict[str, Any]] = [
    {
        "id": "fp1", "question": "What did Mayor Lena Holm say in 1987 the bridge work would cost?",
        "asked_on": "2024-03-07", "changed": "year", "article_id": "harbour",
        "trap": "4.2 million crowns", "true_fact": "It was 2024.", "collection": "news",
    },
    {
        "id": "fp2", "question": "Who won the chess cup of 1901?", "asked_on": "2024-03-07",
        "changed": "year", "article_id": "museum", "trap": "Paul Brandt", "kind": "other_year",
    },
    {
        "id": "fp3", "question": "Who?", "asked_on": "2024-03-07", "article_id": "elsewhere",
        "trap": "Nobody",
    },
]  # fmt: skip
TRUE: list[dict[str, Any]] = [
    {
        "id": "tp1", "pair": "fp1", "question": "What would the bridge work cost?",
        "asked_on": "2024-03-07", "article_id": "harbour", "answer": "4.2 million crowns",
    },
]  # fmt: skip
BROAD: list[dict[str, Any]] = [
    {
        "id": "b1", "kind": "summary", "question": "Summarise the news on the harbour bridge.",
        "nuggets": [
            {"text": "Nine weeks", "match": [["9 weeks"], ["bridge"]], "vital": True},
            {"text": "The cost", "match": [["4.2 million", "4200000"]], "vital": True},
            {"text": "Free ferry", "match": [["without paying", "free"]], "vital": True},
            {"text": "Shops", "match": [["shop owners"]], "vital": False},
        ],
        "articles": ["harbour"], "forbidden": ["collapsed", "^no"], "note": "",
    },
    {
        "id": "b2", "kind": "yesno", "question": "Is the painting back?",
        "nuggets": [{"text": "It was lost since 1911", "match": [["1911"]], "vital": True}],
        "articles": ["museum"], "forbidden": [],
    },
    {
        "id": "b3", "kind": "yesno", "question": "Did the ferry sink?", "nuggets": [],
        "articles": ["ferry"], "forbidden": ["^yes"], "no_answer": True,
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def rag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path_factory.mktemp("forms"), ARTICLES)
    build(index_dir)
    with open_index(index_dir) as index:
        settings = Settings(min_evidence=0)
        yield Rag(index, FakeEmbedder(), FakeLLM(), settings, calibration=fake_calibration())


def write_forms(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_lines(folder / "articles.jsonl", ARTICLES)
    write_lines(folder / "questions.jsonl", QUIZ)
    write_lines(folder / "broad.jsonl", BROAD)
    write_lines(folder / "false_premises.jsonl", FALSE)
    write_lines(folder / "true_premises.jsonl", TRUE)
    return folder


def question_of(rows: list[dict[str, Any]], place: int, folder: Path, rag: Rag) -> EvalQuestion:
    """A question as it is read from a file of its own."""
    write_lines(folder / "articles.jsonl", ARTICLES)
    write_lines(folder / "asked.jsonl", rows[place : place + 1])
    return read_dataset(folder / "asked.jsonl", rag.article).questions[0]


def hit(text: str, *, title: str = "", article_id: str = "a", rank: int = 1) -> Hit:
    return Hit(
        rank=rank, score=0.5, scores=HitScores(dense=0.5, sentence=0.5, lexical=0.5),
        article_id=article_id, title=title, published=None, source=None, url=None, path=None,
        start=0, end=len(text), text=text, sentence_start=0, sentence_end=len(text),
    )  # fmt: skip


REFUSAL: dict[str, Any] = {"status": AnswerStatus.NO_ANSWER, "sentences": ()}


# Reading


def test_a_folder_holds_all_forms(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_forms(tmp_path), rag.article)
    assert [(q.question_id, q.form, q.kind) for q in dataset.questions] == [
        ("20240307_0", "quiz", "recent"),
        ("20240705_1", "quiz", "old"),
        ("b1", "broad", "summary"),
        ("b2", "broad", "yesno"),
        ("b3", "broad", "yesno"),
        ("fp1", "premises", "false_premise"),
        ("fp2", "premises", "other_year"),
        ("tp1", "premises", "true_premise"),
    ]
    assert dataset.left_out == {
        "the right choice stands in no article": 1,
        "the index lacks their article": 1,
    }
    assert dataset.questions[0].asked_on == datetime.date(2024, 3, 7)
    assert dataset.questions[5].asked_on == datetime.date(2024, 3, 7)
    assert dataset.questions[2].asked_on is None
    one = read_dataset(tmp_path / "broad.jsonl", rag.article)
    assert (one.name, len(one.questions), one.left_out) == ("broad", 3, {})


@pytest.mark.parametrize(
    ("asked_on", "kind"),
    [
        ("2024/03/05", "recent"),
        ("2024/04/04", "recent"),  # 30 days after
        ("2024/04/05", "old"),
        ("2024/03/02", "recent"),  # 3 days before
        ("2024/03/01", "old"),
    ],
)
def test_recent_is_published_within_a_month(
    rag: Rag, tmp_path: Path, asked_on: str, kind: str
) -> None:
    rows = [QUIZ[0] | {"id": "q", "date": asked_on}]
    assert question_of(rows, 0, tmp_path, rag).kind == kind
    printed = [QUIZ[0] | {"id": f"{asked_on.replace('/', '')}_7", "date": "2024-01-01"}]
    question = question_of(printed, 0, tmp_path, rag)
    assert (question.kind, question.asked_on) == (kind, datetime.date(2024, 1, 1))


def test_a_kind_or_a_form_is_chosen(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_forms(tmp_path), rag.article)
    chosen = of_kinds(dataset, ["quiz", "summary"])
    assert [question.question_id for question in chosen.questions] == [
        *("20240307_0", "20240705_1", "b1"),
    ]
    with pytest.raises(DatasetError, match=r"broad, false_premise, .*premises, quiz"):
        of_kinds(dataset, ["nuggets"])


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (QUIZ[0] | {"date": "soon"}, r"asked.jsonl:1: `date` is no day: 'soon'"),
        (QUIZ[0] | {"gold": "7 percent"}, "`gold` is none of `choices`"),
        (QUIZ[0] | {"choices": "6 percent"}, r"asked.jsonl:1: quiz.choices"),
        (QUIZ[0] | {"gold_articles": "ferry"}, "`gold_articles` is no list of ids"),
        (QUIZ[0] | {"gold_articles": ["nowhere"]}, "index lacks article 'nowhere'"),
        (FALSE[0] | {"asked_on": None}, "`asked_on` is no day: None"),
        (FALSE[0] | {"trap": ""}, "`trap` is empty"),
        (FALSE[2], "the index holds no article that .* asks about, such as 'elsewhere'"),
        (TRUE[0] | {"answer": None}, "`answer` is empty"),
        (BROAD[0] | {"nuggets": [{"match": []}]}, r"broad.nuggets.0.match"),
        (BROAD[0] | {"articles": ["nowhere"]}, "index lacks article 'nowhere'"),
    ],
)
def test_rows_that_are_wrong(rag: Rag, tmp_path: Path, row: dict[str, Any], what: str) -> None:
    with pytest.raises(DatasetError, match=what):
        question_of([row], 0, tmp_path, rag)


def test_a_quiz_without_its_articles(rag: Rag, tmp_path: Path) -> None:
    write_lines(tmp_path / "asked.jsonl", QUIZ)
    with pytest.raises(DatasetError, match=r"articles.jsonl cannot be read"):
        read_dataset(tmp_path / "asked.jsonl", rag.article)


# Figures of one answer


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("The union demands <b>six</b> percent [1].", (1, 0, 0)),
        ("The union demands 16 percent.", (0, 0, 0)),
        ("The company offers three percent.", (0, 1, 0)),
        ("The union demands 6 percent, not 3 percent.", (1, 0, 1)),
    ],
)
def test_right_and_wrong_choices(
    rag: Rag, tmp_path: Path, text: str, figures: tuple[int, int, int]
) -> None:
    question = question_of(QUIZ, 0, tmp_path, rag)
    metrics = answer_metrics(question, made(text, []), rag.article)
    assert (metrics["right"], metrics["wrong_choice"], metrics["both"]) == figures
    assert (metrics["refused"], metrics["no_answer_rate"]) == (0.0, 0.0)
    assert metrics["words"] == len(text.split())


def test_a_refusal_holds_no_choice(rag: Rag, tmp_path: Path) -> None:
    question = question_of(QUIZ, 0, tmp_path, rag)
    answer = made("Nothing says whether 6 percent or 3 percent.", [], **REFUSAL)
    metrics = answer_metrics(question, answer, rag.article)
    assert [metrics[name] for name in ("right", "wrong_choice", "both")] == [0.0, 0.0, 0.0]
    assert (metrics["refused"], metrics["no_answer_rate"], metrics["words"]) == (1.0, 1.0, 8.0)


def test_hits_hold_the_choice_in_title_or_text(rag: Rag, tmp_path: Path) -> None:
    question = question_of(QUIZ, 0, tmp_path, rag)
    hits = [hit("Three percent."), hit("They vote.", title="6 percent"), hit("6 percent")]
    for shown, expected in ((hits, (0, 1)), (hits[1:], (1, 1)), (hits[:1] * 5 + hits, (0, 0))):
        metrics = answer_metrics(question, made("6 percent", [], hits=tuple(shown)), rag.article)
        assert (metrics["hit@1"], metrics["hit@5"]) == expected


def test_answered_as_if_a_false_premise_held(rag: Rag, tmp_path: Path) -> None:
    question = question_of(FALSE, 0, tmp_path, rag)
    for text, fields, figures in (
        ("It would cost 4.2 million crowns.", {}, (1, 1, 0)),
        ("It would cost a lot.", {}, (1, 0, 0)),
        ("The articles do not bear out “in 1987”. In 2024 it was a lot.", {}, (0, 0, 0)),
        ("The 3 articles do not answer this question.", REFUSAL, (0, 0, 1)),
    ):
        metrics = answer_metrics(question, made(text, [], **fields), rag.article)
        assert (metrics["held_as_if"], metrics["trap"], metrics["refused"]) == figures


def test_a_true_premise_answered_or_refused(rag: Rag, tmp_path: Path) -> None:
    question = question_of(TRUE, 0, tmp_path, rag)
    right = answer_metrics(question, made("4.2 million crowns, she said.", []), rag.article)
    assert (right["right"], right["wrongly_refused"]) == (1.0, 0.0)
    refused = answer_metrics(question, made("4.2 million crowns", [], **REFUSAL), rag.article)
    assert (refused["right"], refused["wrongly_refused"]) == (0.0, 1.0)
    assert "held_as_if" not in right


def test_the_package_says_that_a_premise_fails_in_these_words(rag: Rag) -> None:
    answer = rag.ask(FALSE[0]["question"], asked_on="2024-03-07")
    assert answer.status is AnswerStatus.NO_ANSWER
    assert "1987" in answer.text
    assert says_that_it_fails(answer.text)
    assert not says_that_it_fails("The witnesses did not bear arms; it is not born out of need.")


def quoted(article_id: str) -> Citation:
    return Citation(
        number=1, article_id=article_id, title="", published=None, source=None, url=None,
        path=None, start=0, end=1, quote="T",
    )  # fmt: skip


def test_nuggets_of_a_broad_answer(rag: Rag, tmp_path: Path) -> None:
    question = question_of(BROAD, 0, tmp_path, rag)
    answer = made(
        "The bridge closes for nine weeks. [1] It costs 4,200,000 crowns. [2]", [],
        citations=(quoted("harbour"), quoted("harbour"), quoted("ferry")),
    )  # fmt: skip
    metrics = answer_metrics(question, answer, rag.article)
    assert metrics["vital_recall"] == metrics["vital_recall_by_question"] == 2 / 3
    assert metrics["nugget_recall"] == 2 / 4
    assert (metrics["n_vital"], metrics["n_nuggets"], metrics["n_citations"]) == (3, 4, 3)
    assert metrics["citation_precision"] == 2 / 3
    assert (metrics["all_vital"], metrics["forbidden"], metrics["wrongly_refused"]) == (0, 0, 0)
    assert metrics["words"] == len(answer.text.split())


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("The bridge collapsed.", 1),
        ("The bridge did not collapse.", 0),
        ("No, it did not.", 1),
        ("There is no bridge.", 0),
    ],
)
def test_forbidden_strings(rag: Rag, tmp_path: Path, text: str, forbidden: int) -> None:
    question = question_of(BROAD, 0, tmp_path, rag)
    answer = made(text, [], citations=(quoted("harbour"),))
    assert answer_metrics(question, answer, rag.article)["forbidden"] == forbidden


def test_refusals_of_broad_questions_are_right_or_wrong(rag: Rag, tmp_path: Path) -> None:
    answerable = question_of(BROAD, 1, tmp_path, rag)
    unanswerable = question_of(BROAD, 2, tmp_path, rag)
    refusals = [
        made("1911", [], **REFUSAL),
        made("The articles do not say whether it is back since 1911.", []),  # no source: a refusal
    ]
    for answer in refusals:
        metrics = answer_metrics(answerable, answer, rag.article)
        assert (metrics["wrongly_refused"], metrics["vital_recall"]) == (1.0, 0.0)
        assert answer_metrics(unanswerable, answer, rag.article)["rightly_refused"] == 1.0
    cited = made("The articles do not say 1911.", [], citations=(quoted("museum"),))
    assert answer_metrics(answerable, cited, rag.article)["wrongly_refused"] == 0.0
    yes = answer_metrics(unanswerable, made("Yes, it sank.", []), rag.article)
    assert (yes["rightly_refused"], yes["forbidden"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("on Oct. 19", "19th of October 2025"),
        ("2025-10-19", "October 19"),
        ("$250m", "250 million"),
        ("£11.3bn", "11.3 billion"),
        ("ten percent", "10%"),
        ("10k", "10,000"),
        ("doesn’t", "does not"),
        ("the mayor’s café", "mayor cafe"),
    ],
)
def test_one_spelling(one: str, other: str) -> None:
    assert normal(one).strip().removeprefix("on ") in normal(other)


# Means and intervals


ROWS = [
    {"vital_recall": 1.0, "n_vital": 1.0, "words": 10.0},
    {"vital_recall": 0.25, "n_vital": 4.0, "words": 20.0},
    {"words": 30.0},
]


def test_a_mean_of_nuggets_is_over_all_nuggets() -> None:
    assert mean(ROWS) == {"vital_recall": 2 / 5, "n_vital": 2.5, "words": 20.0}
    low, high = intervals(ROWS, ["a", "b", "c"])["vital_recall"]
    assert (low, high) == (0.25, 1.0)  # of two questions, one alone may be drawn


def test_a_difference_is_of_the_weighed_means() -> None:
    rng = np.random.default_rng(3)
    counts = [float(rng.integers(1, 9)) for _ in range(60)]
    before = [{"vital_recall": float(rng.random()), "n_vital": n} for n in counts]
    now = [row | {"vital_recall": row["vital_recall"] + 0.1} for row in before]
    low, high = interval_of_difference("vital_recall", now, before, [str(n) for n in range(60)])
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)


def test_a_report_sums_a_form_up_and_compares_it(rag: Rag, tmp_path: Path) -> None:
    dataset = read_dataset(write_forms(tmp_path), rag.article)
    report = evaluate(rag, dataset, answers=True)
    assert report.n_questions == {
        **{"recent": 1, "old": 1, "summary": 1, "yesno": 2, "false_premise": 1, "other_year": 1},
        **{"true_premise": 1, "quiz": 2, "broad": 3, "premises": 3},
    }
    assert report.left_out == dataset.left_out
    quiz = [result.metrics for result in report.questions if result.form == "quiz"]
    for name in ("right", "wrong_choice", "both", "refused", "hit@1", "hit@5", "words"):
        assert report.metrics["quiz"][name] == np.mean([metrics[name] for metrics in quiz])
    for name in ("vital_recall", "all_vital", "forbidden", "rightly_refused"):
        assert name in report.metrics["broad"]
    assert EvaluationReport.model_validate_json(report.model_dump_json()) == report
    worse = report.model_copy(
        update={
            "questions": tuple(
                result.model_copy(update={"metrics": result.metrics | {"words": 1000.0}})
                for result in report.questions
            )
        }
    )
    changes = {(c.kind, c.metric): c for c in compare(report, worse)}
    assert changes["quiz", "words"].verdict == "worse"
    assert changes["quiz", "words"].now == report.metrics["quiz"]["words"]


def test_a_search_without_answers_looks_for_the_choice(rag: Rag, tmp_path: Path) -> None:
    dataset = of_kinds(read_dataset(write_forms(tmp_path), rag.article), ["quiz", "broad"])
    report = evaluate(rag, dataset)
    first = rag.search(QUIZ[0]["question"], k=1)[0]
    assert report.metrics["recent"]["hit@1"] == float("6 percent" in first.text)
    assert report.metrics["recent"]["hit@5"] == 1.0
    assert set(report.metrics["broad"]) == {"top_score"}


def test_questions_are_asked_on_their_day(rag: Rag, tmp_path: Path) -> None:
    folder, log = write_forms(tmp_path), tmp_path / "answers.jsonl"
    dataset = of_kinds(read_dataset(folder, rag.article), ["quiz"])
    evaluate(rag, dataset, answers=True, log=log)
    answers = [json.loads(line)["answer"] for line in log.read_text().splitlines()]
    assert [answer["asked_on"] for answer in answers] == ["2024-03-07", "2024-07-05"]
    assert answers[0]["window"][1] == "2024-03-08"  # of "this week"
    # The same question on another day is another question.
    write_lines(folder / "questions.jsonl", [QUIZ[0] | {"date": "2024/03/20"}, QUIZ[1]])
    moved = of_kinds(read_dataset(folder, rag.article), ["quiz"])
    evaluate(rag, moved, answers=True, log=log)
    assert len(log.read_text().splitlines()) == 3


def test_a_log_of_another_dataset_is_not_taken(rag: Rag, tmp_path: Path) -> None:
    log = tmp_path / "answers.jsonl"
    write_dataset(tmp_path, QUESTIONS[:1])
    evaluate(rag, read_dataset(tmp_path, rag.article), answers=True, log=log)
    write_dataset(tmp_path, [QUESTIONS[1] | {"id": "q1"}])
    evaluate(rag, read_dataset(tmp_path, rag.article), answers=True, log=log)
    asked = [json.loads(line)["answer"]["question"] for line in log.read_text().splitlines()]
    assert asked == [QUESTIONS[0]["question"], QUESTIONS[1]["question"]]


# Against the scorers of the shared questions


@pytest.fixture(scope="module")
def news() -> dict[str, Article]:
    lines = (NEWS / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        row["id"]: Article(article_id=row["id"], title=row["title"], text=row["text"])
        for row in rows
    }


def scored(scorer: str, files: Sequence[Path], answers: dict[str, Answer], out: Path) -> Any:
    """What the scorer says of answers, written as it wants them."""
    lines = []
    for question_id, answer in answers.items():
        row = answer.model_dump(mode="json", include={"text", "status", "confidence"})
        row |= {"id": question_id, "seconds": answer.timings["total"]}
        row["citations"] = [{"article_id": c.article_id} for c in answer.citations]
        row["hits"] = [{"title": hit.title, "text": hit.text} for hit in answer.hits]
        lines.append(row)
    write_lines(out, lines)
    command = [sys.executable, NEWS / scorer, *files, out, "--json"]
    run = subprocess.run([str(p) for p in command], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def figures(
    dataset: Dataset, answers: dict[str, Answer], news: dict[str, Article]
) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
    """Our figures of the same answers, and the numbers of questions."""
    results = [
        QuestionResult(
            question_id=question.question_id, kind=question.kind, form=question.form,
            metrics=answer_metrics(question, answers[question.question_id], news.get),
        )
        for question in dataset.questions
    ]  # fmt: skip
    metrics, _ = summary(results)
    numbers = {kind: sum(result.kind == kind for result in results) for kind in metrics}
    return metrics, numbers | {dataset.questions[0].form or "": len(results)}


@pytest.mark.slow
@needs_news
def test_figures_of_a_quiz_are_those_of_the_scorer(
    news: dict[str, Article], tmp_path: Path
) -> None:
    dataset = read_dataset(NEWS / "questions.jsonl", news.get)
    draw, answers = random.Random(5), {}
    for question in dataset.questions:
        quiz = question.quiz
        assert quiz is not None
        some = draw.sample(quiz.choices, draw.choice((0, 1, 1, 2)))
        article = news[draw.choice(quiz.gold_articles)]
        at = draw.randrange(len(article.text))
        text = f"It was <i>{'</i> and the '.join(some)}</i>, [1] {article.text[at : at + 300]}"
        sources = [news[draw.choice(list(news))], article, *draw.sample(list(news.values()), 4)]
        draw.shuffle(sources)
        answers[question.question_id] = made(
            text, [],
            status=draw.choice((AnswerStatus.ANSWERED,) * 3 + (AnswerStatus.NO_ANSWER,)),
            confidence=draw.choice((round(draw.random(), 2), None)),
            hits=tuple(hit(one.text[:2000], title=one.title) for one in sources),
            timings={"total": draw.random()},
        )  # fmt: skip
    files = [NEWS / "questions.jsonl", NEWS / "articles.jsonl"]
    theirs = scored("score_quiz.py", files, answers, tmp_path / "answers.jsonl")
    ours, numbers = figures(dataset, answers, news)
    assert (numbers["recent"], numbers["quiz"]) == (theirs["recent"]["n"], theirs["all"]["n"])
    for kind, name in (("recent", "recent"), ("quiz", "all")):
        same = {
            "right": "right", "wrong_choice": "wrong_choice_only", "both": "both",
            "refused": "refused", "no_answer_rate": "refused", "hit@1": "hit_1", "hit@5": "hit_5",
            "words": "words", "seconds_total": "seconds", "confidence_auroc": "auroc",
        }  # fmt: skip
        assert {key: round(ours[kind][key], 3) for key in same} == {
            key: theirs[name][other] for key, other in same.items()
        }


@needs_news
def test_figures_of_broad_answers_are_those_of_the_scorer(
    news: dict[str, Article], tmp_path: Path
) -> None:
    dataset = read_dataset(NEWS / "broad.jsonl", news.get)
    draw, answers = random.Random(7), {}
    for question in dataset.questions:
        broad = question.broad
        assert broad is not None
        phrases = [draw.choice(group) for nugget in broad.nuggets for group in nugget.match]
        said = draw.sample(phrases, draw.randrange(len(phrases) + 1))
        said += draw.sample(broad.forbidden, min(len(broad.forbidden), draw.randrange(2)))
        article = news[draw.choice(broad.articles or tuple(news))]
        text = " ".join([*said, article.text[: draw.choice((0, 500, 9000))]])
        if draw.random() < 0.15:
            text = draw.choice(("", "The articles don't say.", "Nothing is in the archive on it."))
        cited = draw.sample(list(news), draw.randrange(3)) + draw.choices(
            broad.articles or tuple(news), k=draw.randrange(4)
        )
        answers[question.question_id] = made(
            text, [],
            status=draw.choice((AnswerStatus.ANSWERED,) * 7 + (AnswerStatus.NO_ANSWER,)),
            citations=tuple(quoted(article_id) for article_id in cited),
            timings={"total": draw.random()},
        )  # fmt: skip
    out = tmp_path / "answers.jsonl"
    theirs = scored("score_broad.py", [NEWS / "broad.jsonl"], answers, out)["by_kind"]
    ours, numbers = figures(dataset, answers, news)
    assert len(theirs) == 9
    for kind, expected in theirs.items():
        found = ours["broad" if kind == "ALL" else kind]
        assert numbers["broad" if kind == "ALL" else kind] == expected["questions"]
        same = {
            "vital_recall": "recall_vital", "nugget_recall": "recall_all",
            "vital_recall_by_question": "macro_vital", "all_vital": "all_vital",
            "citation_precision": "cit_ok", "words": "words", "seconds_total": "seconds",
        }  # fmt: skip
        assert {name: found[name] for name in same} == {
            name: pytest.approx(expected[other]) for name, other in same.items()
        }
        counted = {
            "forbidden": ("forbidden", "questions"),
            "wrongly_refused": ("wrong_refusals", "answerable"),
            "rightly_refused": ("right_refusals", "no_answer"),
        }
        for name, (count, of) in counted.items():
            assert found.get(name, 0.0) * expected[of] == pytest.approx(expected[count])
