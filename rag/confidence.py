"""Confidence: how likely an answer is right, from what was found.

A logistic regression on a few signals of retrieval. Its coefficients lie beside this file in
`confidence.json`; `tools/fit_confidence.py` fits them, cross-validated by article.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

from rag.evidence import Evidence
from rag.index.lexical import LexicalIndex
from rag.retrieval import Retrieved

N_NEARBY = 5
"""Best sentences in which the names of the question may stand."""

_FILE = "confidence.json"
_WORD = re.compile(r"\w[\w’'.-]*")


def signals(
    question: str, found: Sequence[Retrieved], ranked: Sequence[Evidence], lexical: LexicalIndex
) -> dict[str, float]:
    """What the confidence is computed from; each in [0, 1].

    Args:
        question: As asked.
        found: Hits, best first, at least one.
        ranked: Their sentences, best first, at least one.
        lexical: Of the index searched.
    """
    best = found[0]
    nearby = " ".join(sentence.text for sentence in ranked[:N_NEARBY])
    return {
        "dense": max(best.hit.scores.dense, 0.0),
        "sentence": max(0.0, *(sentence.cosine for sentence in ranked)),
        "sentence_words": ranked[0].coverage,
        "words": best.hit.scores.words,
        "phrases": best.hit.scores.phrases,
        "names": _names_held(question, f"{best.article.title} {best.hit.text} {nearby}", lexical),
    }


def _names_held(question: str, text: str, lexical: LexicalIndex) -> float:
    """Share of the question's names and numbers that a text holds; 1 when it has none."""
    names = {
        term
        for position, word in enumerate(_WORD.findall(question))
        if position and (word[0].isupper() or word[0].isdigit())
        for term in lexical.content_terms(word)
    }
    return len(names & set(lexical.terms(text))) / len(names) if names else 1.0


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
