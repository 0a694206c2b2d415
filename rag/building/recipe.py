"""The recipe: everything that decides how an article becomes chunks and vectors.

A build takes over what an earlier one stored only if the recipe is the same.
"""

from __future__ import annotations

import hashlib
import json

from rag.index.catalog import Catalog
from rag.index.config import IndexConfig
from rag.index.manifest import Manifest

CHUNKS = 3
"""The format that brought the chunks and vectors of today; format 4 took them over."""
PIPELINE = 4
"""To be raised when cleaning, splitting, chunking or the embedded text change."""


def recipe_of(config: IndexConfig, model_sha256: str) -> str:
    """sha256 (hex) of the recipe; `model_sha256` is the embedding model's fingerprint."""
    decides = {
        "format": CHUNKS,
        "pipeline": PIPELINE,
        "language": config.language,
        "chunking": config.chunking.model_dump(mode="json"),
        "model": model_sha256,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def why_anew(live: Manifest, config: IndexConfig) -> str:
    """Why nothing of the live version can be taken over."""
    if live.config.embedding.model != config.embedding.model:
        what = f"the embedding model is {config.embedding.model}, it was {live.embedder.model}"
    elif live.config.chunking != config.chunking:
        what = "chunking has changed"
    elif live.config.language != config.language:
        what = f"the language is {config.language}, it was {live.config.language}"
    else:
        what = "the files of the embedding model or this version of rag have changed"
    return f"everything is embedded anew: {what}; the old version stays live until then"


def runtime_of(catalog: Catalog) -> str | None:
    """What made the vectors that are stored already, if any are."""
    identity = json.loads(catalog.meta("embedder") or "null")
    return str(identity["runtime"]) if identity else None
