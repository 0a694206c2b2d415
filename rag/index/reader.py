"""A published version, opened for searching. Opening never writes."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from rag.errors import IndexCorruptError, RagError
from rag.index.catalog import Catalog
from rag.index.layout import IndexFolder, index_names
from rag.index.lexical import LexicalIndex
from rag.index.manifest import CATALOG, LEXICAL, VECTORS, Manifest, read_manifest, verify_files
from rag.index.vectors import VectorIndex


class IndexInfo(BaseModel):
    """One line of `rag list`.

    Attributes:
        name: Name of the index.
        state: `ready`, `not built`, or what is wrong with it.
        version, created, n_articles, n_chunks, model: Of the live version; None without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    state: str
    version: int | None = None
    created: datetime.datetime | None = None
    n_articles: int | None = None
    n_chunks: int | None = None
    model: str | None = None


class OpenIndex:
    """One version of an index. Keeps its files open: a newer version does not disturb it.

    Attributes:
        name: Name of the index.
        version: Number of the version.
        manifest: What it consists of.
        catalog, vectors, lexical: Its parts.
    """

    def __init__(self, folder: IndexFolder, *, n_threads: int) -> None:
        """Open the live version.

        Raises:
            IndexMissingError: no such index, or nothing built yet.
            IndexCorruptError: a file is not what the manifest says.
            IndexFormatError: another version of the on-disk format.
        """
        self.name = folder.name
        self.version = folder.live()
        path = folder.version_path(self.version)
        self.manifest: Manifest = read_manifest(path)
        verify_files(path, self.manifest)
        self.catalog = Catalog.open(path / CATALOG)
        self.vectors = VectorIndex(path / VECTORS, n_threads=n_threads)
        self.lexical = LexicalIndex(path / LEXICAL, self.manifest.config.language)
        self._check_counts(path)

    def _check_counts(self, path: Path) -> None:
        counts = (self.catalog.counts()[1], len(self.vectors.ids), self.lexical.n_chunks)
        if set(counts) != {self.manifest.n_chunks}:
            raise IndexCorruptError(
                f"{path}: catalog, vectors and words hold {counts} chunks,"
                f" the manifest says {self.manifest.n_chunks}",
                mend=f"rag build {self.name} --full",
            )

    def close(self) -> None:
        """Close the files."""
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def list_indexes(index_dir: Path) -> list[IndexInfo]:
    """Every index below a folder, with its state."""
    return [_info(IndexFolder(index_dir, name)) for name in index_names(index_dir)]


def _info(folder: IndexFolder) -> IndexInfo:
    try:
        number = folder.current()
        if number is None:
            return IndexInfo(name=folder.name, state="not built")
        manifest = read_manifest(folder.version_path(number))
    except RagError as error:
        return IndexInfo(name=folder.name, state=error.message)
    return IndexInfo(
        name=folder.name,
        state="ready",
        version=number,
        created=manifest.created,
        n_articles=manifest.n_articles,
        n_chunks=manifest.n_chunks,
        model=manifest.embedder.model,
    )
