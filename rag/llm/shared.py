"""Language models that several engines use: each is loaded once, and freed with its last user."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rag.lifetime import Lifetime
from rag.llm.base import LLM, Prompt, Token
from rag.llm.setting import llm_from_setting
from rag.settings import Settings

# Settings that make another model of one: engines that differ in others share it.
_DECISIVE = (
    *("model", "models_dir", "context_tokens", "n_threads", "n_gpu_layers", "queue_size"),
    *("model_key", "model_seconds"),
)


@dataclass(slots=True)
class _Held:
    llm: LLM
    n_users: int = 0


class SharedLLMs:
    """Language models by their settings, each with one queue for all of its users.

    Args:
        make: Makes the model of a setting.
    """

    def __init__(self, make: Callable[[str, Settings], LLM] = llm_from_setting) -> None:
        self._make = make
        self._process = os.getpid()
        self._lock = threading.RLock()  # a handle may be collected while one is given
        self._held: dict[tuple[Any, ...], _Held] = {}

    def lease(self, settings: Settings) -> LLM:
        """A user's handle on the model that settings name.

        Closing it stops what this user asked; the model itself is closed with its last user.
        """
        if os.getpid() != self._process:  # a copy by os.fork(): the models are the parent's
            self._process = os.getpid()
            self._lock = threading.RLock()
            self._held = {}
        key = tuple(getattr(settings, name) for name in _DECISIVE)
        with self._lock:
            if key not in self._held:
                self._held[key] = _Held(self._make(settings.model, settings))
            held = self._held[key]
            held.n_users += 1
            return LeasedLLM(held.llm, lambda: self._release(key, held))

    def _release(self, key: tuple[Any, ...], held: _Held) -> None:
        with self._lock:
            held.n_users -= 1
            if held.n_users:
                return
            if self._held.get(key) is held:
                del self._held[key]
        held.llm.close()  # outside of the lock: it waits for the token being written


class LeasedLLM:
    """A user's handle on a language model that others use too. See `LLM`.

    Args:
        llm: The model.
        release: Called once, when the handle is closed or nobody has it any more.
    """

    def __init__(self, llm: LLM, release: Callable[[], None]) -> None:
        self.name = llm.name
        self._llm = llm
        self._release = weakref.finalize(self, release)
        self._release.atexit = False
        self._life = Lifetime(f"language model {llm.name!r}")
        self._closing = threading.Event()

    @property
    def context_tokens(self) -> int:
        """Most tokens of prompt and completion together."""
        self._life.check()
        return self._llm.context_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of a text."""
        self._life.check()
        return self._llm.count_tokens(text)

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        """The completion, token by token. See `LLM.complete`."""
        self._life.check()
        stopped = _Either(self._closing, cancelled) if cancelled else self._closing
        return self._llm.complete(prompt, max_tokens=max_tokens, cancelled=stopped)

    def close(self) -> None:
        """Stop what was asked through this handle; the model goes with its last user."""
        if self._life.close():
            self._closing.set()
            self._release()


class _Either(threading.Event):
    """Set when one of two events is."""

    def __init__(self, one: threading.Event, other: threading.Event) -> None:
        super().__init__()
        self._both = (one, other)

    def is_set(self) -> bool:
        return super().is_set() or any(event.is_set() for event in self._both)


SHARED = SharedLLMs()
"""The models of this process."""
