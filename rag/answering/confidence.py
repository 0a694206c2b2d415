"""Confidence: how likely an answer is right.

Two logistic regressions. `evidence`: from signals of retrieval, before the language model is
asked. `answer`: from how well the sentences that the answer rests on fit the question, and from how
near the model was to refusing. Both hold only for the pair of embedding and language model on whose
answers they were fitted: `Calibration`. Those that come along lie beside this file in
`calibration/EMBEDDING--LLM.json`; `tools/fit_confidence.py` fits one, cross-validated by article.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from rag import models
from rag.answering.checking import Checked
from rag.answering.evidence import Evidence
from rag.embedding import EmbedderIdentity
from rag.llm import Token
from rag.retrieval import Found, QuestionTerms

N_NEARBY = 5
"""Best sentences in which the names of the question may stand."""

_FOLDER = "calibration"
_UNFIT_FOR_FILES = re.compile(r"[^\w.+-]+")
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
        "logit": max(sentence.logit for sentence in ranked),
        "in_window": float(ranked[0].in_window),
        "lacking": float(len(ranked[0].lacking)),
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
    asked = set(terms.question.content_terms)
    held = asked.intersection(terms.question.analyzer.terms(cited))
    own = terms.look_in("", [first.text]).by_sentence[0]
    refusal = min(max(tokens[0].refusal if tokens else 1.0, _LEAST), 1 - _LEAST)
    return {
        "cited_cosine": first.cosine,
        "cited_words": len(held) / len(asked) if asked else 1.0,
        "cited_own_words": own,
        "cited_rank": math.log1p(min(rank, _FAR)),
        "refusal": math.log(refusal / (1 - refusal)),
        "cited_logit": max(source.logit for source in sources),
        "cited_behind": ranked[0].score - max(source.score for source in sources),
        "cited_lacking": float(min(len(source.lacking) for source in sources)),
        "n_sources": math.log(len({source.story for source in sources})),
        "n_written": float(checked.n_written > 0),
    }


def _names_held(terms: QuestionTerms, text: str) -> float:
    """Share of the question's names and numbers that a text holds; 1 when it has none."""
    analyzer = terms.question.analyzer
    names = {
        term
        for position, word in enumerate(_WORD.findall(terms.question.text))
        if position and (word[0].isupper() or word[0].isdigit())
        for term in analyzer.content_terms(word)
    }
    return len(names.intersection(analyzer.terms(text))) / len(names) if names else 1.0


class Logistic(BaseModel):
    """A logistic regression.

    Attributes:
        intercept: The log-odds where every signal is 0.
        weights: By name of the signal.
        figures: How well it told right from wrong when it was fitted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    intercept: float
    weights: Mapping[str, float]
    figures: Mapping[str, float | Mapping[str, int]] = Field(default_factory=dict)

    def probability(self, signals: Mapping[str, float]) -> float:
        """Of these signals, in [0, 1]; they hold at least those that have a weight."""
        total = self.intercept + sum(w * signals[name] for name, w in self.weights.items())
        return 1.0 / (1.0 + math.exp(-total))


class Calibration(BaseModel):
    """What was fitted on answers of one pair of embedding and language model.

    Attributes:
        embedding, llm: Names of the two, as `calibration_name` makes them.
        embedding_sha256: Fingerprint of the embedding model's files; None takes any.
        fitted_on, fitted_at: From which questions, and when.
        min_evidence: Below this likelihood of the evidence the language model is better not asked;
            what `Settings.min_evidence` is by default.
        min_confidence: Below this an answer is not given, but the closest passages; what
            `Settings.min_confidence` is by default.
        evidence: From `evidence_signals`: that what was found answers the question.
        refused_share: Right answers as a share of the likelihood of their evidence, where that is
            below `min_evidence`: there the model's answers are right far less often than the
            evidence holds one.
        answer: From `answer_signals` and `evidence_signals`: that the finished answer is right.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedding: str
    embedding_sha256: str | None = None
    llm: str
    fitted_on: str
    fitted_at: datetime.date
    min_evidence: float = Field(ge=0.0, le=1.0)
    min_confidence: float = Field(0.0, ge=0.0, le=1.0)
    evidence: Logistic
    refused_share: float = Field(ge=0.0)
    answer: Logistic

    @property
    def file_name(self) -> str:
        """Under which `find_calibration` finds it."""
        return _file_name(self.embedding, self.llm)

    def likely(self, signals: Mapping[str, float]) -> float:
        """Probability that what was found answers the question, in [0, 1]."""
        return self.evidence.probability(signals)

    def confidence(self, signals: Mapping[str, float]) -> float:
        """Probability that the finished answer is right, in [0, 1]."""
        return self.answer.probability(signals)

    def confidence_if_refused(self, likely: float) -> float:
        """Probability that an answer would have been right that was never asked for, in [0, 1].

        Args:
            likely: What `likely` says of the evidence.
        """
        return min(likely * self.refused_share, 1.0)


@cache
def find_calibration(embedding: EmbedderIdentity, llm: str) -> Calibration | None:
    """What was fitted for a pair of models; None where nothing was.

    Args:
        embedding: The model that made the index, whatever its runtime.
        llm: Name of the language model, or the path of its file.
    """
    name = _file_name(calibration_name(embedding.model), calibration_name(llm))
    file = resources.files("rag.answering").joinpath(_FOLDER, name)
    if not file.is_file():
        return None
    found = Calibration.model_validate_json(file.read_text(encoding="utf-8"))
    # Another model in a folder of that name has other cosines.
    return found if found.embedding_sha256 in (None, embedding.sha256) else None


def calibration_name(model: str) -> str:
    """What a model is called in the name of a calibration.

    One on a server keeps `openai:` before its name there: it is not known to be the same model as a
    file of that name, and its refusals are told otherwise.

    Args:
        model: A name, a repository, or the path of a file or folder.

    Returns:
        The name of a known model, also for its repository or the name of its file; else the last
        part of the path.
    """
    if model.startswith("openai:"):
        return f"openai:{model.partition('#')[2]}"
    if (spec := models.lookup(model)) is not None:
        return spec.name
    last = Path(model).name or model
    for spec in models.KNOWN.values():
        if spec.kind == "llm" and last == spec.files[0].name:
            return spec.name
    return last


def _file_name(embedding: str, llm: str) -> str:
    pair = (_UNFIT_FOR_FILES.sub("_", name) for name in (embedding, llm))
    return f"{'--'.join(pair)}.json"
