"""Figures of retrieval: hit@k, MRR, nDCG, with confidence intervals.

What counts as found is decided by span coverage, so that any way of cutting articles can be
compared: a hit is right if it lies in the right article and covers a whole answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from rag.evaluation.dataset import EvalQuestion

DEPTH = 10
"""Hits that are looked at."""
RETRIEVAL_METRICS = ("hit@1", "hit@3", "hit@5", "hit@10", "mrr@10", "ndcg@10")
N_RESAMPLES = 2000
CONFIDENCE = 0.95


class FoundSpan(BaseModel):
    """What a retriever returned: [start, end) of an article's text, in characters."""

    model_config = ConfigDict(frozen=True)

    article_id: str
    start: int
    end: int


def gains(question: EvalQuestion, found: Sequence[FoundSpan]) -> list[float]:
    """What each of the first `DEPTH` results is worth.

    With answers: 1 for the first span that covers one of them whole, 0 for all others (what
    repeats it adds nothing). With relevant articles: the grade of an article where it appears
    first; further spans of the same article take no place.
    """
    if question.relevant:
        articles = list(dict.fromkeys(span.article_id for span in found))[:DEPTH]
        return [float(max(question.relevant.get(article_id, 0), 0)) for article_id in articles]
    right = [
        span.article_id == question.article_id
        and any(span.start <= gold.start and gold.end <= span.end for gold in question.answers)
        for span in found[:DEPTH]
    ]
    first = right.index(True) if True in right else None
    return [float(rank == first) for rank in range(len(right))]


def retrieval_metrics(question: EvalQuestion, found: Sequence[FoundSpan]) -> dict[str, float]:
    """The `RETRIEVAL_METRICS` of one question, each in [0, 1].

    nDCG as in Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", ACM
    TOIS 2002, with linear gain and log2(rank + 1), as trec_eval has it.
    """
    values = gains(question, found)
    rank = next((rank for rank, gain in enumerate(values, 1) if gain > 0), None)
    grades = [float(grade) for grade in question.relevant.values() if grade > 0] or [1.0]
    ideal = _dcg(sorted(grades, reverse=True)[:DEPTH])
    metrics = {f"hit@{k}": float(rank is not None and rank <= k) for k in (1, 3, 5, 10)}
    return metrics | {
        f"mrr@{DEPTH}": 1.0 / rank if rank else 0.0,
        f"ndcg@{DEPTH}": _dcg(values) / ideal,
    }


def _dcg(values: Sequence[float]) -> float:
    return float(sum(gain / np.log2(rank + 1) for rank, gain in enumerate(values, 1)))


def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each figure over the questions that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


def intervals(
    rows: Sequence[Mapping[str, float]], clusters: Sequence[str], *, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """95 % confidence interval of each mean, by the percentile bootstrap.

    Articles are drawn, each with all its questions: questions on one article stand or fall
    together, and the interval is to hold for other articles (Field and Welsh, "Bootstrapping
    clustered data", JRSS B 2007).

    Args:
        rows: The figures of each question.
        clusters: The article of each question; where all have the same, questions are drawn.
        seed: Of the draws.
    """
    if len(set(clusters)) == 1:
        clusters = [str(number) for number in range(len(rows))]
    bounds = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        held = [(row[name], cluster) for row, cluster in zip(rows, clusters, strict=True)
                if name in row]  # fmt: skip
        values = np.array([value for value, _ in held])
        means = _resampled([cluster for _, cluster in held], values, seed)
        low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        bounds[name] = (float(low), float(high))
    return bounds


def _resampled(
    clusters: Sequence[str], values: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Means of `N_RESAMPLES` draws of as many clusters as there are."""
    _, member = np.unique(np.array(clusters), return_inverse=True)
    sizes = np.bincount(member)
    sums = np.bincount(member, weights=values)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=N_RESAMPLES)
    means: NDArray[np.float64] = (times @ sums) / (times @ sizes)
    return means
