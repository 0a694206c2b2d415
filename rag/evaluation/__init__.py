"""Evaluation: how good an index answers questions whose answers are known.

    from rag import Rag
    from rag.evaluation import evaluate, read_dataset

    with Rag.open("news") as rag:
        report = evaluate(rag, read_dataset(Path("my-questions"), rag.article))

Modules in the order of the flow:
    dataset   questions with their answers, as spans of the text that the index holds
    metrics   figures of one question, means, confidence intervals
    report    what was found, and how two reports differ
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from rag.engine import Rag
from rag.evaluation.dataset import Dataset as Dataset
from rag.evaluation.dataset import EvalQuestion as EvalQuestion
from rag.evaluation.dataset import read_dataset as read_dataset
from rag.evaluation.metrics import DEPTH
from rag.evaluation.metrics import FoundSpan as FoundSpan
from rag.evaluation.metrics import intervals as intervals
from rag.evaluation.metrics import mean as mean
from rag.evaluation.metrics import retrieval_metrics as retrieval_metrics
from rag.evaluation.report import Change as Change
from rag.evaluation.report import EvaluationReport as EvaluationReport
from rag.evaluation.report import QuestionResult as QuestionResult
from rag.evaluation.report import compare as compare
from rag.evaluation.report import read_report as read_report
from rag.evaluation.report import summary
from rag.retrieval import Hit

_BATCH = 64
# Several chunks of one article take one place where articles are counted.
_ARTICLE_DEPTH = 5 * DEPTH


def evaluate(
    rag: Rag, dataset: Dataset, *, progress: Callable[[int, int], None] | None = None
) -> EvaluationReport:
    """Search for every question of a dataset and measure what is found.

    Args:
        rag: An open index that holds the dataset's articles.
        dataset: From `read_dataset`.
        progress: Called with the numbers of questions done and of all.

    Returns:
        The report. Questions with nothing to find have the figure `top_score` only.
    """
    started = time.perf_counter()
    results: list[QuestionResult] = []
    k = _ARTICLE_DEPTH if any(question.relevant for question in dataset.questions) else DEPTH
    for at in range(0, len(dataset.questions), _BATCH):
        batch = dataset.questions[at : at + _BATCH]
        found = rag.search_many([question.question for question in batch], k=k)
        results += [_result(question, hits) for question, hits in zip(batch, found, strict=True)]
        if progress is not None:
            progress(len(results), len(dataset.questions))
    total = time.perf_counter() - started
    metrics, bounds = summary(results)
    embedder = rag.index.manifest.embedder
    return EvaluationReport(
        dataset=dataset.name,
        index=rag.index.name,
        version=rag.index.version,
        embedder=f"{embedder.model} ({embedder.runtime})",
        n_questions={kind: sum(r.kind == kind for r in results) for kind in metrics},
        n_lost=sum(question.lost for question in dataset.questions),
        metrics=metrics,
        intervals=bounds,
        seconds={"total": total, "search": total / max(len(results), 1)},
        questions=tuple(results),
    )


def sample(dataset: Dataset, n: int, *, seed: int = 0) -> Dataset:
    """N questions of a dataset, drawn by chance, in their order; all if it has no more."""
    if n >= len(dataset.questions):
        return dataset
    chosen = sorted(random.Random(seed).sample(range(len(dataset.questions)), n))
    return dataset.model_copy(
        update={"questions": tuple(dataset.questions[place] for place in chosen)}
    )


def _result(question: EvalQuestion, hits: Sequence[Hit]) -> QuestionResult:
    metrics: dict[str, float] = {}
    if question.has_gold:
        spans = [FoundSpan(article_id=h.article_id, start=h.start, end=h.end) for h in hits]
        metrics |= retrieval_metrics(question, spans)
    if hits:
        metrics["top_score"] = hits[0].score
    return QuestionResult(
        question_id=question.question_id,
        kind=question.kind,
        article_id=question.article_id,
        metrics=metrics,
    )
