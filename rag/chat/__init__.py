"""A conversation: questions that lean on the ones before them, made to stand alone by rules.

No model is asked: a pronoun takes the name that the question before was about, and a question
that is only a piece ("And in Qatar?") takes the rest from it. What was searched is shown with
the answer (`Answer.searched`), so a wrong guess is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rag.answering.answer import Answer
from rag.answering.events import AnswerReady, Event
from rag.chat.phrases import names_of_persons
from rag.chat.standalone import standalone
from rag.text.language import DEFAULT, Language

__all__ = ["Chat", "standalone"]


class Chat:
    """A conversation with one index. Not safe for several threads: it has one thread of talk.

    Args:
        stream: `Rag.stream`, or something with its arguments.
        language: Of the articles. The rules here are those of English: in another language every
            question stands as it was asked.

    Attributes:
        answers: The answers so far, oldest first.
    """

    def __init__(self, stream: Callable[..., Iterator[Event]], language: Language) -> None:
        self._stream = stream
        self._leans = language.code == DEFAULT
        self.answers: list[Answer] = []
        self._searched: str | None = None
        self._told: list[str] = []

    def stream(self, question: str, **options: Any) -> Iterator[Event]:
        """Like `Rag.stream`, for a question that may lean on those before it."""
        for event in self._stream(self._standalone(question), **options):
            if isinstance(event, AnswerReady):
                answer = event.answer.model_copy(update={"question": question})
                self.answers.append(answer)
                self._note(answer.searched, [sentence.text for sentence in answer.sentences])
                event = AnswerReady(answer=answer)
            yield event

    def ask(self, question: str, **options: Any) -> Answer:
        """Like `Rag.ask`, for a question that may lean on those before it."""
        for _ in self.stream(question, **options):
            pass
        return self.answers[-1]

    def recall(self, question: str, sentences: Sequence[str]) -> None:
        """Take in an earlier turn that is known by its words alone.

        Args:
            question: As asked; it may lean on those before it.
            sentences: Of the answer that was given, without marks of citations.
        """
        self._note(self._standalone(question), sentences)

    def _note(self, searched: str, sentences: Sequence[str]) -> None:
        self._searched = searched.strip()
        self._told = names_of_persons(sentences)

    def _standalone(self, question: str) -> str:
        if self._searched is None or not self._leans:
            return question
        return standalone(question, self._searched, told=self._told)
