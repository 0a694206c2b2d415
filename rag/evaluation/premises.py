"""Questions whose premise is false, and their counterparts whose premise holds.

Of a question that the articles answer one thing was changed: a year, a place, a role, a name. What
answers the changed one as if it held is wrong, however well it is supported.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

from rag.answering.answer import Answer, AnswerStatus
from rag.evaluation.squad import holds

FALSE_PREMISE, TRUE_PREMISE = "false_premise", "true_premise"
# As refusals of this package say it (tests/test_evaluation_forms.py holds them together).
_FAILS = re.compile(r"\b(?:do|does|did)(?: not|n[’']t) bear out\b|\bnot borne out\b")


class Premise(BaseModel):
    """What is known about such a question.

    Attributes:
        trap: What a careless program says; None where the premise holds.
        gold: The answer; None where the premise is false.
    """

    model_config = ConfigDict(frozen=True)

    trap: str | None = None
    gold: str | None = None


def premise_metrics(premise: Premise, answer: Answer) -> dict[str, float]:
    """The figures of one answer.

    Where the premise is false: `held_as_if`: it was answered, and not said that the premise fails;
    `trap`: the answer is the one that the question tempts to; `refused`.
    Where it holds: `right`: the answer holds the right one; `wrongly_refused`.
    """
    refused = answer.status is AnswerStatus.NO_ANSWER
    if premise.trap is None:
        assert premise.gold is not None
        right = not refused and holds(answer.text, premise.gold)
        return {"right": float(right), "wrongly_refused": float(refused)}
    return {
        "held_as_if": float(not refused and not says_that_it_fails(answer.text)),
        "trap": float(not refused and holds(answer.text, premise.trap)),
        "refused": float(refused),
    }


def says_that_it_fails(text: str) -> bool:
    """Whether a text says that the articles do not bear out what the question takes for granted."""
    return _FAILS.search(text) is not None
