"""Questions whose answer somebody called wrong, as the page keeps them (“This is wrong”).

What a right answer holds is known only where the reader said so, or whoever runs the page added it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from rag.answering.answer import Answer, AnswerStatus
from rag.evaluation.squad import holds, normal

REMARKED = "remarked"


class Remark(BaseModel):
    """What is known about such a question.

    Attributes:
        said: The answer that was called wrong.
        right: Words that a right answer holds; None where nobody said.
        no_answer: Whether the articles do not say, so that a refusal is right.
    """

    model_config = ConfigDict(frozen=True)

    said: str
    right: str | None = None
    no_answer: bool = False


def remark_metrics(remark: Remark, answer: Answer) -> dict[str, float]:
    """The figures of one answer.

    `still_said`: it is the one that was called wrong, but for case and punctuation. `right`: it
    holds the right words, or is no answer where that is right; only where this is known. `refused`.
    """
    refused = answer.status is AnswerStatus.NO_ANSWER
    metrics = {
        "still_said": float(normal(answer.text) == normal(remark.said)),
        "refused": float(refused),
    }
    if remark.no_answer:
        metrics["right"] = float(refused)
    elif remark.right:
        metrics["right"] = float(not refused and holds(answer.text, remark.right))
    return metrics
