"""A published version, opened for searching. Opening never writes."""

from __future__ import annotations

import datetime
import os
import weakref
from collections.abc import Collection, Sequence, Set
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from rag.embedding import Vectors
from rag.errors import IndexCorruptError, RagError
from rag.index.candidates import Candidates, propose
from rag.index.catalog import Catalog
from rag.index.filter import Filter
from rag.index.layout import (
    CATALOG,
    LEXICAL,
    VECTORS,
    VOCABULARY,
    IndexFolder,
    damaged,
    index_names,
)
from rag.index.lexical import LexicalIndex
from rag.index.manifest import HASHED_CATALOG_BYTES, Manifest, read_manifest, verify_files
from rag.index.milvus import MilvusStore, connect
from rag.index.vectors import VectorIndex
from rag.index.vocabulary import Vocabulary
from rag.text.analysis import analyzer
from rag.text.language import Language

MOST_PASSAGES = 10_000


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
        catalog: Its articles.
        vectors, lexical: Of its chunks, where files of the version keep them.
        store: What keeps them elsewhere; None where those do.
        analyzer: Makes terms of texts in its language.
    """

    def __init__(
        self,
        folder: IndexFolder,
        *,
        n_threads: int,
        hashed_catalog_bytes: int | None = HASHED_CATALOG_BYTES,
    ) -> None:
        """Open the live version.

        Args:
            folder: The index.
            n_threads: Threads for searching, at least 1.
            hashed_catalog_bytes: A larger catalog is compared by size, and row by row as it is
                read; None hashes it whatever its size.

        Raises:
            IndexMissingError: no such index, or nothing built yet.
            IndexCorruptError: a file is not what the manifest says.
            IndexFormatError: another version of the on-disk format.
        """
        self.name = folder.name
        self._folder = folder.path
        self.version = folder.live()
        while True:
            try:
                self._open(folder.version_path(self.version), n_threads, hashed_catalog_bytes)
                return
            except IndexCorruptError:
                # Deleted meanwhile, because two newer versions were published?
                live = folder.live()
                if live == self.version:
                    raise
                self.version = live

    def _open(self, path: Path, n_threads: int, hashed_catalog_bytes: int | None) -> None:
        self.manifest: Manifest = read_manifest(path)
        self.analyzer = analyzer(self.manifest.config.language)
        verify_files(path, self.manifest, hashed_catalog_bytes=hashed_catalog_bytes)
        counts = self._open_chunks(path, n_threads)
        self.catalog = Catalog.open(path / CATALOG)
        try:
            found = (len(self.catalog.columns.chunk_ids), *counts)
            if set(found) != {self.manifest.n_chunks}:
                raise damaged(
                    path,
                    f"catalog, vectors and words hold {found} chunks,"
                    f" the manifest says {self.manifest.n_chunks}",
                )
        except IndexCorruptError:
            self.close()
            raise
        # Whoever replaces it by a newer version need not know who still reads it.
        weakref.finalize(self, self.catalog.close)

    def _open_chunks(self, path: Path, n_threads: int) -> tuple[int, ...]:
        """Open what keeps the chunks; how many each part of it has."""
        self.store: MilvusStore | None = None
        if self.manifest.collection is not None:
            vocabulary = Vocabulary(path / VOCABULARY)
            client = connect(self.manifest.config.store, self._folder)
            self.store = MilvusStore(client, self.manifest, vocabulary)
            weakref.finalize(self, client.close)
            return (self.store.count(),)
        try:
            self.lexical = LexicalIndex(path / LEXICAL)
        except OSError as error:
            raise damaged(path, f"{LEXICAL} cannot be read: {error}") from error
        self.vectors = VectorIndex(path / VECTORS, n_threads=n_threads)
        return len(self.vectors), self.lexical.n_chunks

    @property
    def language(self) -> Language:
        """The rules of the language of its articles."""
        return self.analyzer.language

    @property
    def n_chunks(self) -> int:
        """Number of chunks in it."""
        return self.manifest.n_chunks

    def document_frequency(self, term: str) -> int:
        """In how many chunks, or their titles, a term stands."""
        return (self.store or self.lexical).document_frequency(term)

    def search_words(self, terms: Sequence[str], k: int) -> list[tuple[int, float]]:
        """The k best chunks by BM25; see `LexicalIndex.search`."""
        return (self.store or self.lexical).search(terms, k)

    def search_like(
        self, term: str, distance: int, k: int, *, beside: Sequence[str] = ()
    ) -> list[int]:
        """Ids of the k best chunks with a term like one; see `LexicalIndex.search_like`."""
        return (self.store or self.lexical).search_like(term, distance, k, beside=beside)

    def candidates(
        self, terms: Sequence[str], vector: Vectors, filter: Filter, n: int
    ) -> Candidates:
        """What vectors and words propose; see `rag.retrieval.CandidateStore`."""
        (found,) = self.candidates_of([(terms, vector)], filter, n)
        return found

    def candidates_of(
        self,
        questions: Sequence[tuple[Sequence[str], Vectors]],
        filter: Filter,
        n: int,
        only: NDArray[np.int64] | None = None,
    ) -> list[Candidates]:
        """Like `candidates`, for many questions, each its terms and its vector.

        Args:
            questions, filter, n: See there.
            only: Ids of the only chunks that may be proposed, ascending; None lets every one.
        """
        listed = None if only is None else only.tolist()
        if self.store is not None:
            return [self.store.candidates(*one, filter, n, listed) for one in questions]
        allowed = only
        if not filter.passes_all:
            allowed = self.chunk_ids_where(filter)
            if only is not None:
                allowed = np.intersect1d(allowed, only, assume_unique=True)
        return propose(self.vectors, self.lexical, questions, filter, allowed, n, listed)

    def mentions(self, words: str) -> dict[str, tuple[int, int]]:
        """Articles with a passage, or its title, that has every one of these words.

        Words count in any of their forms ("closes", "closed"); those that mean nothing by
        themselves count only where there are no others.

        Args:
            words: As somebody types them; syntax characters mean nothing.

        Returns:
            By `article_id` the span of its best passage; the best `MOST_PASSAGES` of all are
            looked at. Empty without words.
        """
        terms = self.analyzer.content_terms(words) or self.analyzer.terms(words)
        best = [chunk for chunk, _ in self.lexical.search(terms, MOST_PASSAGES, every=True)]
        passages = self.catalog.passages(best)
        found: dict[str, tuple[int, int]] = {}
        for chunk in best:
            article_id, *span = passages[chunk]
            found.setdefault(article_id, (span[0], span[1]))
        return found

    def chunk_ids_where(self, filter: Filter) -> NDArray[np.int64]:
        """Ids of the chunks whose article passes a filter, ascending."""
        if self.store is not None:
            passing = self.store.passing(self.catalog.columns.chunk_ids.tolist(), filter)
            return np.array(sorted(passing), dtype=np.int64)
        ids = self.catalog.chunk_ids_where(filter)
        if filter.where:
            fitting = self.lexical.chunk_ids_where(filter.where)
            ids = np.intersect1d(ids, fitting, assume_unique=True)
        return ids

    def passing(self, articles: Collection[int], filter: Filter) -> Set[int]:
        """Those of these articles, by their number, that pass a filter."""
        if filter.passes_all or not articles:
            return frozenset(articles)
        chunks = self.catalog.first_chunks(sorted(articles))
        if self.store is not None:
            found = self.store.passing(chunks.values(), filter)
            return {article for article, chunk_id in chunks.items() if chunk_id in found}
        allowed = self.chunk_ids_where(filter)
        passes = np.isin(list(chunks.values()), allowed)
        return {article for article, passed in zip(chunks, passes, strict=True) if passed}

    def close(self) -> None:
        """Close the files, and the connection to the store."""
        self.catalog.close()
        if self.store is not None:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def list_indexes(index_dir: Path) -> list[IndexInfo]:
    """Every index below a folder, with its state."""
    return [_info(index_dir, name) for name in index_names(index_dir)]


def _info(index_dir: Path, name: str) -> IndexInfo:
    try:
        folder = IndexFolder(index_dir, name)
        number = folder.current()
        if number is None:
            return IndexInfo(name=folder.name, state="not built")
        manifest = read_manifest(folder.version_path(number))
    except RagError as error:
        shown = os.fsencode(name).decode("utf-8", "replace")  # a folder may have any name
        return IndexInfo(name=shown, state=error.message)
    return IndexInfo(
        name=folder.name,
        state="ready",
        version=number,
        created=manifest.created,
        n_articles=manifest.n_articles,
        n_chunks=manifest.n_chunks,
        model=manifest.embedder.model,
    )
