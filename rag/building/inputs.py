"""Inputs: what each source file came to, so that a file that did not change is not read again.

A record says in what state a file was and what stood in it: ids and content hashes of articles, and
why others are none. It counts only where every article of it is stored in the catalog.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rag.index.database import Row
from rag.readers import FileState, Skipped, SourceFile, UniqueIds, begins_with

LEFT_OUT = "it was taken out: index.toml names it in `without`"
"""Why an article of the sources is none of the index."""
Stored = Mapping[str, tuple[str, str | None]]
"""article_id to content hash and path, of the articles in the catalog."""


class Entry(NamedTuple):
    """One article of a file, or why it is none.

    Attributes:
        line: Number of its line; None for a whole file.
        article_id: The id that it states; empty if there is no article.
        digest: Its content hash (hex).
        reason: Why there is none, or nothing left of it after cleaning.
        unique_id, unique_digest: Where the id was taken, the one it got and the hash under that.
        path: Where it stands, if that is inside the file and not the file itself.
    """

    line: int | None
    article_id: str = ""
    digest: str = ""
    reason: str | None = None
    unique_id: str | None = None
    unique_digest: str | None = None
    path: str | None = None

    @property
    def stored_as(self) -> tuple[str, str]:
        """Id and content hash in the catalog."""
        return self.unique_id or self.article_id, self.unique_digest or self.digest


@dataclass(frozen=True, slots=True)
class Input:
    """What a file came to, in a state of it."""

    state: FileState
    entries: list[Entry]

    def row(self, path: str) -> Row:
        """The row of the table `inputs`."""
        entries = json.dumps([_trimmed(entry) for entry in self.entries], ensure_ascii=False)
        return path, self.state.n_bytes, self.state.sha256, self.state.n_lines, entries

    @classmethod
    def of(cls, row: Row) -> Input:
        """The input of a row, without its path."""
        *state, entries = row
        return cls(FileState(*state), [Entry(*entry) for entry in json.loads(entries)])


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A file that begins with what a record says of it.

    Attributes:
        file: The file.
        known: What stands in it, or at its beginning.
        is_all: Whether nothing follows.
    """

    file: SourceFile
    known: Input
    is_all: bool


def unchanged(
    file: SourceFile, known: Input | None, stored: Stored, without: Collection[str] = ()
) -> Unchanged | None:
    """What need not be read again of a file; None if nothing is known of it.

    Nor if an article of it is to be left out that was not, or the other way round.
    """
    if known is None:
        return None
    for entry in known.entries:
        if (entry.reason == LEFT_OUT) != (bool(entry.digest) and entry.stored_as[0] in without):
            return None
        if entry.digest and not entry.reason:
            unique, digest = entry.stored_as
            if stored.get(unique, ("",))[0] != digest:
                return None
    begins = begins_with(file, known.state)
    return None if begins is False else Unchanged(file, known, begins is True)


def assign_again(
    entries: Iterable[Entry], path: str, ids: UniqueIds
) -> list[tuple[Entry, Skipped | None]] | None:
    """Give the articles of a record their ids, and name the duplicates among them.

    Returns:
        None, and no id is taken, if one would get another id than the record has: another file
        took it meanwhile, or gave it up.
    """
    found: list[tuple[Entry, Skipped | None]] = []
    taken: list[tuple[str, str]] = []
    for entry in entries:
        problem = entry.reason
        if entry.digest:
            unique, duplicate = ids.assign(entry.article_id, entry.digest, entry.path or path)
            if duplicate is None:
                taken.append((unique, entry.digest))
                if unique != entry.stored_as[0]:
                    for assigned in taken:
                        ids.take_back(*assigned)
                    return None
            problem = duplicate or problem
        where = entry.path or path
        skipped = Skipped(path=where, line=entry.line, reason=problem) if problem else None
        found.append((entry, skipped))
    return found


def _trimmed(entry: Entry) -> list[object]:
    values: list[object] = list(entry)
    while values[-1] is None:
        values.pop()
    return values
