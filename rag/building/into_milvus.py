"""Into Milvus: the chunks of a finished catalog, for the store of `rag.index.milvus`.

Words are numbers of the version's vocabulary, with BM25 weights made here: Milvus' own analyzers
are not ours, and Milvus Lite counts in how many chunks a word stands for each of its files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.index.catalog import Catalog
from rag.index.lexical import field_term
from rag.index.milvus import key_of, translated
from rag.index.rows import PAGES, ChunkText
from rag.index.vectors import FLAT_UNTIL
from rag.index.vocabulary import write_vocabulary
from rag.text.analysis import Analyzer

if TYPE_CHECKING:
    from pymilvus import MilvusClient

_K1, _B = 1.2, 0.75  # as tantivy has them
_BATCH = 1_000
_NO_TERM = 0  # Milvus takes no empty sparse vector; no term has this number
_MAX_FIELDS = 4_096  # elements of an array, in Milvus
_LINKS, _BUILD_WIDTH = 16, 200  # of HNSW


class _Statistics(NamedTuple):
    """Of all chunks: in how many each term stands, and terms in one on average."""

    n_chunks: Mapping[str, int]
    mean_length: float


def write_collection(
    client: MilvusClient, name: str, catalog: Catalog, words: Path, analyzer: Analyzer
) -> str:
    """Write the chunks of a finished catalog into a collection, and their vocabulary beside it.

    Args:
        client: Of the Milvus that takes them.
        name: Of the collection, which is made.
        catalog: The chunks.
        words: The folder to write the vocabulary into.
        analyzer: Makes terms of texts.

    Returns:
        The kind of index of the vectors, in the words of Milvus.

    Raises:
        IndexStoreError: Milvus refuses.
        IndexWriteError: the vocabulary cannot be written.
    """
    n_chunks = len(catalog.columns.chunk_ids)
    kind = "FLAT" if n_chunks <= FLAT_UNTIL else "HNSW"
    statistics = _statistics(catalog.chunk_texts(), analyzer)
    numbers = write_vocabulary(words, statistics.n_chunks)
    with translated("Milvus"):
        rows = _rows(catalog, analyzer, numbers, statistics.mean_length)
        for batch in _batches(rows):
            if not client.has_collection(name):
                _create(client, name, len(batch[0]["vector"]))
            client.insert(name, batch)
        client.flush(name)
        indexes = client.prepare_index_params()
        hnsw = {"M": _LINKS, "efConstruction": _BUILD_WIDTH} if kind == "HNSW" else {}
        indexes.add_index("vector", index_type=kind, metric_type="IP", params=hnsw)
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        client.create_index(name, indexes)
        client.load_collection(name)
    return kind


def _create(client: MilvusClient, name: str, dimension: int) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("chunk_id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("day", DataType.INT64)
    schema.add_field("source", DataType.INT64)
    schema.add_field(
        "fields", DataType.ARRAY, element_type=DataType.INT64, max_capacity=_MAX_FIELDS
    )
    # It never changes once it is live: no reader need wait for a writer.
    client.create_collection(name, schema=schema, consistency_level="Bounded")


def _statistics(chunks: Iterable[ChunkText], analyzer: Analyzer) -> _Statistics:
    n_chunks: Counter[str] = Counter()
    n, length = 0, 0
    for chunk in chunks:
        terms = analyzer.terms(f"{chunk.title}\n{chunk.text}")
        n_chunks.update(set(terms))
        n, length = n + 1, length + len(terms)
    return _Statistics(n_chunks, length / max(n, 1))


def _rows(
    catalog: Catalog, analyzer: Analyzer, numbers: Mapping[str, int], mean_length: float
) -> Iterator[dict[str, Any]]:
    texts = catalog.chunk_texts()
    for batch in _batches(texts):
        vectors = catalog.vectors_of([chunk.chunk_id for chunk in batch])
        for chunk in batch:
            terms = Counter(analyzer.terms(f"{chunk.title}\n{chunk.text}"))
            shorter = _K1 * (1 - _B + _B * terms.total() / (mean_length or 1))
            words = {numbers[term]: n * (_K1 + 1) / (n + shorter) for term, n in terms.items()}
            metadata = json.loads(chunk.metadata)
            fields = [key_of(field_term(*item)) for item in metadata.items() if item[0] != PAGES]
            yield {
                "chunk_id": chunk.chunk_id,
                "vector": vectors[chunk.chunk_id],
                "words": words or {_NO_TERM: 1.0},
                "day": chunk.day,
                "source": key_of(chunk.source),
                "fields": fields[:_MAX_FIELDS],
            }


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
