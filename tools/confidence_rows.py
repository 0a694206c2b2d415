"""What `tools/fit_confidence.py` fits to: questions with their signals and whether it went well."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.engine import Rag
from rag.errors import DatasetError
from rag.evaluation import Dataset, EvalQuestion, answer_metrics, holds
from rag.evaluation.log import LoggedAnswer
from rag.evaluation.quiz import holds_choice
from rag.llm import Prompt, Token
from rag.opening import ranker_of, reranker_of

EVIDENCE_SIGNALS = (
    *("dense", "in_window", "lacking", "logit", "names", "phrases", "sentence", "sentence_words"),
    "words",
)
"""What the likelihood of the evidence is fitted to."""
ANSWER_SIGNALS = (
    *("cited_behind", "cited_cosine", "cited_lacking", "cited_logit", "cited_own_words"),
    *("cited_rank", "cited_words", "n_sources", "n_written", "refusal"),
    *EVIDENCE_SIGNALS,
)
"""What the confidence of the answer is fitted to; a signal that is not named has no weight."""
_ASKED = "refusal"  # a signal that only answers have for which the model was asked

Array = NDArray[np.float64]


@dataclass(frozen=True)
class QuestionSet:
    """Questions that were asked of an index.

    Attributes:
        dataset: Those whose answers are known to be right or not, and no others.
        rag: The index, open.
        log: What was answered, as `rag eval --log` keeps it.
    """

    dataset: Dataset
    rag: Rag
    log: Path

    @classmethod
    def of(cls, dataset: Dataset, rag: Rag, log: Path) -> QuestionSet:
        """A dataset without premises and broad questions: their answers are not right or wrong."""
        kept = tuple(question for question in dataset.questions if question.form in (None, "quiz"))
        return cls(dataset.model_copy(update={"questions": kept}), rag, log)


@dataclass
class Rows:
    """Questions with their signals and whether all went well, as arrays.

    Attributes:
        names: Of the signals.
    """

    names: tuple[str, ...]
    _signals: list[list[float]] = field(default_factory=list)
    _right: list[bool] = field(default_factory=list)
    _questions: list[EvalQuestion] = field(default_factory=list)
    _sets: list[str] = field(default_factory=list)

    def add(
        self, name: str, question: EvalQuestion, signals: dict[str, float], right: bool
    ) -> None:
        """One question of the set of that name."""
        lacking = [signal for signal in self.names if signal not in signals]
        if lacking:
            raise DatasetError(
                f"the answer to question {question.question_id!r} of {name} lacks the signals"
                f" {', '.join(lacking)}",
                mend="ask again with a log of its own: this one was made by another version",
            )
        self._signals.append([signals[signal] for signal in self.names])
        self._right.append(right)
        self._questions.append(question)
        self._sets.append(name)

    @property
    def x(self) -> Array:
        """Shape (n, signals)."""
        return np.array(self._signals).reshape(-1, len(self.names))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Shape (n,)."""
        return np.array(self._right, dtype=bool)

    @property
    def set(self) -> NDArray[np.str_]:
        """Name of the set, shape (n,)."""
        return np.array(self._sets, dtype=str)

    @property
    def kind(self) -> NDArray[np.str_]:
        """Shape (n,)."""
        return np.array([question.kind for question in self._questions], dtype=str)

    @property
    def group(self) -> NDArray[np.int64]:
        """Which questions stand or fall together, shape (n,): of one article, or of one week."""
        keys = [
            f"{name} {_drawn_with(question)}"
            for name, question in zip(self._sets, self._questions, strict=True)
        ]
        return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _drawn_with(question: EvalQuestion) -> str:
    if question.asked_on is not None:
        year, week, _ = question.asked_on.isocalendar()
        return f"week {year}-{week}"
    return question.article_id or question.question_id


def answer_rows(sets: list[QuestionSet]) -> Rows:
    """The signals of the logged answers, and whether they are right."""
    rows = Rows(ANSWER_SIGNALS)
    for asked in sets:
        for question, logged in answered(asked):
            if _ASKED in logged.answer.signals:
                right = is_right(asked, question, logged)
                rows.add(asked.dataset.name, question, logged.answer.signals, right)
    return rows


def answered(asked: QuestionSet) -> Iterator[tuple[EvalQuestion, LoggedAnswer]]:
    """Questions of a set with what was answered last, as far as the log has them."""
    lines = asked.log.read_text(encoding="utf-8").splitlines()
    logged = map(LoggedAnswer.model_validate_json, lines)
    last = {answer.question_id: answer for answer in logged}
    for question in asked.dataset.questions:
        if question.question_id in last:
            yield question, last[question.question_id]


def is_right(asked: QuestionSet, question: EvalQuestion, logged: LoggedAnswer) -> bool:
    """Whether an answer holds the right choice, or a gold answer."""
    metrics = answer_metrics(question, logged.answer, asked.rag.article)
    return bool(metrics.get("right", metrics.get("contains", 0.0)))


class Recorder:
    """A language model that writes nothing and remembers what it was given."""

    name = "recorder"
    context_tokens = 4096

    def __init__(self) -> None:
        self.prompt: Prompt | None = None

    def count_tokens(self, text: str) -> int:
        """Words: fewer than tokens, and no prompt comes near the limit."""
        return len(text.split())

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        """Nothing."""
        self.prompt = prompt
        return iter(())

    def close(self) -> None:
        """Nothing to close."""


def evidence_rows(sets: list[QuestionSet]) -> Rows:
    """The signals before the model is asked, and whether what it is given holds a gold answer.

    Questions for which nothing is found, or which want more than one fact, go to no model.
    """
    rows = Rows(EVIDENCE_SIGNALS)
    for asked in sets:
        rag, recorder = asked.rag, Recorder()
        recorded = Rag(
            rag.index, rag.embedder, recorder, rag.settings,
            reranker=reranker_of(rag.settings), ranker=ranker_of(rag.settings),
        )  # fmt: skip
        for number, question in enumerate(asked.dataset.questions, start=1):
            recorder.prompt = None
            answer = recorded.ask(question.question, asked_on=question.asked_on)
            if recorder.prompt is not None:
                given = recorder.prompt.user.removesuffix(answer.searched.strip())
                rows.add(asked.dataset.name, question, answer.signals, _holds(question, given))
            print(f"{asked.dataset.name} {number}", end="\r", file=sys.stderr, flush=True)
    return rows


def _holds(question: EvalQuestion, text: str) -> bool:
    if question.quiz is not None:
        return holds_choice(question.quiz.gold, text)
    return any(holds(text, gold.text) for gold in question.answers)
