"""Fit the confidence of a pair of embedding and language model: how likely is an answer right?

    rag eval DATASET --index NAME --log answers.jsonl   (with RAG_MIN_EVIDENCE=0.2)
    python tools/fit_confidence.py DATASET --index NAME --log answers.jsonl [--picture]

The pair is that of the index and of the setting `model` (RAG_MODEL); the file goes to where it is
found by their names, `rag/answering/calibration/EMBEDDING--LLM.json`. A pair that has none yet is
asked every question, whatever RAG_MIN_EVIDENCE says. DATASET is a folder with `articles.jsonl` and
`questions.jsonl`. Two logistic regressions,
cross-validated by article: `evidence` on every question (does what was found hold a gold answer;
kinds without gold answers count as wrong, `unanswerable` ones are reported, not fitted to), and
`answer` on the logged answers (does the answer contain a gold answer). `min_evidence` is the
likelihood of the evidence below which --refused of the answerable questions fall.
"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from rag.answering.confidence import (
    Calibration,
    Logistic,
    calibration_name,
    evidence_signals,
)
from rag.answering.evidence import rank_sentences, select
from rag.engine import Rag
from rag.evaluation import Dataset, EvalQuestion, answer_metrics, auroc, read_dataset, risk_coverage
from rag.evaluation.log import LoggedAnswer
from rag.retrieval import retrieve

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "rag" / "answering" / "calibration"
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


def refused_share(
    rag: Rag, dataset: Dataset, log: Path, evidence: Logistic, min_evidence: float
) -> float:
    """Right answers as a share of the likelihood of their evidence, where that is refused.

    0 where the log has no such answers: then nothing says that any would have been right.
    """
    questions = {question.question_id: question for question in dataset.questions}
    likely = right = 0.0
    for line in log.read_text(encoding="utf-8").splitlines():
        logged = LoggedAnswer.model_validate_json(line)
        signals = logged.answer.signals
        before = evidence.probability(signals) if signals else 1.0
        if before < min_evidence:
            likely += before
            found = answer_metrics(questions[logged.question_id], logged.answer, rag.article)
            right += found.get("contains", 0.0)
    return round(right / likely, 3) if likely else 0.0


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


def fit(rows: Rows, used: NDArray[np.bool_]) -> tuple[Logistic, Array]:
    """Coefficients with their figures, and each row's probability with its article left out."""
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
    intercept = round(float(model.intercept_[0]), 3)
    told = figures(rows, probability)
    return Logistic(intercept=intercept, weights=weights, figures=told), probability


def limit(rows: Rows, likely: Array, refused: float) -> float:
    """The likelihood of the evidence below which a share of the answerable questions falls."""
    return round(float(np.quantile(likely[rows.kind == "answerable"], refused)), 2)


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
    import matplotlib

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


def calibrate(
    rag: Rag, dataset: Dataset, log: Path, refused: float
) -> tuple[Calibration, Rows, Array]:
    """What is fitted; with the logged answers and how likely each is right, for the picture."""
    before, after = evidence_rows(rag, dataset), answer_rows(rag, dataset, log)
    evidence, likely = fit(before, before.kind != "unanswerable")
    answer, sure = fit(after, np.ones(len(after.right), dtype=bool))
    min_evidence = limit(before, likely, refused)
    made = rag.index.manifest.embedder
    calibration = Calibration(
        embedding=calibration_name(made.model),
        embedding_sha256=made.sha256,
        llm=calibration_name(rag.model),
        fitted_on=f"{dataset.name}: {len(before.right)} questions, {len(after.right)} answers,"
        f" {rag.index.manifest.n_chunks} chunks, {made.model} ({made.runtime})",
        fitted_at=datetime.date.today(),
        min_evidence=min_evidence,
        evidence=evidence,
        refused_share=refused_share(rag, dataset, log, evidence, min_evidence),
        answer=answer,
    )
    return calibration, after, sure


def main() -> None:
    """Fit, print, write the file and, if wanted, the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--index", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument(
        "--refused", type=float, default=0.035, help="share of answerable questions"
    )
    parser.add_argument("--folder", type=Path, default=TARGET, help="where the file is written")
    parser.add_argument("--picture", action="store_true", help="draw docs/images/confidence.svg")
    chosen = parser.parse_args()
    with Rag.open(chosen.index) as rag:
        dataset = read_dataset(chosen.dataset, rag.article)
        calibration, answers, sure = calibrate(rag, dataset, chosen.log, chosen.refused)
    if chosen.picture:
        draw(answers, sure)
    text = calibration.model_dump_json(indent=2) + "\n"
    (chosen.folder / calibration.file_name).write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
