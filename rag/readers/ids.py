"""Ids: one for each article of a build."""

from __future__ import annotations

import os


class UniqueIds:
    """Gives each article of one build an id of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._by_digest: dict[bytes, str] = {}

    def assign(self, wanted: str, digest: str, path: str | None) -> tuple[str, str | None]:
        """An id for an article.

        Args:
            wanted: The id that it states.
            digest: Its content hash (hex).
            path: The file that it stands in.

        Returns:
            Its id, and None; of a duplicate the id of the first, and what is wrong with it.
        """
        key = bytes.fromhex(digest)[:16]
        if key in self._by_digest:
            first = self._by_digest[key]
            return first, f"same article as {first!r}"
        unique = wanted
        if wanted in self._taken:
            candidates = [f"{wanted}-{digest[:8]}", f"{wanted}-{digest}"]
            if path and wanted == os.path.splitext(os.path.basename(path))[0]:
                candidates.insert(0, os.path.splitext(path)[0])  # named after its file
            unique = next(candidate for candidate in candidates if candidate not in self._taken)
        self._taken.add(unique)
        self._by_digest[key] = unique
        return unique, None

    def take_back(self, unique: str, digest: str) -> None:
        """Undo an assignment."""
        self._taken.remove(unique)
        del self._by_digest[bytes.fromhex(digest)[:16]]
