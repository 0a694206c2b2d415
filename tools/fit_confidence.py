"""Fit `rag/answering/confidence.json` and draw its pictures: how likely is an answer right?

    rag eval DATASET --index NAME --log answers.jsonl   (with RAG_MIN_EVIDENCE=0.2)
    python tools/fit_confidence.py DATASET --index NAME --log answers.jsonl

DATASET is a folder with `articles.jsonl` and `questions.jsonl`. Two logistic regressions,
cross-validated by article: `evidence` on every question (does what was found hold a gold answer;
kinds without gold answers count as wrong, `unanswerable` ones are reported, not fitted to), and
`answer` on the logged answers (does the answer contain a gold answer).
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from rag.answering.confidence import confidence, evidence_signals
from rag.answering.evidence import rank_sentences, select
from rag.engine import Rag
from rag.evaluation import Dataset, EvalQuestion, answer_metrics, auroc, read_dataset, risk_coverage
from rag.evaluation.log import LoggedAnswer
from rag.retrieval import retrieve

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "rag" / "confidence.json"
PICTURES = ROOT / "docs" / "images"
ANSWER_SIGNALS = ("cited_cosine", "cited_own_words", "cited_rank", "cited_words", "refusal")
BATCH = 200
FOLDS = 8

Array = NDArray[np.float64]


class Rows:
    """Questions with their signals and whether all went well, as arrays."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._signals: list[list[float]] = []
        self._right: list[bool] = []
        self._questions: list[EvalQuestion] = []

    def add(self, question: EvalQuestion, signals: dict[str, float], right: bool) -> None:
        """One question."""
        self._signals.append([signals[name] for name in self.names])
        self._right.append(right)
        self._questions.append(question)

    @property
    def x(self) -> Array:
        """Shape (n, signals)."""
        return np.array(self._signals)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Shape (n,)."""
        return np.array(self._right)

    @property
    def kind(self) -> NDArray[np.str_]:
        """Shape (n,)."""
        return np.array([question.kind for question in self._questions])

    @property
    def group(self) -> NDArray[np.int64]:
        """Which questions stand or fall together: those of one article."""
        keys = [question.article_id or question.question_id for question in self._questions]
        return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def evidence_rows(rag: Rag, dataset: Dataset) -> Rows:
    """The signals before the model is asked, and whether the evidence holds a gold answer."""
    rows: Rows | None = None
    index = rag.index
    for at in range(0, len(dataset.questions), BATCH):
        batch = dataset.questions[at : at + BATCH]
        texts = [question.question for question in batch]
        for question, found in zip(batch, retrieve(index, rag.embedder, texts, k=10), strict=True):
            ranked = rank_sentences(found)
            signals = evidence_signals(found, ranked)
            rows = rows or Rows(tuple(sorted(signals)))
            held = any(
                sentence.article.article_id == question.article_id
                and sentence.start <= answer.start
                and answer.end <= sentence.end
                for sentence in select(ranked, rag.settings.evidence_sentences)
                for answer in question.answers
            )
            rows.add(question, signals, held)
    assert rows is not None
    return rows


def refused_share(rag: Rag, dataset: Dataset, log: Path) -> float:
    """Right answers as a share of the likelihood of their evidence, where that is refused."""
    questions = {question.question_id: question for question in dataset.questions}
    likely = right = 0.0
    for line in log.read_text(encoding="utf-8").splitlines():
        logged = LoggedAnswer.model_validate_json(line)
        signals = logged.answer.signals
        if signals and confidence("evidence", signals) < rag.settings.min_evidence:
            likely += confidence("evidence", signals)
            found = answer_metrics(questions[logged.question_id], logged.answer, rag.article)
            right += found.get("contains", 0.0)
    return round(right / likely, 3) if likely else 1.0


def answer_rows(rag: Rag, dataset: Dataset, log: Path) -> Rows:
    """The signals of the logged answers, and whether they contain a gold answer."""
    questions = {question.question_id: question for question in dataset.questions}
    rows = Rows(ANSWER_SIGNALS)
    for line in log.read_text(encoding="utf-8").splitlines():
        logged = LoggedAnswer.model_validate_json(line)
        question, answer = questions[logged.question_id], logged.answer
        if set(ANSWER_SIGNALS) <= set(answer.signals):
            right = answer_metrics(question, answer, rag.article).get("contains", 0.0)
            rows.add(question, answer.signals, bool(right))
    return rows


def fit(rows: Rows, used: NDArray[np.bool_]) -> tuple[dict[str, Any], Array]:
    """Coefficients, and the probability of each row when its article was left out."""
    scale = rows.x[used].std(axis=0) + 1e-9
    probability = np.zeros(len(rows.right))
    model = LogisticRegression(C=0.3, max_iter=2000)
    for train, test in GroupKFold(FOLDS).split(rows.x, rows.right, rows.group):
        train = train[used[train]]
        fitted = model.fit(rows.x[train] / scale, rows.right[train])
        probability[test] = fitted.predict_proba(rows.x[test] / scale)[:, 1]
    model.fit(rows.x[used] / scale, rows.right[used])
    weights = {
        name: round(float(weight), 3)
        for name, weight in zip(rows.names, model.coef_[0] / scale, strict=True)
    }
    return {"intercept": round(float(model.intercept_[0]), 3), "weights": weights}, probability


def figures(rows: Rows, probability: Array) -> dict[str, Any]:
    """How well a probability tells kinds, and right from wrong."""
    answerable = rows.kind == "answerable"
    found = {"n": {str(kind): int((rows.kind == kind).sum()) for kind in np.unique(rows.kind)}}
    right = answerable & rows.right
    wrong = answerable & ~rows.right
    result: dict[str, Any] = {**found, "right_auroc": _auroc(probability, right, wrong)}
    for kind in ("off-corpus", "unanswerable"):
        result[f"{kind}_auroc"] = _auroc(probability, answerable, rows.kind == kind)
    return result


def _auroc(probability: Array, ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    return round(auroc(probability[ours].tolist(), probability[theirs].tolist()), 3)


def draw(rows: Rows, probability: Array) -> None:
    """Reliability diagram and risk–coverage curve, of probabilities with the article left out."""
    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams["svg.hashsalt"] = "rag"
    picture, (left, right) = pyplot.subplots(1, 2, figsize=(9, 4), layout="constrained")
    edges = np.quantile(probability, np.linspace(0, 1, 11))
    bins = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, 9)
    means = [float(probability[bins == b].mean()) for b in range(10)]
    shares = [float(rows.right[bins == b].mean()) for b in range(10)]
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    left.plot(means, shares, marker="o", color="#1f5fa8")
    left.set(xlabel="confidence", ylabel="share that is right", title="Reliability, tenths",
             xlim=(0, 1), ylim=(0, 1))  # fmt: skip
    for kinds, label, color in (
        (("answerable",), "answerable", "#1f5fa8"),
        (("answerable", "unanswerable", "off-corpus"), "all kinds", "#b4531f"),
    ):
        chosen = np.isin(rows.kind, kinds)
        curve = risk_coverage(probability[chosen].tolist(), rows.right[chosen].tolist())
        right.plot(*zip(*curve, strict=True), label=label, color=color)
    right.set(xlabel="share of questions answered", ylabel="share of answers that is wrong",
              title="Risk at coverage, the surest first", xlim=(0, 1), ylim=(0, 0.7))  # fmt: skip
    right.legend(frameon=False)
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture.savefig(PICTURES / "confidence.svg", metadata={"Date": None})


def main() -> None:
    """Fit, print, write the file and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--index", required=True)
    parser.add_argument("--log", type=Path, required=True)
    chosen = parser.parse_args()
    with Rag.open(chosen.index) as rag:
        dataset = read_dataset(chosen.dataset, rag.article)
        before = evidence_rows(rag, dataset)
        after = answer_rows(rag, dataset, chosen.log)
        share = refused_share(rag, dataset, chosen.log)
        manifest = rag.index.manifest
    evidence, likely = fit(before, before.kind != "unanswerable")
    answer, sure = fit(after, np.ones(len(after.right), dtype=bool))
    result = {
        "fitted_on": f"{dataset.name}: {len(before.right)} questions, {len(after.right)} answers,"
        f" {manifest.n_chunks} chunks, {manifest.embedder.model} ({manifest.embedder.runtime})",
        "fitted_at": datetime.date.today().isoformat(),
        "evidence": {**evidence, "figures": figures(before, likely)},
        "refused_share": share,
        "answer": {**answer, "figures": figures(after, sure)},
    }
    TARGET.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    draw(after, sure)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
