"""What an evaluation found, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import DatasetError
from rag.evaluation.answers import auroc
from rag.evaluation.metrics import interval_of_difference, intervals, mean


class QuestionResult(BaseModel):
    """One question.

    Attributes:
        question_id, kind, form: Of the question.
        article_id: The article it is about, if there is one.
        metrics: Its figures by name; retrieval has none where nothing is to be found.
    """

    model_config = ConfigDict(frozen=True)

    question_id: str
    kind: str
    form: str | None = None
    article_id: str | None = None
    metrics: dict[str, float] = Field(default_factory=dict)


class EvaluationReport(BaseModel):
    """The figures of one evaluation.

    Attributes:
        dataset: Name of the dataset's folder.
        index, version: What was searched.
        embedder: Model and runtime.
        model: The language model, if answers were measured.
        n_questions: How many, by kind, and by form (`groups`).
        n_lost: Questions whose answer stands in what cleaning removed; they count as missed.
        left_out: Why questions of the dataset were not asked, and how many.
        metrics: By kind or form and name: means over its questions.
        intervals: Their 95 % confidence intervals (`rag.evaluation.metrics.intervals`).
        seconds: `total`, and `search`: per question.
        questions: Each question on its own, so that two reports can be compared in pairs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    index: str
    version: int
    embedder: str
    model: str | None = None
    n_questions: dict[str, int]
    n_lost: int
    left_out: dict[str, int] = Field(default_factory=dict)
    metrics: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, tuple[float, float]]]
    seconds: dict[str, float]
    questions: tuple[QuestionResult, ...]


class Change(BaseModel):
    """How a figure differs from a stored one, over the questions that both have.

    Attributes:
        kind, metric: Which figure, of which kind or form.
        before, now: Its means.
        low, high: 95 % confidence interval of the difference, from pairs of the same question.
        verdict: `better` or `worse` where the interval leaves out 0.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    metric: str
    before: float
    now: float
    low: float
    high: float
    verdict: Literal["better", "same", "worse"]


def groups(results: Sequence[QuestionResult]) -> dict[str, list[QuestionResult]]:
    """The questions of each kind; and of each form that has several kinds, all of them."""
    by_name: dict[str, list[QuestionResult]] = {}
    for result in results:
        by_name.setdefault(result.kind, []).append(result)
    for form in dict.fromkeys(result.form for result in results if result.form):
        of_form = [result for result in results if result.form == form]
        if len({result.kind for result in of_form}) > 1:
            by_name[form] = of_form
    return by_name


def summary(
    results: Sequence[QuestionResult],
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, tuple[float, float]]]]:
    """Means and intervals, by kind and form."""
    metrics, bounds = {}, {}
    for name, members in groups(results).items():
        rows = [result.metrics for result in members]
        metrics[name] = mean(rows)
        bounds[name] = intervals(rows, [cluster(result) for result in members])
        if (figure := _confidence_auroc(members, results)) is not None:
            metrics[name]["confidence_auroc"] = figure
    return metrics, bounds


def _confidence_auroc(
    members: Sequence[QuestionResult], results: Sequence[QuestionResult]
) -> float | None:
    """How well confidence tells right answers from wrong ones; None where nothing is to be told.

    For questions with gold answers: right against wrong answers, among those that were given. For
    forms that tell which answer is right: right answers against all others, refusals among them.
    For other kinds: all questions with gold answers against all of the kind.
    """
    asked = [result.metrics for result in members if "confidence" in result.metrics]
    if any("contains" in metrics for metrics in asked):
        given = [m for m in asked if "contains" in m and not m["no_answer_rate"]]
        right, wrong = _parted("contains", given)
    elif any("right" in metrics for metrics in asked):
        right, wrong = _parted("right", [m for m in asked if "right" in m])
    else:
        known = [r.metrics for r in results if {"confidence", "contains"} <= set(r.metrics)]
        right, wrong = ([m["confidence"] for m in some] for some in (known, asked))
    return auroc(right, wrong) if right and wrong else None


def _parted(name: str, rows: Sequence[Mapping[str, float]]) -> tuple[list[float], list[float]]:
    """The confidences where a flag is set, and where it is not."""
    right = [row["confidence"] for row in rows if row[name]]
    return right, [row["confidence"] for row in rows if not row[name]]


def cluster(result: QuestionResult) -> str:
    """What a question is drawn with: its article."""
    return result.article_id or f"question {result.question_id}"


def read_report(path: Path) -> EvaluationReport:
    """A report stored as JSON.

    Raises:
        DatasetError: it is none.
    """
    try:
        return EvaluationReport.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise DatasetError(
            f"{path} is no stored evaluation: {error.errors()[0]['msg']}",
            mend=f"rag eval DATASET --index NAME --json > {path}",
        ) from error


def compare(now: EvaluationReport, before: EvaluationReport) -> list[Change]:
    """How the figures changed, question by question.

    Raises:
        DatasetError: the two have no question in common.
    """
    stored: Mapping[str, QuestionResult] = {item.question_id: item for item in before.questions}
    pairs = {
        result.question_id: (result, stored[result.question_id])
        for result in now.questions
        if result.question_id in stored and stored[result.question_id].kind == result.kind
    }
    if not pairs:
        raise DatasetError(f"the stored evaluation ({before.dataset}) has none of these questions")
    changes = []
    for group, members in groups([one for one, _ in pairs.values()]).items():
        of_group = [pairs[result.question_id] for result in members]
        for name in now.metrics[group]:
            both = [(a, b) for a, b in of_group if name in a.metrics and name in b.metrics]
            if both:
                changes.append(_change(group, name, both))
    return changes


def _change(kind: str, name: str, pairs: Sequence[tuple[QuestionResult, QuestionResult]]) -> Change:
    now, before = ([result.metrics for result in side] for side in zip(*pairs, strict=True))
    low, high = interval_of_difference(name, now, before, [cluster(one) for one, _ in pairs])
    return Change(
        kind=kind,
        metric=name,
        before=mean(before)[name],
        now=mean(now)[name],
        low=low,
        high=high,
        verdict="better" if low > 0 else "worse" if high < 0 else "same",
    )
