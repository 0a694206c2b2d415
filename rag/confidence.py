"""Confidence: how likely an answer is right, from what was found.

A logistic regression on a few signals of retrieval. Its coefficients lie beside this file in
`confidence.json`; `tools/fit_confidence.py` fits them, cross-validated by article.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib import resources

from rag.evidence import Evidence, QuestionWords
from rag.retrieval import Retrieved

_FILE = "confidence.json"


def signals(
    found: Sequence[Retrieved], ranked: Sequence[Evidence], words: QuestionWords
) -> dict[str, float]:
    """What the confidence is computed from; each in [0, 1].

    Args:
        found: Hits, best first, at least one.
        ranked: Their sentences, best first, at least one.
        words: The question's words.
    """
    best = found[0]
    nearby = " ".join(sentence.text for sentence in ranked[:5])
    return {
        "dense": max(best.hit.scores.dense, 0.0),
        "sentence": max(sentence.cosine for sentence in ranked),
        "best_sentence_coverage": ranked[0].coverage,
        "sentences_coverage": words.coverage(nearby),
        "chunk_coverage": words.coverage(f"{best.article.title} {best.hit.text}"),
        "names_coverage": words.names_coverage(f"{best.article.title} {best.hit.text} {nearby}"),
    }


def confidence(values: dict[str, float]) -> float:
    """Probability that what was found answers the question, in [0, 1]."""
    fitted = _fitted()
    total = fitted["intercept"] + sum(
        weight * values[name] for name, weight in fitted["weights"].items()
    )
    return 1.0 / (1.0 + math.exp(-total))


@cache
def _fitted() -> dict:  # type: ignore[type-arg]
    return dict(json.loads(resources.files("rag").joinpath(_FILE).read_text(encoding="utf-8")))
