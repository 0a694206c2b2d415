"""Answers kept as they come: a long evaluation can be stopped and goes on where it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.answering.answer import Answer
from rag.engine import Rag
from rag.errors import DatasetError
from rag.evaluation.dataset import EvalQuestion
from rag.readers import normalise


class LoggedAnswer(BaseModel):
    """A line of the log.

    Attributes:
        question_id: Of the question.
        made_by: Fingerprint of index version, model and settings.
        answer: What was answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    made_by: str
    answer: Answer


class AnswerLog:
    """Asks, and remembers what was answered.

    Args:
        path: JSON Lines file; None remembers nothing.
        rag: Who is asked.

    Raises:
        DatasetError: the file holds something else. A last line that was cut is asked again.
    """

    def __init__(self, path: Path | None, rag: Rag) -> None:
        self._path = path
        self._rag = rag
        made_by = f"{rag.index.name} {rag.index.version} {rag.index.manifest.model_dump_json()}"
        made_by += f" {rag.model} {rag.settings.model_dump_json()}"
        made_by += f" {rag.calibration.model_dump_json() if rag.calibration else None}"
        self._made_by = hashlib.sha256(made_by.encode()).hexdigest()[:16]
        self._known: dict[str, Answer] = {}
        if path is not None and path.exists():
            self._read(path)

    def answer(self, question: EvalQuestion) -> Answer:
        """The answer to a question, asked now if it was not before."""
        known = self._known.get(question.question_id)
        if known is not None and _answers(known, question):
            return known
        answer = self._rag.ask(question.question, asked_on=question.asked_on)
        if self._path is not None:
            line = LoggedAnswer(
                question_id=question.question_id, made_by=self._made_by, answer=answer
            )
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line.model_dump_json() + "\n")
        return answer

    def _read(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                logged = LoggedAnswer.model_validate_json(line)
            except ValidationError as error:
                if number == len(lines):  # the process was killed while writing it
                    path.write_text("".join(lines[:-1]), encoding="utf-8")
                    break
                raise DatasetError(f"{path} line {number} is no logged answer") from error
            if logged.made_by == self._made_by:
                self._known[logged.question_id] = logged.answer


def _answers(answer: Answer, question: EvalQuestion) -> bool:
    """Whether it was asked just so: another dataset may have a question of the same id."""
    same_day = question.asked_on in (None, answer.asked_on)
    return same_day and answer.question == normalise(question.question)
