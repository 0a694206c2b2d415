"""Chunks in Milvus: their vectors, words and filters in a collection for each version.

A reader asks for the collection that the manifest of its version names, so that catalog and chunks
are of one version whatever is published meanwhile; an alias names the live one to other programs.
Nothing of a text goes there: words are numbers of the version's own vocabulary, with BM25 weights
made here, so that scores are those of the local store; publishers and metadata are hashes.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import math
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import Vectors
from rag.errors import IndexError_, IndexStoreError, check_extra
from rag.index.candidates import Candidates
from rag.index.columns import article_key
from rag.index.config import StoreConfig
from rag.index.filter import Filter
from rag.index.layout import IndexFolder
from rag.index.lexical import field_term
from rag.index.manifest import Manifest, read_manifest
from rag.index.rows import UNDATED
from rag.index.vocabulary import Term, Vocabulary
from rag.settings import leave_milvus_no_settings

if TYPE_CHECKING:
    from pymilvus import MilvusClient

_BATCH = 1_000
_MOST = 16_384  # entities that Milvus gives to one request
_SEARCH_WIDTH = 4  # neighbours that HNSW looks at for each that is wanted
_LIKE = 50  # terms like a misspelt one that are looked for
_ABOVE = 10  # what they count against all terms beside them
_SECONDS = 30.0


def connect(store: StoreConfig, folder: Path) -> MilvusClient:
    """A client of the Milvus that a store names.

    Args:
        store: With a `uri`.
        folder: Of the index: a file of Milvus Lite is relative to it.

    Raises:
        MissingExtraError: pymilvus is not installed.
        IndexStoreError: it does not answer.
    """
    assert store.uri is not None
    check_extra("a store in Milvus", extra="cluster", library="pymilvus")
    leave_milvus_no_settings()
    for library in ("pymilvus", "milvus_lite", "grpc"):  # errors are raised, and told here
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    uri = store.uri
    if not uri.startswith("http"):
        check_extra("a store in a file of Milvus", extra="cluster", library="milvus_lite")
        uri = str((folder / uri).resolve())
    from pymilvus import MilvusClient

    with translated(store.uri):
        return MilvusClient(uri, timeout=_SECONDS)


@contextlib.contextmanager
def connected(store: StoreConfig, folder: Path) -> Iterator[MilvusClient]:
    """As `connect`, closed at the end."""
    client = connect(store, folder)
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def translated(uri: str | None) -> Iterator[None]:
    """Raise what Milvus refuses as an `IndexStoreError`."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        raise IndexStoreError(
            f"the store {uri} does not do what it is asked: {error.message}",
            mend="start it, or correct [store] in index.toml; a file of Milvus Lite opens in one"
            " process at a time",
        ) from error


def new_collection(index: str) -> str:
    """A name for the collection of a version that is about to be written."""
    return f"{_alias(index)}_{secrets.token_hex(6)}"


def drop_collection(store: StoreConfig, name: str, folder: Path) -> None:
    """Delete a collection if it is there.

    Raises:
        IndexStoreError: Milvus does not answer, or refuses.
    """
    with connected(store, folder) as client, translated(store.uri):
        client.drop_collection(name)


def drop_chunks(version: Path) -> None:
    """Delete what Milvus holds of a version that is about to be deleted, if it holds any.

    Raises:
        IndexStoreError: Milvus does not answer, or refuses.
    """
    try:
        manifest = read_manifest(version)
    except IndexError_:
        return  # nobody knows any more what it was called
    if manifest.collection is not None:
        drop_collection(manifest.config.store, manifest.collection, version.parent.parent)


def set_alias(folder: IndexFolder) -> None:
    """Have the alias name the collection of the live version, if it has one.

    Readers of `rag` do not go by it, so that it may follow a moment later.

    Raises:
        IndexStoreError: Milvus does not answer, or refuses.
    """
    manifest = read_manifest(folder.version_path(folder.live()))
    if (name := manifest.collection) is None:
        return
    store = manifest.config.store
    alias = store.alias or _alias(folder.name)
    with connected(store, folder.path) as client, translated(store.uri):
        if client.has_collection(alias):
            client.alter_alias(name, alias)
        else:
            client.create_alias(name, alias)


def _alias(index: str) -> str:
    return "rag_" + "".join(char if char.isalnum() else "_" for char in index)


def key_of(text: str) -> int:
    """A number of 63 bits that stands for a text: the filters of Milvus Lite take no sign."""
    return article_key(text) & (2**63 - 1)


