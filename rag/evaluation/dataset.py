"""Datasets to measure on: questions, and what is known about their answers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from rag.evaluation.broad import Broad
from rag.evaluation.premises import Premise
from rag.evaluation.quiz import Quiz
from rag.evaluation.remarks import Remark

QUIZ, PREMISES, BROAD, REMARKS = "quiz", "premises", "broad", "remarks"
"""Forms of questions whose kinds are also summed up."""


class GoldSpan(BaseModel):
    """An answer as it stands in an article's text: [start, end) in characters."""

    model_config = ConfigDict(frozen=True)

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=1)


class EvalQuestion(BaseModel):
    """A question with what is known about it.

    Attributes:
        question_id: Unique in its dataset.
        question: The question.
        kind: Such as `answerable`; figures are given by kind.
        asked_on: The day on which it is asked; None takes today.
        article_id: The article that it is about; None when there is none.
        answers: Where the answer stands in that article, any one of them; empty when it does not.
        relevant: BEIR: article id to grade, above 0 for relevant ones.
        lost: Whether it has answers, and cleaning removes every one of them: it counts as missed.
        quiz, premise, broad, remark: What is known about a question of these forms.
    """

    model_config = ConfigDict(frozen=True)

    question_id: str
    question: str
    kind: str
    asked_on: datetime.date | None = None
    article_id: str | None = None
    answers: tuple[GoldSpan, ...] = ()
    relevant: Mapping[str, int] = Field(default_factory=dict)
    lost: bool = False
    quiz: Quiz | None = None
    premise: Premise | None = None
    broad: Broad | None = None
    remark: Remark | None = None

    @property
    def has_gold(self) -> bool:
        """Whether there is a passage to be found for it."""
        return bool(self.answers or self.relevant or self.lost)

    @property
    def form(self) -> str | None:
        """`quiz`, `premises`, `broad` or `remarks`; None where spans or articles are known."""
        known = {
            QUIZ: self.quiz,
            PREMISES: self.premise,
            BROAD: self.broad,
            REMARKS: self.remark,
        }
        return next((form for form, given in known.items() if given is not None), None)


class Dataset(BaseModel):
    """Questions, and the articles that their answers stand in.

    Attributes:
        name: Name of its folder or file.
        questions: In the order of the files.
        left_out: Why questions of the files are none of these, and how many.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    questions: tuple[EvalQuestion, ...]
    left_out: Mapping[str, int] = Field(default_factory=dict)
