"""Words in tantivy: BM25 over title and text, with filters evaluated inside the search."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.index.filter import Filter
from rag.index.layout import damaged, not_written
from rag.index.rows import PAGES, UNDATED, ChunkText
from rag.text.analysis import text_analyzer

if TYPE_CHECKING:
    import tantivy

_ANALYZER = "news"  # the name under which an index knows its analyzer
_NO_POSITIONS = "freq"  # nothing asks where in a text a word stands
_HEAP_BYTES = 200_000_000
_LOCKS = (".tantivy-writer.lock", ".tantivy-meta.lock")
# BM25 goes on counting deleted chunks. Past this share of them all is written anew.
_MAX_DELETED = 0.02
# Below so many chunks it is always written anew, so that nothing depends on what was before.
_REWRITTEN_UNTIL = 20_000


def write_lexical(folder: Path, language: str, chunks: Iterable[ChunkText]) -> None:
    """Build and write the lexical index of a version.

    One thread writes it: with more, the order of equal scores would change from build to build,
    and most of the time goes into handing the documents over.

    Args:
        folder: The folder to make.
        language: ISO 639-1 code of the articles; one without a stemmer here is not stemmed.
        chunks: Every chunk.

    Raises:
        IndexWriteError: it cannot be written.
    """
    import tantivy

    folder.mkdir()
    with _writing(folder):
        _write(tantivy.Index(_schema(), os.fspath(folder)), folder, language, (), chunks)


def update_lexical(
    old: Path, new: Path, language: str, removed: Iterable[int], added: Iterable[ChunkText]
) -> None:
    """Write the lexical index of a version from the one of another version.

    Args:
        old: The folder of the other version.
        new: The folder to make. Its files are copies: damage to one version stays in it.
        language: As it was when `old` was written.
        removed: Ids of the chunks that are no more.
        added: The chunks that are new.

    Raises:
        IndexWriteError: it cannot be written.
    """
    import tantivy

    shutil.copytree(old, new)
    with _writing(new):
        _write(tantivy.Index.open(os.fspath(new)), new, language, removed, added)


def can_update(folder: Path, n_removed: int) -> bool:
    """Whether a version's lexical index is worth going on from, rather than writing it anew."""
    segments = json.loads((folder / "meta.json").read_bytes())["segments"]
    n_chunks = sum(segment["max_doc"] for segment in segments)
    deletes = [segment["deletes"] for segment in segments if segment["deletes"]]
    n_deleted = n_removed + sum(item["num_deleted_docs"] for item in deletes)
    return bool(n_chunks > _REWRITTEN_UNTIL and n_deleted <= _MAX_DELETED * n_chunks)


def _write(
    index: tantivy.Index,
    folder: Path,
    language: str,
    removed: Iterable[int],
    added: Iterable[ChunkText],
) -> None:
    index.register_tokenizer(_ANALYZER, text_analyzer(language))
    writer = index.writer(_HEAP_BYTES, 1)
    for chunk_id in removed:
        writer.delete_documents_by_term("chunk_id", chunk_id)
    for chunk in added:
        writer.add_document(_document(chunk))
    writer.commit()
    writer.wait_merging_threads()
    for name in _LOCKS:  # empty, and no part of the data
        (folder / name).unlink(missing_ok=True)


def _document(chunk: ChunkText) -> tantivy.Document:
    import tantivy

    document = tantivy.Document()
    document.add_integer("chunk_id", chunk.chunk_id)
    # The title counts as text of every chunk: names that only the headline has are found, and
    # BM25 of a field of its own would drown the passage (docs/decisions.md).
    document.add_text("text", f"{chunk.title}\n{chunk.text}")
    document.add_integer("day", chunk.day)
    document.add_text("source", chunk.source)
    if chunk.metadata != "{}":
        for key, value in json.loads(chunk.metadata).items():
            if key != PAGES:
                document.add_text("field", field_term(key, value))
    return document


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # tantivy knows no other
        raise not_written(folder, str(error)) from error


