"""Stories of a catalog, with what an earlier build knows of them.

Sketches, comparisons of two articles and the repeated chunks of an article depend on the articles
concerned alone: what is stored of them is as good as found anew. The rest is found each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.building.stories import Alike, Head, Member, Reading, alike, group, may_share, sketch
from rag.index.database import Database
from rag.text.same import SAME_SHARE, Runs

RULES = 2
"""To be raised when the rules of what is the same text change."""
_BATCH = 1_000
_N_READ = 128  # articles whose runs are kept: those that follow one another are compared
_MIN_SENTENCE_RUNS = 10  # shorter ones, such as lines of credit, may be new in a chunk that repeats
_SENTENCE_SHARE = 0.5  # of a sentence that is worded otherwise, not new
_HEADS = (
    "SELECT number, article_id, path, published, json_extract(metadata, '$.published'),"
    " json_extract(metadata, '$.updated'), url FROM articles"
)
_CHUNKS = "SELECT chunk_id, start, end, sentences FROM chunks WHERE article=? ORDER BY chunk_id"


@dataclass(frozen=True, slots=True)
class Stories:
    """The stories of a catalog.

    Attributes:
        members: By number, the articles that belong to a story with several.
        repeats: By chunk, the number of the article that is shown instead: its newest version, or
            the one that stands for the story, where the text of the chunk stands in that.
    """

    members: Mapping[int, Member]
    repeats: Mapping[int, int]


def find_stories(database: Database) -> Stories:
    """Group the articles of a catalog, and keep in it what the next build need not find again.

    Raises:
        IndexWriteError: it cannot be written.
    """
    _forget(database)
    heads = [_head(row) for row in database.rows(_HEADS)]
    texts = _Texts(database)
    sketches = _sketches(database)
    compared = _Compared(database, texts, sketches)
    members = group(heads, sketches, compared)
    with database.transaction():
        compared.keep()
        found = dict(_repeats(database, texts, members))
    return Stories(members, found)


def _head(row: tuple[object, ...]) -> Head:
    number, article_id, path, published, stated, updated, url = row
    moments = [value if isinstance(value, str) else None for value in (stated, updated)]
    texts = [None if value is None else str(value) for value in (path, published, url)]
    assert isinstance(number, int)
    return Head(number, str(article_id), texts[0], texts[1], (moments[0], moments[1]), texts[2])


def _forget(database: Database) -> None:
    """Forget what is known of articles that are no more, or was found by other rules."""
    with database.transaction():
        row = database.row("SELECT value FROM meta WHERE key='stories'")
        gone = "NOT IN (SELECT number FROM articles)"
        if row is None or row[0] != str(RULES):
            gone = "IS NOT NULL"
        database.run(f"DELETE FROM sketches WHERE article {gone}")
        database.run(f"DELETE FROM compared WHERE one {gone} OR other {gone}")
        database.run(f"DELETE FROM repeats WHERE article {gone}")
        database.run("INSERT OR REPLACE INTO meta VALUES ('stories', ?)", (str(RULES),))


def _sketches(database: Database) -> dict[int, NDArray[np.uint64]]:
    """The sketch of every article, by its number; those that lack are made."""
    query = (
        "SELECT number, text FROM articles WHERE number > ?"
        " AND number NOT IN (SELECT article FROM sketches) ORDER BY number LIMIT ?"
    )
    last = 0
    while rows := database.rows(query, (last, _BATCH)):
        made = [(number, sketch(text).astype("<u8").tobytes()) for number, text in rows]
        with database.transaction():
            database.run_many("INSERT INTO sketches VALUES (?, ?)", made)
        last = rows[-1][0]
    stored = database.rows("SELECT article, runs FROM sketches")
    return {number: np.frombuffer(runs, dtype="<u8") for number, runs in stored}


class _Texts:
    """Articles, read once while they are needed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: OrderedDict[int, Reading] = OrderedDict()

    def reading(self, number: int) -> Reading:
        if number not in self._read:
            query = "SELECT title, text FROM articles WHERE number=?"
            ((title, text),) = self._database.rows(query, (number,))
            self._read[number] = Reading(title, text)
            if len(self._read) > _N_READ:
                self._read.popitem(last=False)
        self._read.move_to_end(number)
        return self._read[number]


class _Compared:
    """What articles are to each other: as stored, or found and to be stored."""

    def __init__(
        self, database: Database, texts: _Texts, sketches: Mapping[int, NDArray[np.uint64]]
    ) -> None:
        self._database = database
        self._texts = texts
        self._sketches = sketches
        rows = database.rows("SELECT one, other, alike FROM compared")
        self._known = {(one, other): Alike(found) for one, other, found in rows}
        self._new: dict[tuple[int, int], Alike] = {}

    def __call__(self, one: Head, other: Head) -> Alike:
        pair = min(one.number, other.number), max(one.number, other.number)
        found = self._known.get(pair)
        if found is None:
            sketches = self._sketches[pair[0]], self._sketches[pair[1]]
            at_one = one.address is not None and one.address == other.address
            if not at_one and not may_share(*sketches):
                return Alike.NEITHER
            readings = self._texts.reading(one.number), self._texts.reading(other.number)
            found = self._known[pair] = self._new[pair] = alike(one, other, readings)
        return found

    def keep(self) -> None:
        """Store what was found."""
        rows = ((*pair, int(found)) for pair, found in self._new.items())
        self._database.run_many("INSERT OR REPLACE INTO compared VALUES (?, ?, ?)", rows)


def _repeats(
    database: Database, texts: _Texts, members: Mapping[int, Member]
) -> Iterator[tuple[int, int]]:
    """Chunks whose text stands in the article that is shown instead, with that article."""
    stored = {row[0]: row[1:] for row in database.rows("SELECT * FROM repeats")}
    gone = ((number,) for number in stored.keys() - members.keys())
    database.run_many("DELETE FROM repeats WHERE article=?", gone)
    for number, member in members.items():
        shown, newest, chunks = stored.get(number, (0, 0, b""))
        if (shown, newest) == (member.shown, member.newest):
            pairs = np.frombuffer(chunks, dtype="<i8").reshape(-1, 2)
            yield from zip(pairs[:, 0].tolist(), pairs[:, 1].tolist(), strict=True)
            continue
        found = list(_repeated(database, texts, number, (member.newest, member.shown)))
        row = number, member.shown, member.newest, np.array(found, dtype="<i8").tobytes()
        database.run("INSERT OR REPLACE INTO repeats VALUES (?, ?, ?, ?)", row)
        yield from found


def _repeated(
    database: Database, texts: _Texts, number: int, others: Iterable[int]
) -> Iterator[tuple[int, int]]:
    others = [other for other in dict.fromkeys(others) if other != number]
    if not others:
        return
    runs = Runs(texts.reading(number).text)
    held = {other: runs.held_by(texts.reading(other).runs) for other in others}
    for chunk_id, start, end, blob in database.rows(_CHUNKS, (number,)):
        spans = np.frombuffer(blob, dtype="<i4").reshape(-1, 2).tolist()
        sentences = [runs.places(*span) for span in spans]
        for other, own in held.items():
            if _stands_in(own, runs.places(start, end), sentences):
                yield chunk_id, other
                break


def _stands_in(held: NDArray[np.bool_], chunk: slice, sentences: Iterable[slice]) -> bool:
    """Whether a chunk repeats another text, and no sentence of it is new there."""
    return bool(held[chunk].mean() >= SAME_SHARE) and all(
        held[place].mean() >= _SENTENCE_SHARE
        for place in sentences
        if place.stop - place.start >= _MIN_SENTENCE_RUNS
    )
