"""What `Rag.stream` tells while an answer comes about."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from rag.answering.answer import Answer
from rag.retrieval import Hit


class EvidenceFound(BaseModel):
    """First event: what was found, before the model has written a word.

    Attributes:
        hits: The chunks found, best first.
        confidence: That they answer the question, [0, 1]; None where nothing was fitted.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["evidence"] = "evidence"
    hits: tuple[Hit, ...]
    confidence: float | None


class TextWritten(BaseModel):
    """A piece of what the model writes, not yet checked."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["text"] = "text"
    text: str


class AnswerReady(BaseModel):
    """Last event: the checked answer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["answer"] = "answer"
    answer: Answer


Event = EvidenceFound | TextWritten | AnswerReady
