"""Confidence: how likely an answer is right.

Two logistic regressions. `evidence`: from signals of retrieval, before the language model is
asked. `answer`: from how well the sentences that the answer rests on fit the question, and from how
near the model was to refusing. The coefficients lie beside this file in `confidence.json`;
`tools/fit_confidence.py` fits them, cross-validated by article.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal

from rag.answering.checking import Checked
from rag.answering.evidence import Evidence
from rag.llm import Token
from rag.retrieval import Found, QuestionTerms

N_NEARBY = 5
"""Best sentences in which the names of the question may stand."""

_FILE = "confidence.json"
_WORD = re.compile(r"\w[\w’'.-]*")
_LEAST = 1e-4  # a probability below this tells nothing more
_FAR = 20  # a sentence further down tells nothing more


def evidence_signals(found: Found, ranked: Sequence[Evidence]) -> dict[str, float]:
    """What is known before the language model is asked; each in [0, 1].

    Args:
        found: At least one passage.
        ranked: Their sentences, best first, at least one.
    """
    best = found.passages[0]
    nearby = " ".join(sentence.text for sentence in ranked[:N_NEARBY])
    return {
        "dense": max(best.hit.scores.dense, 0.0),
        "sentence": max(0.0, *(sentence.cosine for sentence in ranked)),
        "sentence_words": ranked[0].coverage,
        "words": best.hit.scores.words,
        "phrases": best.hit.scores.phrases,
        "names": _names_held(found.terms, f"{best.article.title} {best.hit.text} {nearby}"),
    }


def answer_signals(
    terms: QuestionTerms,
    checked: Checked,
    tokens: Sequence[Token],
    ranked: Sequence[Evidence],
) -> dict[str, float]:
    """What is known after the language model has written.

    Args:
        terms: The question's.
        checked: What was left of the completion.
        tokens: As the model wrote them.
        ranked: The sentences of the hits, best first, at least one.

    Returns:
        `cited_cosine`: of the question and the first source sentence that the answer rests on,
        [-1, 1]. `cited_words`: share of the question's words that the cited sentences and their
        titles hold, [0, 1]. `cited_own_words`: the same by rarity, in the first sentence alone.
        `cited_rank`: log(1 + its place among the sentences found, from 0). `refusal`: logit of
        how likely the model was to write that the passages do not state the answer.
    """
    sources = [source for _, found in checked.kept for source in found.sources] or [ranked[0]]
    first = sources[0]
    places = [(item.article.article_id, item.start) for item in ranked]
    place = (first.article.article_id, first.start)
    rank = places.index(place) if place in places else _FAR
    cited = " ".join(f"{source.article.title} {source.text}" for source in sources)
    asked = set(terms.content)
    held = asked.intersection(terms.analyzer.terms(cited))
    own = terms.look_in("", [first.text]).by_sentence[0]
    refusal = min(max(tokens[0].refusal if tokens else 1.0, _LEAST), 1 - _LEAST)
    return {
        "cited_cosine": first.cosine,
        "cited_words": len(held) / len(asked) if asked else 1.0,
        "cited_own_words": own,
        "cited_rank": math.log1p(min(rank, _FAR)),
        "refusal": math.log(refusal / (1 - refusal)),
    }


def _names_held(terms: QuestionTerms, text: str) -> float:
    """Share of the question's names and numbers that a text holds; 1 when it has none."""
    names = {
        term
        for position, word in enumerate(_WORD.findall(terms.question))
        if position and (word[0].isupper() or word[0].isdigit())
        for term in terms.analyzer.content_terms(word)
    }
    return len(names.intersection(terms.analyzer.terms(text))) / len(names) if names else 1.0


def confidence(stage: Literal["evidence", "answer"], signals: Mapping[str, float]) -> float:
    """Probability that an answer is right, in [0, 1].

    Args:
        stage: `evidence` before the language model is asked, `answer` after.
        signals: Those of `evidence_signals`, or of `answer_signals`.
    """
    fitted = _fitted()[stage]
    total = fitted["intercept"] + sum(
        weight * signals[name] for name, weight in fitted["weights"].items()
    )
    return 1.0 / (1.0 + math.exp(-total))


def confidence_if_refused(likely: float) -> float:
    """Probability that an answer would have been right that was never asked for, in [0, 1].

    Args:
        likely: What `confidence` says of the evidence. Where that is low, the model's answers are
            right far less often than the evidence holds one.
    """
    return likely * float(_fitted()["refused_share"])


@cache
def _fitted() -> dict[str, Any]:
    return dict(
        json.loads(resources.files("rag.answering").joinpath(_FILE).read_text(encoding="utf-8"))
    )
