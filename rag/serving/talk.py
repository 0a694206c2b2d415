"""The conversation that a client sends along: a question, and the turns before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rag.errors import IndexMissingError, QuestionError
from rag.serving.bodies import INDEX_NAME
from rag.serving.service import MAX_QUESTION, Asked
from rag.text.sentences import split

_MARKS = re.compile(r" ?\[\d+\]")
_MAX_TURNS = 20
_TEXTS = ["text", "input_text", "output_text"]
_A_TEXT = {"type": "string", "pattern": r"\S"}
_PARTS = {
    "type": "array",
    "contains": {
        "type": "object",
        "properties": {"type": {"enum": _TEXTS}, "text": _A_TEXT},
        "required": ["text"],
    },
}
HOLDS_A_QUESTION: dict[str, Any] = {
    "contains": {
        "type": "object",
        "properties": {
            "role": {"const": "user"},
            "content": {"anyOf": [_A_TEXT, _PARTS]},
            "type": {"const": "message"},
        },
        "required": ["role", "content"],
    }
}
"""What `asked` wants of a list of messages, as its schema says it."""
_USERS_PARTS: dict[str, Any] = {
    "if": {"properties": {"role": {"const": "user"}}, "required": ["role"]},
    "then": {
        "properties": {"content": {"items": {"properties": {"type": {"enum": _TEXTS}}}}},
    },
}
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

    model_config = ConfigDict(extra="allow", json_schema_extra=_USERS_PARTS)

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
    """The question of the user's last message, with the turns before it.

    What a system message says is passed over, wherever it stands: how answers are made is not up
    to clients. A question that was answered already is answered anew.

    Raises:
        IndexMissingError: no index can have such a name.
        QuestionError: the user says nothing, or sends along what is no text.
    """
    if not re.fullmatch(INDEX_NAME, index):
        raise IndexMissingError(f"there is no index {index!r}", mend="GET /v1/models lists them")
    turns = list(_turns(messages))
    if not turns:
        raise QuestionError("no message of the user's has words", mend="end with a question")
    question, _ = turns.pop()
    return Asked(index=index, question=question, earlier=tuple(turns[-_MAX_TURNS:]))


def _turns(messages: Iterable[Message]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Each of the user's messages, with the sentences that were said to it."""
    question: str | None = None
    said: list[str] = []
    for message in messages:
        if message.role == "user":
            words = message.words
            if not words.strip():
                continue
            if question and len(question) <= MAX_QUESTION:
                yield question, tuple(said)
            question, said = words, []
        elif message.role == "assistant":
            text = _MARKS.sub("", message.words)
            said += [text[span.start : span.end] for span in split(text)]
    if question is not None:
        yield question, tuple(said)
