"""The conversation that a client sends along: a question, and the turns before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from rag.errors import QuestionError
from rag.serving.service import MAX_QUESTION, Asked
from rag.text.sentences import split

_MARKS = re.compile(r" ?\[\d+\]")
_MAX_TURNS = 20
_TEXTS = ("text", "input_text", "output_text")
_ONLY_WORDS = "only the words of a question are read here: articles belong into an index"


class Part(BaseModel):
    """A piece of a message; only those of text are read."""

    model_config = ConfigDict(extra="allow")

    type: str = "text"
    text: str | None = None


class Message(BaseModel):
    """One message, as every one of these interfaces has it.

    Attributes:
        role: Who says it: `user`, `assistant`, or one whose words are passed over (`system`).
        content: A text, or pieces.
    """

    model_config = ConfigDict(extra="allow")

    role: str = Field(max_length=40)
    content: str | list[Part] | None = None

    @property
    def words(self) -> str:
        """What it says.

        Raises:
            QuestionError: the user sends along what is no text.
        """
        if not isinstance(self.content, list):
            return self.content or ""
        other = [part.type for part in self.content if part.type not in _TEXTS]
        if other and self.role == "user":
            raise QuestionError(f"a message holds {other[0]!r}", mend=_ONLY_WORDS)
        return "".join(part.text or "" for part in self.content)


def asked(index: str, messages: Sequence[Message]) -> Asked:
    """The question of the last message, with the turns before it.

    What a system message says is passed over: how answers are made is not up to clients.

    Raises:
        QuestionError: the last message is not the user's, or holds what is no text.
    """
    turns = list(_turns(messages))
    if not turns or messages[-1].role != "user":
        raise QuestionError("the last message is not the user's", mend="end with a question")
    question, _ = turns.pop()
    return Asked(index=index, question=question, earlier=tuple(turns[-_MAX_TURNS:]))


def _turns(messages: Iterable[Message]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Each of the user's messages, with the sentences that were said to it."""
    question: str | None = None
    said: list[str] = []
    for message in messages:
        if message.role == "user":
            if question and len(question) <= MAX_QUESTION:
                yield question, tuple(said)
            question, said = message.words, []
        elif message.role == "assistant":
            text = _MARKS.sub("", message.words)
            said += [text[span.start : span.end] for span in split(text)]
    if question is not None:
        yield question, tuple(said)
