"""Fit the confidence of a pair of embedding and language model: how likely is an answer right?

    rag eval DATASET --index NAME --log answers.jsonl   (with RAG_MIN_EVIDENCE=0.2)
    python tools/fit_confidence.py --set DATASET NAME answers.jsonl [--set …] [--picture]

Several sets, each with its index and log, are fitted together. Of a dataset those questions count
whose answers are right or wrong: with spans, or of a quiz. The pair is that of the indexes and of
the setting `model` (RAG_MODEL); the file goes to where it is found by their names,
`rag/answering/calibration/EMBEDDING--LLM.json`. A pair that has none yet is asked every question,
whatever RAG_MIN_EVIDENCE says; RAG_MIN_CONFIDENCE=0 keeps answers that would not be given.

Two logistic regressions, cross-validated by article and, for a quiz, by week: `evidence` on every
question (does what the model is given hold a gold answer or the right choice; kinds without gold
answers count as wrong, `unanswerable` ones are reported, not fitted to), and `answer` on the logged
answers (are they right). Their signals are named in `tools/confidence_rows.py`. `min_evidence` is
the likelihood of the evidence below which --refused of the questions fall that the articles answer;
`min_confidence` is what is given, and the table says what each would cost.
"""

from __future__ import annotations

import argparse
import datetime
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from confidence_rows import Array, QuestionSet, Rows, answer_rows, answered, evidence_rows, is_right
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from rag.answering.confidence import Calibration, Logistic, calibration_name
from rag.engine import Rag
from rag.errors import DatasetError, RagError
from rag.evaluation import auroc, read_dataset, risk_coverage

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "rag" / "answering" / "calibration"
PICTURES = ROOT / "docs" / "images"
ANSWERED_BY_THE_ARTICLES = ("answerable", "recent")
FOLDS = 8
LIMITS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Values of `min_confidence` whose price is told."""


def fit(rows: Rows, used: NDArray[np.bool_], *, balanced: bool = False) -> tuple[Logistic, Array]:
    """Coefficients with their figures, and each row's probability with its group left out.

    Args:
        rows: What is told apart.
        used: Which rows are fitted to.
        balanced: Every set weighs the same, however many questions it has.
    """
    scale = rows.x[used].std(axis=0) + 1e-9
    weights = _weights(rows) if balanced else np.ones(len(rows.right))
    probability = np.zeros(len(rows.right))
    model = LogisticRegression(C=0.3, max_iter=2000)
    n_folds = min(FOLDS, len(np.unique(rows.group)))
    for train, test in GroupKFold(n_folds).split(rows.x, rows.right, rows.group):
        train = train[used[train]]
        model.fit(rows.x[train] / scale, rows.right[train], weights[train])
        probability[test] = model.predict_proba(rows.x[test] / scale)[:, 1]
    model.fit(rows.x[used] / scale, rows.right[used], weights[used])
    coefficients = {
        name: round(float(weight), 3)
        for name, weight in zip(rows.names, model.coef_[0] / scale, strict=True)
    }
    intercept = round(float(model.intercept_[0]), 3)
    told = figures(rows, probability)
    return Logistic(intercept=intercept, weights=coefficients, figures=told), probability


def _weights(rows: Rows) -> Array:
    names, member, counts = np.unique(rows.set, return_inverse=True, return_counts=True)
    return np.asarray(len(rows.right) / len(names) / counts[member], dtype=np.float64)


def limit(rows: Rows, likely: Array, refused: float) -> float:
    """The likelihood of the evidence below which a share of the answered questions falls."""
    answered_by = np.isin(rows.kind, ANSWERED_BY_THE_ARTICLES)
    return round(float(np.quantile(likely[answered_by], refused)), 2)


def figures(rows: Rows, probability: Array) -> dict[str, Any]:
    """How well a probability tells kinds, and right from wrong."""
    kinds = [str(kind) for kind in np.unique(rows.kind)]
    result: dict[str, Any] = {"n": {kind: int((rows.kind == kind).sum()) for kind in kinds}}
    answerable = rows.kind == "answerable"
    parts = {
        "right_auroc": (answerable & rows.right, answerable & ~rows.right),
        "off-corpus_auroc": (answerable, rows.kind == "off-corpus"),
        "unanswerable_auroc": (answerable, rows.kind == "unanswerable"),
    }
    for kind in ("recent", "old"):
        of_kind = rows.kind == kind
        parts[f"{kind}_auroc"] = (of_kind & rows.right, of_kind & ~rows.right)
    for name, (ours, theirs) in parts.items():
        if ours.any() and theirs.any():
            result[name] = _auroc(probability, ours, theirs)
    return result


def _auroc(probability: Array, ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    return round(auroc(probability[ours].tolist(), probability[theirs].tolist()), 3)


def refused_share(sets: list[QuestionSet], evidence: Logistic, min_evidence: float) -> float:
    """Right answers as a share of the likelihood of their evidence, where that is refused.

    0 where the logs have no such answers: then nothing says that any would have been right.
    """
    likely = right = 0.0
    for asked in sets:
        for question, logged in answered(asked):
            signals = logged.answer.signals
            before = evidence.probability(signals) if signals else 1.0
            if before < min_evidence:
                likely += before
                right += is_right(asked, question, logged)
    return round(right / likely, 3) if likely else 0.0


def told(title: str, rows: Rows, probability: Array) -> str:
    """By set and kind: how many are right, how well that is told, and what a limit would cost.

    Below each limit the share of right answers that are lost, and of wrong ones that are kept.
    """
    heads = [f"{value:g}" for value in LIMITS]
    lines = [
        f"| {title} | n | right | AUROC | {' | '.join(heads)} |",
        f"|---|---|---|---|{'---|' * len(LIMITS)}",
    ]
    for name, kind in sorted(set(zip(rows.set.tolist(), rows.kind.tolist(), strict=True))):
        chosen = (rows.set == name) & (rows.kind == kind)
        right, wrong = chosen & rows.right, chosen & ~rows.right
        tells = _auroc(probability, right, wrong) if right.any() and wrong.any() else "–"
        prices = [
            f"{_share(probability[right] < value)} / {_share(probability[wrong] >= value)}"
            for value in LIMITS
        ]
        lines.append(
            f"| {name} {kind} | {chosen.sum()} | {_share(rows.right[chosen])} | {tells}"
            f" | {' | '.join(prices)} |"
        )
    return "\n".join(lines)


def _share(flags: NDArray[np.bool_]) -> str:
    return f"{flags.mean():.2f}" if len(flags) else "–"


def draw(rows: Rows, probability: Array) -> None:
    """Reliability diagram and risk–coverage curve, of probabilities with the group left out."""
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
        (("recent",), "recent news", "#3d7a3d"),
    ):
        chosen = np.isin(rows.kind, kinds)
        if not chosen.any():
            continue
        curve = risk_coverage(probability[chosen].tolist(), rows.right[chosen].tolist())
        right.plot(*zip(*curve, strict=True), label=label, color=color)
    right.set(xlabel="share of questions answered", ylabel="share of answers that is wrong",
              title="Risk at coverage, the surest first", xlim=(0, 1), ylim=(0, 0.7))  # fmt: skip
    right.legend(frameon=False)
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture.savefig(PICTURES / "confidence.svg", metadata={"Date": None})


def calibrate(
    sets: list[QuestionSet], *, refused: float, min_confidence: float, balanced: bool
) -> tuple[Calibration, dict[str, tuple[Rows, Array]]]:
    """What is fitted; with the rows of both regressions and how likely each is right.

    Raises:
        DatasetError: the sets were not asked of one pair of models, or a log is of another version.
    """
    first = sets[0].rag
    made = first.index.manifest.embedder
    if any(asked.rag.index.manifest.embedder != made for asked in sets):
        raise DatasetError("the indexes were not made by one embedding model")
    before, after = evidence_rows(sets), answer_rows(sets)
    evidence, likely = fit(before, before.kind != "unanswerable", balanced=balanced)
    answer, sure = fit(after, np.ones(len(after.right), dtype=bool), balanced=balanced)
    min_evidence = limit(before, likely, refused)
    fitted_on = [
        f"{asked.dataset.name}: {len(asked.dataset.questions)} questions,"
        f" {(after.set == asked.dataset.name).sum()} answers,"
        f" {asked.rag.index.manifest.n_chunks} chunks"
        for asked in sets
    ]
    calibration = Calibration(
        embedding=calibration_name(made.model),
        embedding_sha256=made.sha256,
        llm=calibration_name(first.model),
        fitted_on=f"{'; '.join(fitted_on)}; {made.model} ({made.runtime})",
        fitted_at=datetime.date.today(),
        min_evidence=min_evidence,
        min_confidence=min_confidence,
        evidence=evidence,
        refused_share=refused_share(sets, evidence, min_evidence),
        answer=answer,
    )
    return calibration, {"evidence": (before, likely), "answer": (after, sure)}


def main() -> None:
    """Fit, print, write the file and, if wanted, the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--set", action="append", nargs=3, required=True, dest="sets",
        metavar=("DATASET", "INDEX", "LOG"), help="may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--refused", type=float, default=0.035, help="share of the questions with an answer"
    )
    parser.add_argument(
        "--min-confidence", type=float, default=0.0, help="below it an answer is not given"
    )
    parser.add_argument("--balanced", action="store_true", help="every set weighs the same")
    parser.add_argument("--folder", type=Path, default=TARGET, help="where the file is written")
    parser.add_argument("--picture", action="store_true", help="draw docs/images/confidence.svg")
    chosen = parser.parse_args()
    with ExitStack() as opened:
        sets = []
        for dataset, index, log in chosen.sets:
            rag = opened.enter_context(Rag.open(index))
            read = read_dataset(Path(dataset), rag.article)
            sets.append(QuestionSet.of(read, rag, Path(log)))
        calibration, rows = calibrate(
            sets, refused=chosen.refused, min_confidence=chosen.min_confidence,
            balanced=chosen.balanced,
        )  # fmt: skip
    if chosen.picture:
        draw(*rows["answer"])
    text = calibration.model_dump_json(indent=2) + "\n"
    (chosen.folder / calibration.file_name).write_text(text, encoding="utf-8")
    print(text)
    for title, (fitted, probability) in rows.items():
        print(told(title, fitted, probability), end="\n\n")


if __name__ == "__main__":
    try:
        main()
    except RagError as error:
        raise SystemExit(str(error)) from error
