"""Deriving: from the finished catalog to the vector index and the lexical index.

Where a build goes on from another version, only what differs is written into copies of its files;
chunk ids never change their meaning, so the difference is that of the ids.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.building.into_milvus import write_collection
from rag.building.staging import Base
from rag.errors import IndexError_
from rag.index.catalog import Catalog
from rag.index.config import StoreConfig
from rag.index.layout import CATALOG, LEXICAL, VECTORS, VOCABULARY, Step
from rag.index.lexical import can_update, update_lexical, write_lexical
from rag.index.manifest import FileEntry, describe_file, file_problem
from rag.index.milvus import connected
from rag.index.vectors import kind_for, n_training, update_vectors, write_vectors
from rag.text.analysis import analyzer


@dataclass(frozen=True, slots=True)
class Derived:
    """What was derived.

    Attributes:
        vector_index: Kind of index of the vectors.
        catalog: Checksum of the catalog.
        seconds: By part; the parts are made side by side.
    """

    vector_index: str
    catalog: FileEntry
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Difference:
    """Against the base: ids that are no more, and the last numbers that the base had."""

    base: Base
    removed: NDArray[np.int64]
    last_chunk: int
    last_article: int


def derive(staging: Path, language: str, dimension: int, base: Base | None, step: Step) -> Derived:
    """Write the vector index and the lexical index of a finished catalog beside it.

    Args:
        staging: Folder of the catalog.
        language: ISO 639-1 code of the articles.
        dimension: Length of a vector.
        base: The version whose files may be gone on from.
        step: Told each step.

    Raises:
        IndexWriteError: a file cannot be written.
    """
    path = staging / CATALOG
    seconds: dict[str, float] = {}
    difference = _difference(path, base)

    def vectors() -> str:
        started = time.perf_counter()
        kind = _vectors(staging, dimension, difference, step)
        seconds["vectors"] = time.perf_counter() - started
        return kind

    def words() -> None:
        started = time.perf_counter()
        _words(staging, language, difference, step)
        seconds["lexical"] = time.perf_counter() - started

    # All three wait for the disk or run outside Python most of the time.
    with ThreadPoolExecutor(3) as pool:
        entry, kind, done = (
            pool.submit(describe_file, path),
            pool.submit(vectors),
            pool.submit(words),
        )
        done.result()
        return Derived(kind.result(), entry.result(), seconds)


def derive_into(
    store: StoreConfig, collection: str, staging: Path, language: str, step: Step
) -> Derived:
    """Write the chunks of a finished catalog into Milvus, and their vocabulary beside it.

    Args:
        store: Which Milvus.
        collection: The one to make.
        staging: Folder of the catalog.
        language: ISO 639-1 code of the articles.
        step: Told each step.

    Raises:
        IndexStoreError: Milvus does not answer, or refuses.
        IndexWriteError: a file cannot be written.
    """
    started = time.perf_counter()
    with Catalog.open(staging / CATALOG) as catalog, connected(store, staging.parent) as client:
        step("vectors begun")
        kind = write_collection(
            client, collection, catalog, staging / VOCABULARY, analyzer(language)
        )
        step("vectors written")
    seconds = {"store in Milvus": time.perf_counter() - started}
    return Derived(kind, describe_file(staging / CATALOG), seconds)


def _difference(path: Path, base: Base | None) -> _Difference | None:
    if base is None:
        return None
    try:
        with Catalog.open(base.path / CATALOG) as old, Catalog.open(path) as new:
            ids = old.columns.chunk_ids, new.columns.chunk_ids
            removed = np.setdiff1d(*ids, assume_unique=True)
            return _Difference(
                base,
                removed,
                last_chunk=int(old.columns.chunk_ids.max(initial=0)),
                last_article=int(old.columns.article_numbers.max(initial=0)),
            )
    except IndexError_:
        return None  # then everything is derived anew


def _vectors(staging: Path, dimension: int, difference: _Difference | None, step: Step) -> str:
    with Catalog.open(staging / CATALOG) as catalog:
        kind = kind_for(len(catalog.columns.chunk_ids))
        step("vectors begun")
        if difference and _is_whole(difference.base, VECTORS, kind):
            update_vectors(
                difference.base.path / VECTORS,
                staging / VECTORS,
                difference.removed,
                catalog.chunk_vectors(dimension, after=difference.last_chunk),
            )
        else:
            sample = catalog.sample_vectors(dimension, n_training(kind))
            batches = catalog.chunk_vectors(dimension)
            write_vectors(staging / VECTORS, kind, dimension, sample, batches)
        step("vectors written")
        return kind


def _words(staging: Path, language: str, difference: _Difference | None, step: Step) -> None:
    with Catalog.open(staging / CATALOG) as catalog:
        step("words begun")
        if (
            difference
            and _is_whole(difference.base, LEXICAL)
            and can_update(difference.base.path / LEXICAL, len(difference.removed))
        ):
            update_lexical(
                difference.base.path / LEXICAL,
                staging / LEXICAL,
                language,
                difference.removed.tolist(),
                catalog.chunk_texts(after=difference.last_article),
            )
        else:
            write_lexical(staging / LEXICAL, language, catalog.chunk_texts())
        step("words written")


def _is_whole(base: Base, part: str, kind: str | None = None) -> bool:
    """Whether a part of the base is there, undamaged, and of the kind that is wanted now."""
    if base.manifest.collection is not None or kind not in (None, base.manifest.vector_index):
        return False
    return all(
        file_problem(base.path / name, entry) is None
        for name, entry in base.manifest.files.items()
        if name.split("/")[0] == part
    )
