"""What was searched lately, and what it found: many ask the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from rag.retrieval import Hit

Hits = list[Hit]
MAX_HITS = 10_000
"""Hits that are kept, of all searches together: tens of megabytes."""


class Recent:
    """Finds anew only what is not known. Safe to use from several threads.

    Args:
        max_hits: Hits to keep; what was not asked for longest is forgotten.
    """

    def __init__(self, max_hits: int = MAX_HITS) -> None:
        self._max_hits = max_hits
        self._n_hits = 0
        self._known: OrderedDict[tuple[Hashable, str], Hits] = OrderedDict()
        self._guard = threading.Lock()

    def find(
        self, key: Hashable, queries: Sequence[str], find: Callable[[list[str]], Sequence[Hits]]
    ) -> list[Hits]:
        """The hits of each query, in order.

        Args:
            key: All that they depend on beside the query: index, version, k, filter.
            queries: What is searched.
            find: The hits of queries that are not known, each once.
        """
        with self._guard:
            found = {query: self._get((key, query)) for query in queries}
        new = [query for query, hits in found.items() if hits is None]
        if new:
            fresh = dict(zip(new, find(new), strict=True))
            with self._guard:
                for query, hits in fresh.items():
                    self._put((key, query), hits)
            found |= fresh
        return [found[query] or [] for query in queries]

    def _get(self, key: tuple[Hashable, str]) -> Hits | None:
        if key in self._known:
            self._known.move_to_end(key)
        return self._known.get(key)

    def _put(self, key: tuple[Hashable, str], hits: Hits) -> None:
        self._n_hits += _weight(hits) - (_weight(self._known[key]) if key in self._known else 0)
        self._known[key] = hits
        while self._n_hits > self._max_hits:
            _, forgotten = self._known.popitem(last=False)
            self._n_hits -= _weight(forgotten)


def _weight(hits: Hits) -> int:
    return 1 + len(hits)  # that nothing was found takes room, too
