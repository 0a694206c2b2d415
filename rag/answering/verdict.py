"""Yes or no: a verdict of the language model stands only where a source sentence bears it out.

"Yes" needs a source that states what the question asks: nearly all of its words, its names and
figures, not negated, not as a plan or a claim. "No" needs one that denies it. Where no source does,
the verdict is left out, and what the model wrote behind it is checked like any other sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rag.answering.attribution import Attribution, Status
from rag.answering.attribution.faithful import exact, grounded, speaker_dropped
from rag.answering.evidence import Evidence
from rag.text.analysed import Analysed
from rag.text.language import Language

DECIDING_SHARE = 0.8
"""Share of the question's words that the deciding sentence holds, with what stands around it."""


class Verdict(NamedTuple):
    """What a sentence of the model says to a question of yes or no.

    Attributes:
        is_yes: Whether it says yes.
        rest: What it says behind that, as a sentence; may be empty.
    """

    is_yes: bool
    rest: str


def read_verdict(sentence: str, language: Language) -> Verdict | None:
    """The verdict that a sentence begins with; None where it begins with none."""
    for is_yes, name in ((True, "questions.yes"), (False, "questions.no")):
        if match := language.pattern(name).match(sentence):
            rest = sentence[match.end() :]
            return Verdict(is_yes, rest[:1].upper() + rest[1:])
    return None


def decides(
    verdict: Verdict, question: Analysed, evidence: Sequence[Evidence]
) -> Attribution | None:
    """The source sentence that bears a verdict out; None where there is none.

    Args:
        verdict: What the model says.
        question: The question.
        evidence: Source sentences, best first.
    """
    if question.is_negated:  # "Did he not go?": yes and no may mean the same
        return None
    terms = question.content_terms
    unreal = question.language.pattern("questions.unreal")
    for source in evidence:
        if grounded(terms, [source]) < DECIDING_SHARE or not exact(question, question, [source]):
            continue
        read = source.read if _told_by_itself(source, terms) else source.headed
        if unreal.search(read.text) and not unreal.search(question.text):
            continue
        if read.is_negated is not verdict.is_yes and not speaker_dropped(
            question, question, [source], terms
        ):
            return Attribution(Status.SUPPORTED, (source,), 1.0)
    return None


def _told_by_itself(source: Evidence, terms: Sequence[str]) -> bool:
    """Whether the deciding words stand in the sentence and before it, and not only in the title."""
    held = source.read.terms | source.before.terms
    return sum(term in held for term in terms) >= DECIDING_SHARE * len(terms)
