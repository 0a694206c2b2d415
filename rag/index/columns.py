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
    """

    chunk_ids: NDArray[np.int64]
    days: NDArray[np.int32]
    sources: NDArray[np.int32]
    source_names: tuple[str, ...]
    article_numbers: NDArray[np.int64]
    article_keys: NDArray[np.int64]

    def pack(self) -> list[Row]:
        """Rows of the table `columns`."""
        parts = {
            "chunk_ids": self.chunk_ids.astype("<i8").tobytes(),
            "days": self.days.astype("<i4").tobytes(),
            "sources": self.sources.astype("<i4").tobytes(),
            "source_names": json.dumps(self.source_names, ensure_ascii=False).encode(),
            "article_numbers": self.article_numbers.astype("<i8").tobytes(),
            "article_keys": self.article_keys.astype("<i8").tobytes(),
        }
        return [(name, data, zlib.crc32(data)) for name, data in parts.items()]

    @classmethod
    def unpack(cls, rows: Sequence[Row]) -> Columns:
        """Columns of the rows of the table.

        Raises:
            IndexCorruptError: one is missing or damaged.
        """
        parts = {name: data for name, data, checksum in rows if zlib.crc32(data) == checksum}
        try:
            return cls(
                chunk_ids=np.frombuffer(parts["chunk_ids"], "<i8"),
                days=np.frombuffer(parts["days"], "<i4"),
                sources=np.frombuffer(parts["sources"], "<i4"),
                source_names=tuple(json.loads(parts["source_names"])),
                article_numbers=np.frombuffer(parts["article_numbers"], "<i8"),
                article_keys=np.frombuffer(parts["article_keys"], "<i8"),
            )
        except KeyError as error:
            raise IndexCorruptError(f"column {error} is missing or damaged") from error

    def without(self, articles: NDArray[np.int64], chunks: NDArray[np.int64]) -> Columns:
        """These without the articles and the chunks of these numbers."""
        stay = np.isin(self.article_numbers, articles, invert=True)
        chunks_stay = np.isin(self.chunk_ids, chunks, invert=True)
        return Columns(
            chunk_ids=self.chunk_ids[chunks_stay],
            days=self.days[chunks_stay],
            sources=self.sources[chunks_stay],
            source_names=self.source_names,
            article_numbers=self.article_numbers[stay],
            article_keys=self.article_keys[stay],
        )

    def joined(self, later: Columns) -> Columns:
        """These and those of other articles and later chunks; sources without chunks are left out.

        Args:
            later: All its chunk ids are greater.
        """
        names = list(dict.fromkeys((*self.source_names, *later.source_names)))
        place = {name: at for at, name in enumerate(names)}
        renumbered = np.array([*(place[name] for name in later.source_names), NO_SOURCE])
        sources = np.concatenate([self.sources, renumbered[later.sources]])
        used = np.unique(sources[sources != NO_SOURCE])
        places = np.where(sources == NO_SOURCE, NO_SOURCE, np.searchsorted(used, sources))
        order = np.argsort(numbers := np.concatenate([self.article_numbers, later.article_numbers]))
        return Columns(
            chunk_ids=np.concatenate([self.chunk_ids, later.chunk_ids]),
            days=np.concatenate([self.days, later.days]),
            sources=places.astype(np.int32),
            source_names=tuple(names[at] for at in used.tolist()),
            article_numbers=numbers[order],
            article_keys=np.concatenate([self.article_keys, later.article_keys])[order],
        )


def article_key(article_id: str) -> int:
    """A number of 64 bits that stands for an article's id."""
    digest = hashlib.blake2b(article_id.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
