"""Boilerplate of a catalog, with the lines that an earlier build noted of its articles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rag.building.boilerplate import (
    Carrier,
    boilerplate,
    line_keys,
    publisher_of,
    share_told_elsewhere,
)
from rag.building.stories import Member
from rag.index.columns import article_key
from rag.index.database import Database, Row

RULES = 1
"""To be raised when the rules of what a line is change."""
_BATCH = 1_000
_HEADS = "SELECT number, article_id, source, url, path, published, title FROM articles"


def find_boilerplate(database: Database, members: Mapping[int, Member]) -> NDArray[np.int64]:
    """The boilerplate in the articles of a catalog; keeps in it the lines of each article.

    Args:
        database: The catalog.
        members: By number, the articles that belong to a story with several.

    Returns:
        Shape (n, 3), ascending: number of an article, and the span of a sentence in its text.

    Raises:
        IndexWriteError: it cannot be written.
    """
    _forget(database)
    _note_lines(database)
    lines = {
        number: np.frombuffer(keys, dtype="<u8")
        for number, keys in database.rows("SELECT article, keys FROM lines")
    }
    carriers = [_carrier(row, members) for row in database.rows(_HEADS)]
    found = boilerplate(carriers, lines, _reader(database))
    spans = [
        (carrier.number, start, end)
        for carrier in carriers
        if (wanted := found.get(carrier.publisher)) is not None
        and np.isin(lines[carrier.number], wanted).any()
        for start, end in _spans(database, carrier.number, wanted)
    ]
    return np.array(sorted(spans), dtype=np.int64).reshape(-1, 3)


def _carrier(row: Row, members: Mapping[int, Member]) -> Carrier:
    number, article_id, source, url, path, published, title = row
    story = members[number].first if number in members else number
    publisher = publisher_of(source, url, path)
    return Carrier(number, article_key(article_id), publisher, story, published, title)


def _forget(database: Database) -> None:
    """Forget the lines of articles that are no more, or that were noted by other rules."""
    with database.transaction():
        row = database.row("SELECT value FROM meta WHERE key='lines'")
        kept = row is not None and row[0] == str(RULES)
        gone = "NOT IN (SELECT number FROM articles)" if kept else "IS NOT NULL"
        database.run(f"DELETE FROM lines WHERE article {gone}")
        database.run("INSERT OR REPLACE INTO meta VALUES ('lines', ?)", (str(RULES),))


def _note_lines(database: Database) -> None:
    """Note the lines of the articles that lack them."""
    query = (
        "SELECT number, text FROM articles WHERE number > ?"
        " AND number NOT IN (SELECT article FROM lines) ORDER BY number LIMIT ?"
    )
    last = 0
    while rows := database.rows(query, (last, _BATCH)):
        sentences = _sentences(database, [number for number, _ in rows])
        noted = []
        for number, text in rows:
            keys, spans = line_keys(text, sorted(sentences[number]))
            noted.append((number, keys.astype("<u8").tobytes(), spans.astype("<i4").tobytes()))
        with database.transaction():
            database.run_many("INSERT INTO lines VALUES (?, ?, ?)", noted)
        last = rows[-1][0]


def _sentences(database: Database, numbers: list[int]) -> Mapping[int, set[tuple[int, int]]]:
    """The sentences of articles; chunks share some."""
    found: dict[int, set[tuple[int, int]]] = defaultdict(set)
    query = "SELECT article, sentences FROM chunks INDEXED BY chunks_article WHERE article IN"
    for number, blob in database.rows_in(query, numbers):
        spans = np.frombuffer(blob, dtype="<i4").reshape(-1, 2).tolist()
        found[number].update((start, end) for start, end in spans)
    return found


def _spans(database: Database, number: int, wanted: NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Where these lines stand in an article."""
    ((keys, blob),) = database.rows("SELECT keys, spans FROM lines WHERE article=?", (number,))
    spans = np.frombuffer(blob, dtype="<i4").reshape(-1, 2)
    chosen = spans[np.isin(np.frombuffer(keys, dtype="<u8"), wanted)]
    return [(start, end) for start, end in chosen.tolist()]


def _reader(database: Database) -> Callable[[int, int], float]:
    def told_elsewhere(number: int, key: int) -> float:
        ((title, text),) = database.rows(
            "SELECT title, text FROM articles WHERE number=?", (number,)
        )
        start, end = _spans(database, number, np.array([key], dtype=np.uint64))[0]
        return share_told_elsewhere(title, text, start, end)

    return told_elsewhere
