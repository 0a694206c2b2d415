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
WEIGHTS = {
    "vital_recall": "n_vital",
    "nugget_recall": "n_nuggets",
    "citation_precision": "n_citations",
}
"""Figures that are shares of a number of things, and the figure that is this number: a question
weighs as much in their means as it has of them, where it tells."""
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
    """Mean of each figure over the questions that have it, weighed by `WEIGHTS`."""
    return {name: _mean(name, rows) for name in _names(rows)}


def _mean(name: str, rows: Sequence[Mapping[str, float]]) -> float:
    held = [row for row in rows if name in row]
    return float(np.average([row[name] for row in held], weights=_weights(name, held)))


def _names(rows: Sequence[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _weights(name: str, rows: Sequence[Mapping[str, float]]) -> list[float]:
    count = WEIGHTS.get(name, "")
    return [row.get(count, 1.0) for row in rows]


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
    clusters = _drawn_together(clusters)
    bounds = {}
    for name in _names(rows):
        places = [place for place, row in enumerate(rows) if name in row]
        held, drawn = [rows[place] for place in places], [clusters[place] for place in places]
        bounds[name] = _bounds(_resampled(name, held, drawn, seed))
    return bounds


def interval_of_difference(
    name: str,
    now: Sequence[Mapping[str, float]],
    before: Sequence[Mapping[str, float]],
    clusters: Sequence[str],
    *,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % confidence interval of how much the mean of a figure grew, from pairs of questions.

    Args:
        name: The figure, which every row has.
        now, before: The figures of each question, in the same order.
        clusters: As for `intervals`; the same are drawn for both.
        seed: Of the draws.
    """
    clusters = _drawn_together(clusters)
    means = [_resampled(name, rows, clusters, seed) for rows in (now, before)]
    return _bounds(means[0] - means[1])


def _drawn_together(clusters: Sequence[str]) -> Sequence[str]:
    if len(set(clusters)) == 1:
        return [str(number) for number in range(len(clusters))]
    return clusters


def _bounds(means: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _resampled(
    name: str, rows: Sequence[Mapping[str, float]], clusters: Sequence[str], seed: int
) -> NDArray[np.float64]:
    """Means of a figure in `N_RESAMPLES` draws of as many clusters as there are."""
    _, member = np.unique(np.array(clusters), return_inverse=True)
    weights = np.array(_weights(name, rows))
    values = np.array([row[name] for row in rows])
    sizes = np.bincount(member, weights=weights)
    sums = np.bincount(member, weights=weights * values)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=N_RESAMPLES)
    means: NDArray[np.float64] = (times @ sums) / (times @ sizes)
    return means
