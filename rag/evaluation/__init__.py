"""Evaluation: how good an index answers questions whose answers are known.

    from rag import Rag
    from rag.evaluation import evaluate, read_dataset

    with Rag.open("news") as rag:
        report = evaluate(rag, read_dataset(Path("my-questions"), rag.article))

Modules in the order of the flow:
    squad     when a text counts as holding a gold answer
    quiz      questions with choices and a day: right, wrong, refused
    premises  questions whose premise is false: answered as if it held, or not
    broad     questions that need many sentences: nuggets found, forbidden, cited
    remarks   questions whose answer somebody called wrong: still said so, or right now
    dataset   a question with what is known about its answer
    lines     fields of JSON lines
    indexed   whether the index holds an article
    spans     questions with their answers, as spans of the text that the index holds
    beir      questions with the articles that are relevant to them
    reading   files and folders of questions to a dataset
    metrics   figures of retrieval of one question, means, confidence intervals
    answers   figures of one answer, and of confidence
    log       answers kept as they come, so that a long run can go on
    report    what was found, and how two reports differ
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.engine import Rag
from rag.errors import DatasetError
from rag.evaluation.answers import answer_metrics as answer_metrics
from rag.evaluation.answers import auroc as auroc
from rag.evaluation.answers import risk_coverage as risk_coverage
from rag.evaluation.dataset import Dataset as Dataset
from rag.evaluation.dataset import EvalQuestion as EvalQuestion
from rag.evaluation.log import AnswerLog as AnswerLog
from rag.evaluation.metrics import DEPTH
from rag.evaluation.metrics import FoundSpan as FoundSpan
from rag.evaluation.metrics import intervals as intervals
from rag.evaluation.metrics import mean as mean
from rag.evaluation.metrics import retrieval_metrics as retrieval_metrics
from rag.evaluation.quiz import hit_metrics as hit_metrics
from rag.evaluation.quiz import said_metrics as said_metrics
from rag.evaluation.reading import read_dataset as read_dataset
from rag.evaluation.report import Change as Change
from rag.evaluation.report import EvaluationReport as EvaluationReport
from rag.evaluation.report import QuestionResult as QuestionResult
from rag.evaluation.report import compare as compare
from rag.evaluation.report import groups, summary
from rag.evaluation.report import read_report as read_report
from rag.evaluation.squad import holds as holds
from rag.retrieval import Hit

_BATCH = 64
# Several chunks of one article take one place where articles are counted.
_ARTICLE_DEPTH = 5 * DEPTH


def evaluate(
    rag: Rag,
    dataset: Dataset,
    *,
    answers: bool = False,
    log: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> EvaluationReport:
    """Search for every question of a dataset and measure what is found.

    Args:
        rag: An open index that holds the dataset's articles.
        dataset: From `read_dataset`.
        answers: Ask the questions too, and measure the answers.
        log: JSON Lines file to which every answer is added as it comes. Questions that it holds
            already, answered by the same version, model and settings, are not asked again.
        progress: Called with the numbers of questions done and of all.

    Returns:
        The report. Questions with nothing to find have no figures of retrieval but `top_score`.
        Of the questions of a quiz `hit@k` is of what a search of all articles finds; with
        `answers` of the hits shown with the answer, for which the time asked for counts.

    Raises:
        DatasetError: `log` is no such file.
    """
    started = time.perf_counter()
    results: list[QuestionResult] = []
    given = AnswerLog(log, rag) if answers else None
    k = _ARTICLE_DEPTH if any(question.relevant for question in dataset.questions) else DEPTH
    searching = 0.0
    for at in range(0, len(dataset.questions), _BATCH):
        batch = dataset.questions[at : at + _BATCH]
        began = time.perf_counter()
        found = rag.search_many([question.question for question in batch], k=k)
        searching += time.perf_counter() - began
        for question, hits in zip(batch, found, strict=True):
            metrics = _search_metrics(question, hits)
            if given is not None:
                metrics |= answer_metrics(question, given.answer(question), rag.article)
            results.append(
                QuestionResult(
                    question_id=question.question_id,
                    kind=question.kind,
                    form=question.form,
                    article_id=question.article_id,
                    metrics=metrics,
                )
            )
            if progress is not None:
                progress(len(results), len(dataset.questions))
    metrics_by_kind, bounds = summary(results)
    embedder = rag.index.manifest.embedder
    return EvaluationReport(
        dataset=dataset.name,
        index=rag.index.name,
        version=rag.index.version,
        embedder=f"{embedder.model} ({embedder.runtime})",
        model=rag.model if answers else None,
        n_questions={name: len(members) for name, members in groups(results).items()},
        n_lost=sum(question.lost for question in dataset.questions),
        left_out=dict(dataset.left_out),
        metrics=metrics_by_kind,
        intervals=bounds,
        seconds={
            "total": time.perf_counter() - started,
            "search": searching / max(len(results), 1),
        },
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


def of_kinds(dataset: Dataset, kinds: Sequence[str]) -> Dataset:
    """The questions of some kinds only; the name of a form takes all its kinds.

    Raises:
        DatasetError: a kind that no question is of.
    """
    known = {name for q in dataset.questions for name in (q.kind, q.form) if name}
    for kind in kinds:
        if kind not in known:
            raise DatasetError(
                f"no question of {dataset.name} is of the kind {kind!r}",
                mend=f"name one of: {', '.join(sorted(known))}",
            )
    chosen = tuple(
        question for question in dataset.questions if {question.kind, question.form} & set(kinds)
    )
    return dataset.model_copy(update={"questions": chosen})


def _search_metrics(question: EvalQuestion, hits: Sequence[Hit]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    if question.has_gold:
        spans = [FoundSpan(article_id=h.article_id, start=h.start, end=h.end) for h in hits]
        metrics |= retrieval_metrics(question, spans)
    if question.quiz is not None:
        metrics |= hit_metrics(question.quiz, hits)
    if hits:
        metrics["top_score"] = hits[0].score
    return metrics
