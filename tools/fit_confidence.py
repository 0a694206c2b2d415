"""Fit `rag/confidence.json`: when do the passages found answer the question?

    python tools/fit_confidence.py DATASET --index NAME

DATASET is a folder with `articles.jsonl` and `questions.jsonl` (kinds `answerable` and
`off-corpus`; others are reported, not fitted to), NAME an index of its articles. An answerable
question counts as answered if the evidence holds a gold answer. Cross-validated by article.
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from rag.confidence import signals
from rag.engine import Rag
from rag.evidence import rank_sentences, select
from rag.retrieval import QuestionTerms, retrieve

TARGET = Path(__file__).parent.parent / "rag" / "confidence.json"
BATCH = 200


def collect(rag: Rag, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The signals of every question, and whether its evidence holds a gold answer."""
    rows = []
    for at in range(0, len(questions), BATCH):
        batch = questions[at : at + BATCH]
        texts = [question["question"] for question in batch]
        index, embedder = rag.index, rag.embedder
        for question, found in zip(batch, retrieve(index, embedder, texts, k=10), strict=True):
            text = question["question"]
            ranked = rank_sentences(found, QuestionTerms(text, index.lexical))
            held = any(
                sentence.article.article_id == question["article_id"]
                and sentence.start <= answer["start"]
                and answer["end"] <= sentence.end
                for sentence in select(ranked, 5)
                for answer in question["answers"]
            )
            rows.append(
                {**question, "held": held, "signals": signals(text, found, ranked, index.lexical)}
            )
        print(f"{len(rows)} of {len(questions)} questions", end="\r", flush=True)
    print()
    return rows


def fit(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Coefficients, with cross-validated figures."""
    names = sorted(rows[0]["signals"])
    x = np.array([[row["signals"][name] for name in names] for row in rows])
    held = np.array([row["held"] for row in rows])
    kind = np.array([row["kind"] for row in rows])
    groups = np.unique([row["article_id"] or row["id"] for row in rows], return_inverse=True)[1]
    used = np.isin(kind, ["answerable", "off-corpus"])
    model = LogisticRegression(C=10.0, max_iter=1000)
    probability = np.zeros(len(rows))
    for train, test in GroupKFold(8).split(x, held, groups):
        train = train[used[train]]
        probability[test] = model.fit(x[train], held[train]).predict_proba(x[test])[:, 1]
    model.fit(x[used], held[used])
    answerable = kind == "answerable"
    figures = {"answerable_refused_at_.5": float((probability[answerable] < 0.5).mean())}
    for other in ("off-corpus", "unanswerable"):
        these = kind == other
        if these.any():
            both = answerable | these
            figures[f"{other}_refused_at_.5"] = float((probability[these] < 0.5).mean())
            figures[f"{other}_auroc"] = float(roc_auc_score(answerable[both], probability[both]))
    return {
        "intercept": round(float(model.intercept_[0]), 3),
        "weights": {
            name: round(float(weight), 3)
            for name, weight in zip(names, model.coef_[0], strict=True)
        },
        "figures": {name: round(value, 3) for name, value in figures.items()},
    }


def main() -> None:
    """Fit, print, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--index", required=True)
    chosen = parser.parse_args()
    lines = (chosen.dataset / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    with Rag.open(chosen.index) as rag:
        rows = collect(rag, questions)
        manifest = rag.index.manifest
    result = {
        "fitted_on": f"{chosen.dataset.name}: {len(rows)} questions, {manifest.n_chunks} chunks,"
        f" {manifest.embedder.model} ({manifest.embedder.runtime})",
        "fitted_at": datetime.date.today().isoformat(),
        **fit(rows),
    }
    TARGET.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
