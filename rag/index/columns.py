"""Columns: what filters and look-ups search, read once when an index is opened."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexCorruptError
from rag.index.database import Row

NO_SOURCE = -1


@dataclass(frozen=True, slots=True)
class Columns:
    """What filters and look-ups search, one entry per chunk or per article.

    Attributes:
        chunk_ids: Shape (n_chunks,), ascending.
        days: Shape (n_chunks,): ordinal of the day of publication, `UNDATED` without one.
        sources: Shape (n_chunks,): place in `source_names`, `NO_SOURCE` without one.
        source_names: Distinct sources.
        article_numbers: Shape (n_articles,), ascending.
        article_keys: Shape (n_articles,): `article_key` of each.
        firsts: Shape (n_articles,): number of the first report of its story; its own if it is that,
            or alone.
        newest: Shape (n_articles,): number of the newest version of it; its own if it is that.
        repeats: Shape (n_chunks,): number of the article of its story that is shown instead, where
            the text of the chunk stands in that; 0 where it is found itself.
        boilerplate: Shape (n, 3), ascending: the number of an article, and the span of a sentence
            in its text that its publisher puts into many articles.
        looked_for_boilerplate: Whether it was looked for at all: earlier releases did not.
    """

    chunk_ids: NDArray[np.int64]
    days: NDArray[np.int32]
    sources: NDArray[np.int32]
    source_names: tuple[str, ...]
    article_numbers: NDArray[np.int64]
    article_keys: NDArray[np.int64]
    firsts: NDArray[np.int64]
    newest: NDArray[np.int64]
    repeats: NDArray[np.int64]
    boilerplate: NDArray[np.int64]
    looked_for_boilerplate: bool = True

    def pack(self) -> list[Row]:
        """Rows of the table `columns`."""
        parts = {
            "chunk_ids": self.chunk_ids.astype("<i8").tobytes(),
            "days": self.days.astype("<i4").tobytes(),
            "sources": self.sources.astype("<i4").tobytes(),
            "source_names": json.dumps(self.source_names, ensure_ascii=False).encode(),
            "article_numbers": self.article_numbers.astype("<i8").tobytes(),
            "article_keys": self.article_keys.astype("<i8").tobytes(),
            "firsts": self.firsts.astype("<i8").tobytes(),
            "newest": self.newest.astype("<i8").tobytes(),
            "repeats": self.repeats.astype("<i8").tobytes(),
            "boilerplate": self.boilerplate.astype("<i8").tobytes(),
        }
        return [(name, data, zlib.crc32(data)) for name, data in parts.items()]

    def place(self, article: int) -> Place:
        """The story of the article with this number, and its place in it."""
        at = int(np.searchsorted(self.article_numbers, article))
        first = int(self.firsts[at])
        members = self.article_numbers[self.firsts == first]
        return Place(first, self.newest_of(article), self.newest_of(first), tuple(members.tolist()))

    def newest_of(self, article: int) -> int:
        """The number of the newest version of the article with this number."""
        return int(self.newest[np.searchsorted(self.article_numbers, article)])

    def repeated(self, chunk_ids: Sequence[int]) -> dict[int, int]:
        """By chunk: the article that is shown instead, for those of these that repeat one."""
        others = self.repeats[np.searchsorted(self.chunk_ids, np.array(chunk_ids, dtype=np.int64))]
        return {
            chunk_id: other
            for chunk_id, other in zip(chunk_ids, others.tolist(), strict=True)
            if other
        }

    def boilerplate_of(self, article: int) -> list[tuple[int, int]]:
        """Spans of the boilerplate of the article with this number, in the order of its text."""
        first, last = np.searchsorted(self.boilerplate[:, 0], [article, article + 1])
        return [(start, end) for _, start, end in self.boilerplate[first:last].tolist()]

    @classmethod
    def unpack(cls, rows: Sequence[Row]) -> Columns:
        """Columns of the rows of the table.

        Raises:
            IndexCorruptError: one is missing or damaged.
        """
        parts = {name: data for name, data, checksum in rows if zlib.crc32(data) == checksum}
        if (
            not {name for name, _, _ in rows} & {"firsts", "newest", "repeats"}
            and "chunk_ids" in parts
        ):
            # Of format 3, which knew no stories: each article is one.
            alone = parts.get("article_numbers", b"")
            parts |= {"firsts": alone, "newest": alone, "repeats": bytes(len(parts["chunk_ids"]))}
        looked = any(name == "boilerplate" for name, _, _ in rows)
        if not looked:
            parts["boilerplate"] = b""
        try:
            return cls(
                chunk_ids=np.frombuffer(parts["chunk_ids"], "<i8"),
                days=np.frombuffer(parts["days"], "<i4"),
                sources=np.frombuffer(parts["sources"], "<i4"),
                source_names=tuple(json.loads(parts["source_names"])),
                article_numbers=np.frombuffer(parts["article_numbers"], "<i8"),
                article_keys=np.frombuffer(parts["article_keys"], "<i8"),
                firsts=np.frombuffer(parts["firsts"], "<i8"),
                newest=np.frombuffer(parts["newest"], "<i8"),
                repeats=np.frombuffer(parts["repeats"], "<i8"),
                boilerplate=np.frombuffer(parts["boilerplate"], "<i8").reshape(-1, 3),
                looked_for_boilerplate=looked,
            )
        except KeyError as error:
            raise IndexCorruptError(f"column {error} is missing or damaged") from error


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an article in its story.

    Attributes:
        first: Number of the first report of its story.
        newest: Number of the newest version of the article itself.
        shown: Number of the article that stands for the story: the first report's newest version.
        members: Numbers of all its articles, ascending; only its own where it is alone.
    """

    first: int
    newest: int
    shown: int
    members: tuple[int, ...]


def article_key(article_id: str) -> int:
    """A number of 64 bits that stands for an article's id."""
    digest = hashlib.blake2b(article_id.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
