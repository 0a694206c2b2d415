"""A language model made from a setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rag import models
from rag.llm.base import LLM
from rag.llm.lazy import LazyLLM
from rag.llm.llamacpp import LlamaCppLLM
from rag.llm.remote import OpenAILLM
from rag.settings import Settings, model_server


def llm_from_setting(model: str, settings: Settings) -> LLM:
    """The language model that a setting names; it loads when it is first asked.

    Args:
        model: `SCHEME:REST` with one of `SCHEMES`; anything else is a GGUF model: a name that
            `rag models` lists, or the path of a file.
        settings: How it runs on this machine.
    """
    scheme, colon, rest = model.partition(":")
    if colon and scheme in SCHEMES:
        return SCHEMES[scheme](rest, settings)
    return _gguf(model, settings)


def _gguf(model: str, settings: Settings) -> LLM:
    def load() -> LLM:
        return LlamaCppLLM(
            models.find(model, models_dir=settings.models_dir, kind="llm"),
            name=model,
            context_tokens=settings.context_tokens,
            n_threads=settings.threads,
            n_gpu_layers=settings.n_gpu_layers,
            queue_size=settings.queue_size,
        )

    return LazyLLM(model, load)


def _openai(rest: str, settings: Settings) -> LLM:
    server = model_server(f"openai:{rest}")
    assert server is not None

    def load() -> LLM:
        return OpenAILLM(
            server,
            key=settings.model_key,
            context_tokens=settings.context_tokens,
            seconds=settings.model_seconds,
            queue_size=settings.queue_size,
        )

    return LazyLLM(server.setting, load)


SCHEMES: Mapping[str, Callable[[str, Settings], LLM]] = MappingProxyType(
    {"gguf": _gguf, "openai": _openai}
)
"""What makes the model of `SCHEME:REST`, given REST and the settings."""
