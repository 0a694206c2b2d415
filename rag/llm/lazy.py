"""A language model that loads when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from rag.lifetime import Lifetime
from rag.llm.base import LLM, Prompt, Token


class LazyLLM:
    """A language model that loads when it is first asked. See `LLM`.

    Args:
        name: Which model it is.
        load: Loads it; called again at the next question if it failed.
    """

    def __init__(self, name: str, load: Callable[[], LLM]) -> None:
        self.name = name
        self._life = Lifetime(f"language model {name!r}")
        self._load = load
        self._loaded: LLM | None = None
        self._lock = threading.Lock()

    @property
    def context_tokens(self) -> int:
        """Most tokens of prompt and completion together."""
        return self._llm().context_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of a text."""
        return self._llm().count_tokens(text)

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        """The completion, token by token. See `LLM.complete`."""
        return self._llm().complete(prompt, max_tokens=max_tokens, cancelled=cancelled)

    def close(self) -> None:
        """Free the model, if it was loaded; waits until one that is loading has loaded."""
        if self._life.close():
            with self._lock:
                if self._loaded is not None:
                    self._loaded.close()

    def _llm(self) -> LLM:
        self._life.check()
        with self._lock:
            self._life.check()
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded
