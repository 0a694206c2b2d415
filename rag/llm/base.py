"""What a language model is to this package: a prompt in, tokens out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is given.

    Attributes:
        system: The constant instructions.
        user: Passages and question.
        passages: Texts of the source sentences that are in it, best first.
        refusal: What the model is told to write when the passages do not state the answer. It is
            not let: how likely it was tells more than whether it did.
    """

    system: str
    user: str
    passages: tuple[str, ...] = ()
    refusal: str = ""


class Token(NamedTuple):
    """A piece of a completion.

    Attributes:
        text: What it adds; empty while a character is not whole.
        probability: Of this token after all before it, (0, 1].
        refusal: With the first token: how likely the model was to begin with `Prompt.refusal`
            instead, [0, 1]. It is not let.
    """

    text: str
    probability: float = 1.0
    refusal: float = 0.0


class LLM(Protocol):
    """Writes completions. Safe to call from several threads.

    After `close`, and in a process made by `os.fork()`, everything but `name` and `close` raises
    `ClosedError`.
    """

    @property
    def name(self) -> str:
        """Which model this is."""
        ...

    @property
    def context_tokens(self) -> int:
        """Most tokens of prompt and completion together."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, special tokens not counted."""
        ...

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        """The completion, token by token; the same prompt gives the same text.

        Closing the iterator, or setting `cancelled`, stops the model at the next token.

        Raises:
            BusyError: too many callers are waiting.
            CancelledError: `cancelled` was set, or the model was closed meanwhile.
            ClosedError: it was closed before.
            ModelError: the model failed.
        """
        ...

    def close(self) -> None:
        """Stop what is being written, and free the model. Can be called twice."""
        ...