class MilvusStore:
    """The chunks of one version in Milvus. Safe for several threads. See `CandidateStore`.

    Args:
        client: Closed with this.
        manifest: Of the version.
        vocabulary: Of the version.
    """

    def __init__(self, client: MilvusClient, manifest: Manifest, vocabulary: Vocabulary) -> None:
        assert manifest.collection is not None
        self._client = client
        self._uri = manifest.config.store.uri
        self._name = manifest.collection
        self._is_hnsw = manifest.vector_index == "HNSW"
        self._vocabulary = vocabulary
        self._n_chunks = manifest.n_chunks

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    @property
    def n_chunks(self) -> int:
        """Number of chunks, as the manifest has it."""
        return self._n_chunks

    def count(self) -> int:
        """Number of chunks, as Milvus counts them; 0 where there is no such collection."""
        with translated(self._uri):
            if not self._client.has_collection(self._name):
                return 0
            self._client.load_collection(self._name)
            (row,) = self._client.query(
                self._name, "", output_fields=["count(*)"], consistency_level="Strong"
            )
            return int(row["count(*)"])

    @property
    def ids(self) -> NDArray[np.int64]:
        """Every id, ascending."""
        found: list[int] = []
        with translated(self._uri):
            pages = self._client.query_iterator(
                self._name, _BATCH, filter="chunk_id > 0", output_fields=["chunk_id"]
            )
            while rows := pages.next():
                found += [row["chunk_id"] for row in rows]
            pages.close()
        return np.sort(np.array(found, dtype=np.int64))

    def document_frequency(self, term: str) -> int:
        """In how many chunks, or their titles, a term stands."""
        return next((found.n_chunks for found in self._vocabulary.terms([term])), 0)

    def candidates(
        self,
        terms: Sequence[str],
        vector: Vectors,
        filter: Filter,
        n: int,
        only: Sequence[int] | None = None,
    ) -> Candidates:
        """The n best chunks by cosine and the n best by BM25, at most 16,384 of each.

        What one of the two found is fetched for the other: a part that is missing is not 0. With
        `only` they are among the chunks with these ids.
        """
        among = "" if only is None else f"chunk_id in {list(only)}"
        clause = " and ".join(part for part in (expression(filter), among) if part)
        cosines = dict(self._search("vector", vector, n, clause))
        weights = self._weights(self._vocabulary.terms(terms))
        bm25 = dict(self._search("words", weights, n, clause)) if weights else {}
        for chunk_id, words in self._fetch(cosines.keys() - bm25.keys(), "words").items():
            bm25[chunk_id] = sum(words.get(term, 0.0) * idf for term, idf in weights.items())
        for chunk_id, own in self._fetch(bm25.keys() - cosines.keys(), "vector").items():
            cosines[chunk_id] = float(np.asarray(own, dtype=np.float32) @ vector)
        ids = sorted(cosines)
        return Candidates(
            np.array(ids, dtype=np.int64),
            np.clip(np.array([cosines[chunk_id] for chunk_id in ids], dtype=np.float32), -1, 1),
            np.array([bm25[chunk_id] for chunk_id in ids], dtype=np.float32),
        )

    def search(self, terms: Sequence[str], k: int) -> list[tuple[int, float]]:
        """The k best chunks by BM25 as (chunk id, score), best first."""
        weights = self._weights(self._vocabulary.terms(terms))
        return self._search("words", weights, k, "") if weights and k > 0 else []

    def search_like(
        self, term: str, distance: int, k: int, *, beside: Sequence[str] = ()
    ) -> list[int]:
        """Ids of the k best chunks with a term like one. See `LexicalIndex.search_like`.

        Where fewer have one, chunks with terms of `beside` follow.
        """
        like = self._vocabulary.like(term, distance, _LIKE)
        if not like:
            return []
        weights = self._weights(self._vocabulary.terms(beside))
        above = _ABOVE * (1.0 + sum(weights.values()))
        weights |= {found.number: above for found in like}
        return [chunk_id for chunk_id, _ in self._search("words", weights, k, "")]

    def passing(self, chunk_ids: Iterable[int], filter: Filter) -> set[int]:
        """Those of these chunks whose article passes a filter."""
        ids = sorted(chunk_ids)
        found: set[int] = set()
        with translated(self._uri):
            for at in range(0, len(ids), _BATCH):
                among = f"chunk_id in {ids[at : at + _BATCH]}"
                clause = " and ".join(filter_ for filter_ in (expression(filter), among) if filter_)
                rows = self._client.query(self._name, clause, output_fields=["chunk_id"])
                found |= {row["chunk_id"] for row in rows}
        return found

    def _weights(self, terms: Iterable[Term]) -> dict[int, float]:
        """By the number of each term what it counts in BM25."""
        return {
            term.number: math.log(
                1 + (self._n_chunks - term.n_chunks + 0.5) / (term.n_chunks + 0.5)
            )
            for term in terms
        }

    def _search(self, field: str, query: Any, k: int, clause: str) -> list[tuple[int, float]]:
        k = min(k, _MOST)
        width = {"ef": _SEARCH_WIDTH * k} if field == "vector" and self._is_hnsw else {}
        with translated(self._uri):
            (found,) = self._client.search(
                self._name,
                [query],
                clause,
                limit=k,
                anns_field=field,
                output_fields=["chunk_id"],
                search_params={"metric_type": "IP", "params": width},
            )
        return [(int(hit["chunk_id"]), float(hit["distance"])) for hit in found]

    def _fetch(self, chunk_ids: Iterable[int], field: str) -> dict[int, Any]:
        ids = sorted(chunk_ids)
        found: dict[int, Any] = {}
        with translated(self._uri):
            for at in range(0, len(ids), _BATCH):
                rows = self._client.query(
                    self._name,
                    f"chunk_id in {ids[at : at + _BATCH]}",
                    output_fields=["chunk_id", field],
                )
                found |= {row["chunk_id"]: row[field] for row in rows}
        return found


def expression(filter: Filter) -> str:
    """A filter in the language of Milvus; empty if it lets every chunk pass."""
    parts = []
    if filter.since or filter.until:
        first = filter.since.toordinal() if filter.since else UNDATED + 1
        last = (filter.until or datetime.date.max).toordinal()
        days = f"(day >= {first} and day <= {last})"
        parts.append(f"({days} or day == {UNDATED})" if filter.undated else days)
    if filter.source:
        parts.append(f"source in {[key_of(source) for source in filter.source]}")
    for item in filter.where.items():
        parts.append(f"array_contains(fields, {key_of(field_term(*item))})")
    return " and ".join(parts)
