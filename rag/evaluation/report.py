"""What an evaluation found, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import DatasetError
from rag.evaluation.answers import auroc
from rag.evaluation.metrics import intervals, mean


class QuestionResult(BaseModel):
    """One question.

    Attributes:
        question_id, kind: Of the question.
        article_id: The article it is about, if there is one.
        metrics: Its figures by name; retrieval has none where nothing is to be found.
    """

    model_config = ConfigDict(frozen=True)

    question_id: str
    kind: str
    article_id: str | None = None
    metrics: dict[str, float] = Field(default_factory=dict)


class EvaluationReport(BaseModel):
    """The figures of one evaluation.

    Attributes:
        dataset: Name of the dataset's folder.
        index, version: What was searched.
        embedder: Model and runtime.
        model: The language model, if answers were measured.
        n_questions: How many, by kind.
        n_lost: Questions whose answer stands in what cleaning removed; they count as missed.
        metrics: By kind and name: means over the questions of the kind.
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
    metrics: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, tuple[float, float]]]
    seconds: dict[str, float]
    questions: tuple[QuestionResult, ...]


class Change(BaseModel):
    """How a figure differs from a stored one, over the questions that both have.

    Attributes:
        kind, metric: Which figure.
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


def summary(
    results: Sequence[QuestionResult],
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, tuple[float, float]]]]:
    """Means and intervals by kind."""
    metrics, bounds = {}, {}
    for kind in dict.fromkeys(result.kind for result in results):
        of_kind = [result for result in results if result.kind == kind]
        rows = [result.metrics for result in of_kind]
        metrics[kind] = mean(rows)
        bounds[kind] = intervals(rows, [cluster(result) for result in of_kind])
    for kind, figure in _confidence(results).items():
        metrics[kind]["confidence_auroc"] = figure
    return metrics, bounds


def _confidence(results: Sequence[QuestionResult]) -> dict[str, float]:
    """By kind: how well confidence tells right answers from wrong ones.

    For questions with gold answers: right against wrong answers, among those that were given. For
    other kinds: all questions with gold answers against all of the kind.
    """
    asked = [result for result in results if "confidence" in result.metrics]
    known = [result for result in asked if "contains" in result.metrics]
    figures = {}
    for kind in dict.fromkeys(result.kind for result in asked):
        of_kind = [result for result in known if result.kind == kind]
        if of_kind:
            given = [r.metrics for r in of_kind if not r.metrics["no_answer_rate"]]
            right = [m["confidence"] for m in given if m["contains"]]
            wrong = [m["confidence"] for m in given if not m["contains"]]
        else:
            right = [r.metrics["confidence"] for r in known]
            wrong = [r.metrics["confidence"] for r in asked if r.kind == kind]
        if right and wrong:
            figures[kind] = auroc(right, wrong)
    return figures


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
    pairs = [
        (result, stored[result.question_id])
        for result in now.questions
        if result.question_id in stored and stored[result.question_id].kind == result.kind
    ]
    if not pairs:
        raise DatasetError(f"the stored evaluation ({before.dataset}) has none of these questions")
    changes = []
    for kind in dict.fromkeys(one.kind for one, _ in pairs):
        of_kind = [pair for pair in pairs if pair[0].kind == kind]
        for name in now.metrics[kind]:
            both = [(a, b) for a, b in of_kind if name in a.metrics and name in b.metrics]
            if both:
                changes.append(_change(kind, name, both))
    return changes


def _change(kind: str, name: str, pairs: Sequence[tuple[QuestionResult, QuestionResult]]) -> Change:
    rows = [{name: one.metrics[name] - other.metrics[name]} for one, other in pairs]
    low, high = intervals(rows, [cluster(one) for one, _ in pairs])[name]
    return Change(
        kind=kind,
        metric=name,
        before=mean([other.metrics for _, other in pairs])[name],
        now=mean([one.metrics for one, _ in pairs])[name],
        low=low,
        high=high,
        verdict="better" if low > 0 else "worse" if high < 0 else "same",
    )
