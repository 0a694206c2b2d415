"""`index.toml`: what goes into an index, and how it is cut and embedded."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rag.chunking import ChunkingSettings
from rag.errors import IndexMissingError, SettingsError

FILE_NAME = "index.toml"


class EmbeddingConfig(BaseModel):
    """`[embedding]` of `index.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "all-MiniLM-L6-v2"


class StoreConfig(BaseModel):
    """`[store]` of `index.toml`: what keeps the chunks of each version for searching.

    Attributes:
        kind: `local` keeps them in files of the version; `milvus` in a collection.
        uri: Of the Milvus server, as `http://HOST:19530`; or a file of Milvus Lite that ends in
            `.db`, relative to the folder of `index.toml`.
        alias: What the collection of the live version is called too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["local", "milvus"] = "local"
    uri: str | None = Field(None, pattern=r"^(https?://[^@/?#]+/?|[^:@?#]+\.db)$")
    alias: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")

    @model_validator(mode="after")
    def _uri_where_it_belongs(self) -> Self:
        if (self.kind == "milvus") != (self.uri is not None):
            raise ValueError('kind = "milvus" takes a uri, and nothing else does')
        return self


class IndexConfig(BaseModel):
    """What is chosen when an index is built. Copied into the manifest of each version.

    Attributes:
        sources: Files, folders or globs, relative to the folder of `index.toml`.
        language: ISO 639-1 code of the articles; chooses the stemmer and the rules of answering.
        without: `article_id` of articles that the sources hold and the index is not to have.
        chunking: How articles are cut.
        embedding: Which model makes the vectors.
        store: What keeps the chunks for searching.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...]
    language: str = "en"
    without: tuple[str, ...] = ()
    chunking: ChunkingSettings = Field(default_factory=ChunkingSettings)
    embedding: EmbeddingConfig = Field(default_factory=EmbeddingConfig)
    store: StoreConfig = Field(default_factory=StoreConfig)


def read_config(path: Path) -> IndexConfig:
    """Read `index.toml`.

    Raises:
        IndexMissingError: there is no such file.
        SettingsError: it is not TOML, a key is unknown, or a value does not fit.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return IndexConfig.model_validate(values)
    except FileNotFoundError as error:
        raise IndexMissingError(
            f"there is no index {path.parent.name!r}: {path} does not exist",
            mend=f'write {path} with a line such as: sources = ["../../my-articles"]',
        ) from error
    except ValidationError as error:
        raise SettingsError(f"{path}: {_explain(error)}", mend=f"edit {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}", mend=f"edit {path}") from error


def _explain(error: ValidationError) -> str:
    # A misspelt key is also a missing one: the spelling says more.
    errors = error.errors()
    first = next((item for item in errors if item["type"] == "extra_forbidden"), errors[0])
    where = [str(part) for part in first["loc"]]
    if first["type"] != "extra_forbidden":
        return f"{'.'.join(where)}: {first['msg']}"
    models: dict[str, type[BaseModel]] = {
        "chunking": ChunkingSettings,
        "embedding": EmbeddingConfig,
        "store": StoreConfig,
    }
    known = list((models[where[0]] if len(where) > 1 else IndexConfig).model_fields)
    near = difflib.get_close_matches(where[-1], known, n=1, cutoff=0.0)[0]
    return f"unknown key {'.'.join(where)!r}; the nearest is {near!r}"
