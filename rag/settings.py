"""Settings: defaults < `rag.toml` < environment (`RAG_*`) < keyword or flag.

The only module that reads the environment. What is chosen when an index is built (chunking,
embedding model) does not stand here but in `indexes/<name>/index.toml`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rag.errors import SettingsError

CONFIG_FILE = Path("rag.toml")
ENV_PREFIX = "RAG_"


class Settings(BaseSettings):
    """How `rag` works on this machine. Frozen and hashable.

    Raises:
        SettingsError: for an unknown key (the nearest valid one is named) or a bad value.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    index_dir: Path = Field(Path("indexes"), description="Folder of indexes.")
    models_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("rag", appauthor=False) / "models",
        description="Folder of downloaded models.",
    )
    model: str = Field(
        "qwen2.5-coder-1.5b-instruct",
        description="Language model: a name that `rag models` lists, or the path of a GGUF file.",
    )
    n_threads: int = Field(
        0, ge=0, le=1024, description="Threads for the models; 0 takes every core there is."
    )
    context_tokens: int = Field(
        4096, ge=512, description="Context window opened for the language model, in tokens."
    )
    max_answer_tokens: int = Field(
        96, ge=8, le=4096, description="Most tokens the language model may write for one answer."
    )
    queue_size: int = Field(
        8, ge=1, le=10_000, description="Questions that may wait for the language model."
    )
    reranker: str | None = Field(
        None,
        description="Cross-encoder that reads the best hits again: a name or a folder; none by"
        " default.",
    )
    k: int = Field(5, ge=1, le=1000, description="Hits per question.")
    evidence_sentences: int = Field(
        5, ge=1, le=50, description="Source sentences given to the language model, at most."
    )
    min_evidence: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="Below this likelihood that what was found answers the question, the answer is"
        " `no_answer` and the language model is not asked: higher is stricter. By default what was"
        " fitted for the embedding and the language model; where nothing was, it does not hold.",
    )
    min_confidence: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="An answer with less confidence than this is not given, but `no_answer` with"
        " the closest passages: higher is stricter. None takes what was fitted for the embedding"
        " and the language model.",
    )
    ranker: bool = Field(
        True,
        description="Whether the package's own small model reads the question together with each"
        " sentence that was found, to choose the evidence.",
    )

    def __init__(self, **values: Any) -> None:
        _refuse_unknown(values, "keyword")
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            given = f"(given: {first['input']!r})"
            raise SettingsError(f"setting {key!r}: {first['msg']} {given}") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence, highest first."""
        given = [key for key in os.environ if key.startswith(ENV_PREFIX)]
        _refuse_unknown(
            {key.removeprefix(ENV_PREFIX).lower(): None for key in given}, "environment variable"
        )
        return init_settings, env_settings, _TomlFile(settings_cls)

    @property
    def threads(self) -> int:
        """Number of threads to use, at least 1."""
        return self.n_threads or len(os.sched_getaffinity(0))


class _TomlFile(PydanticBaseSettingsSource):
    """`rag.toml` of the working directory, if there is one."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise AssertionError("not used: __call__ gives all fields at once")

    def __call__(self) -> dict[str, Any]:
        try:
            values = tomllib.loads(CONFIG_FILE.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise SettingsError(f"{CONFIG_FILE.resolve()}: {error}") from error
        _refuse_unknown(values, str(CONFIG_FILE))
        return values


def _refuse_unknown(values: dict[str, Any], where: str) -> None:
    known = list(Settings.model_fields)
    for key in values:
        if key not in known:
            shown = ENV_PREFIX + key.upper() if where == "environment variable" else key
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            hint = ENV_PREFIX + near.upper() if where == "environment variable" else near
            raise SettingsError(f"unknown setting {shown!r} ({where}); the nearest is {hint!r}")
