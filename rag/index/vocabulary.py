"""The vocabulary of a version: its terms, and how many chunks have each; where words are elsewhere.

A tantivy index with a document for each term, so that terms like a misspelt one are found too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag.index.layout import not_written
from rag.index.lexical import opened

if TYPE_CHECKING:
    import tantivy

_HEAP_BYTES = 50_000_000


class Term(NamedTuple):
    """A term of the vocabulary.

    Attributes:
        number: From 1; another version may count otherwise.
        n_chunks: In how many chunks, or their titles, it stands.
    """

    number: int
    n_chunks: int


def write_vocabulary(folder: Path, n_chunks: Mapping[str, int]) -> dict[str, int]:
    """Number the terms and write them.

    Args:
        folder: The folder to make.
        n_chunks: In how many chunks each term stands.

    Returns:
        The number of each term, from 1.

    Raises:
        IndexWriteError: it cannot be written.
    """
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("term", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("number", fast=True)
    builder.add_integer_field("n_chunks", fast=True)
    numbers = {term: number for number, term in enumerate(sorted(n_chunks), start=1)}
    folder.mkdir()
    try:
        index = tantivy.Index(builder.build(), os.fspath(folder))
        writer = index.writer(_HEAP_BYTES, 1)
        for term, number in numbers.items():
            document = tantivy.Document()
            document.add_text("term", term)
            document.add_integer("number", number)
            document.add_integer("n_chunks", n_chunks[term])
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
    except ValueError as error:  # tantivy knows no other
        raise not_written(folder, str(error)) from error
    for lock in folder.glob("*.lock"):  # empty, and no part of the data
        lock.unlink()
    return numbers


class Vocabulary:
    """The vocabulary of one version, opened. Safe for several threads."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._query = tantivy.Query
        self._searcher, self._schema = opened(folder)

    def terms(self, terms: Iterable[str]) -> list[Term]:
        """Those of these terms that it has."""
        return [
            found
            for term in dict.fromkeys(terms)
            for found in self._found(self._query.term_query(self._schema, "term", term), 1)
        ]

    def like(self, term: str, distance: int, k: int) -> list[Term]:
        """At most k terms that differ from one in few letters.

        Args:
            term: As an `Analyzer` gives it.
            distance: Letters that may differ, 1 or 2; two neighbours exchanged count as one.
            k: Terms wanted, at least 1.
        """
        query = self._query.fuzzy_term_query(self._schema, "term", term, distance=distance)
        return self._found(query, k)

    def _found(self, query: tantivy.Query, k: int) -> list[Term]:
        addresses = [address for _, address in self._searcher.search(query, k, count=False).hits]
        numbers = self._searcher.fast_field_values("number", addresses)
        n_chunks = self._searcher.fast_field_values("n_chunks", addresses)
        return [Term(int(a or 0), int(b or 0)) for a, b in zip(numbers, n_chunks, strict=True)]
