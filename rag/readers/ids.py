"""Ids: one for each article of a build."""

from __future__ import annotations

import os

from rag.article import Article
from rag.readers.files import TEXT_SUFFIXES, suffix


class UniqueIds:
    """Gives each article of one build an id of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._by_digest: dict[bytes, str] = {}

    def assign(self, article: Article) -> Article | str:
        """The article under a unique id, or why it is a duplicate."""
        digest = article.content_hash()
        key = bytes.fromhex(digest)[:16]
        if key in self._by_digest:
            return f"same article as {self._by_digest[key]!r}"
        wanted = article.article_id
        candidates = [wanted, f"{wanted}-{digest[:8]}", f"{wanted}-{digest}"]
        if article.path and suffix(article.path) in TEXT_SUFFIXES:
            candidates.insert(1, os.path.splitext(article.path)[0])
        unique = next(candidate for candidate in candidates if candidate not in self._taken)
        self._taken.add(unique)
        self._by_digest[key] = unique
        return article if unique == wanted else article.model_copy(update={"article_id": unique})