class LexicalIndex:
    """The words of one version, opened for searching. Safe for several threads."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._tantivy = tantivy
        self._searcher, self._schema = opened(folder)

    @property
    def n_chunks(self) -> int:
        """Number of chunks in it."""
        return int(self._searcher.num_docs)

    def document_frequency(self, term: str) -> int:
        """In how many chunks' texts a term stands."""
        return int(self._searcher.doc_freq("text", term))

    def search(
        self,
        terms: Sequence[str],
        k: int,
        *,
        filter: Filter | None = None,
        only: Sequence[int] | None = None,
        every: bool = False,
    ) -> list[tuple[int, float]]:
        """The k best chunks by BM25 as (chunk id, score), best first.

        Args:
            terms: As an `Analyzer` of the language gives them; syntax characters mean nothing.
            k: Chunks wanted.
            filter: Which chunks may be found; evaluated inside the search.
            only: Ids of the only chunks that may be found.
            every: Whether each term must stand there, not just one.
        """
        query_type, occur = self._tantivy.Query, self._tantivy.Occur
        if not terms or k < 1:
            return []
        words = [
            (occur.Must if every else occur.Should, self._term("text", term))
            for term in dict.fromkeys(terms)
        ]
        query = query_type.boolean_query(words)
        conditions = self._conditions(filter or Filter())
        if only is not None:
            conditions.append(query_type.term_set_query(self._schema, "chunk_id", list(only)))
        if conditions:
            query = query_type.boolean_query([(occur.Must, query), self._all_of(conditions)])
        return list(zip(*self._found(query, k), strict=True))

    def search_like(
        self, term: str, distance: int, k: int, *, beside: Sequence[str] = ()
    ) -> list[int]:
        """Ids of the k best chunks with a term like one, those with the other terms first.

        Args:
            term: As an `Analyzer` gives it.
            distance: Letters that may differ, 1 or 2; two neighbours exchanged count as one.
            k: Chunks wanted, at least 1.
            beside: Terms that had better stand there too.
        """
        query_type, occur = self._tantivy.Query, self._tantivy.Occur
        like = query_type.fuzzy_term_query(self._schema, "text", term, distance=distance)
        words = [
            (occur.Should, query_type.term_query(self._schema, "text", other)) for other in beside
        ]
        query = query_type.boolean_query(
            [(occur.Must, query_type.const_score_query(like, 0.0)), *words]
        )
        return self._found(query, k)[0]

    def chunk_ids_where(self, metadata: Mapping[str, str]) -> NDArray[np.int64]:
        """Ids of the chunks whose article has these metadata fields, ascending."""
        conditions = self._conditions(Filter(where=metadata))
        query_type = self._tantivy.Query
        query = (
            query_type.boolean_query([self._all_of(conditions)])
            if conditions
            else query_type.all_query()
        )
        ids, _ = self._found(query, max(self.n_chunks, 1))
        return np.sort(np.array(ids, dtype=np.int64))

    def _term(self, field: str, term: str) -> tantivy.Query:
        return self._tantivy.Query.term_query(self._schema, field, term)

    def _found(self, query: tantivy.Query, k: int) -> tuple[list[int], list[float]]:
        """Chunk ids and scores of the k best."""
        found = self._searcher.search(query, k, count=False).hits
        ids = self._searcher.fast_field_values("chunk_id", [address for _, address in found])
        return [int(chunk_id or 0) for chunk_id in ids], [float(score) for score, _ in found]

    def _all_of(self, conditions: Sequence[tantivy.Query]) -> tuple[Any, tantivy.Query]:
        """All conditions as a clause that adds nothing to the score."""
        query_type, occur = self._tantivy.Query, self._tantivy.Occur
        every = query_type.boolean_query([(occur.Must, condition) for condition in conditions])
        return occur.Must, query_type.const_score_query(every, 0.0)

    def _conditions(self, filter: Filter) -> list[tantivy.Query]:
        query_type, occur = self._tantivy.Query, self._tantivy.Occur
        conditions = []
        if filter.since is not None or filter.until is not None:
            days = query_type.range_query(
                self._schema,
                "day",
                self._tantivy.FieldType.Integer,
                filter.since.toordinal() if filter.since else 1,
                (filter.until or datetime.date.max).toordinal(),
            )
            if filter.undated:
                none = query_type.term_query(self._schema, "day", UNDATED)
                days = query_type.boolean_query([(occur.Should, days), (occur.Should, none)])
            conditions.append(days)
        if filter.source:
            sources = list(filter.source)
            conditions.append(query_type.term_set_query(self._schema, "source", sources))
        for key, value in filter.where.items():
            term = field_term(key, value)
            conditions.append(query_type.term_query(self._schema, "field", term))
        return conditions


def opened(folder: Path) -> tuple[tantivy.Searcher, tantivy.Schema]:
    """What searches an index of tantivy, and the fields that it has.

    Raises:
        IndexCorruptError: it does not open.
    """
    import tantivy

    with _links_to(folder) as links:
        try:
            index = tantivy.Index.open(links)
            index.config_reader("Manual", 1)
            return index.searcher(), index.schema
        except ValueError as error:
            raise damaged(folder.parent, f"{folder.name} does not open: {error}") from error


@contextlib.contextmanager
def _links_to(folder: Path) -> Iterator[str]:
    """A temporary folder of links to the files of a folder.

    tantivy makes a lock file where it opens an index; so nothing is written below `indexes/`, and
    once the files are mapped the links may go.
    """
    links = tempfile.mkdtemp(prefix="rag-")
    try:
        for path in folder.iterdir():
            os.symlink(path.resolve(), os.path.join(links, path.name))
        yield links
    finally:
        # A thread of tantivy that watches for changes may just hold a lock file in it.
        # tests/test_building_kills.py::test_killed_at_every_step
        for _ in range(100):
            shutil.rmtree(links, ignore_errors=True)
            if not os.path.exists(links):
                break
            time.sleep(0.01)


def field_term(key: str, value: object) -> str:
    """A field of the metadata as one term."""
    # The same text that SQLite gives for the value, so that both filters agree.
    text = {True: "1", False: "0"}[value] if isinstance(value, bool) else str(value)
    return f"{key}={text}"


def _schema() -> tantivy.Schema:
    """The fields of a chunk: see `docs/index-format.md`."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("chunk_id", stored=False, indexed=True, fast=True)
    builder.add_text_field("text", tokenizer_name=_ANALYZER, index_option=_NO_POSITIONS)
    builder.add_integer_field("day", indexed=True, fast=True)
    builder.add_text_field("source", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("field", tokenizer_name="raw", index_option="basic")
    return builder.build()
