"""The embedding model of a build: opened when something must be embedded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rag.building.draft import DraftCatalog
from rag.building.recipe import runtime_of
from rag.embedding import Embedder, fallback_of
from rag.index.catalog import FALLBACK


class BuildEmbedder:
    """Opens the embedding model once. Safe to use from several threads.

    Args:
        load: Opens it; the argument is the runtime to use, None for the quickest that works.

    Attributes:
        seconds: That opening took; 0 while it is not opened.
        notes: What the user should know of it.
    """

    def __init__(self, load: Callable[[str | None], Embedder]) -> None:
        self._load = load
        self._opened: Embedder | None = None
        self._lock = threading.Lock()
        self.seconds = 0.0
        self.notes: list[str] = []

    def open(self, runtime: str | None) -> Embedder:
        """The model, run by what made the vectors to go on from, if there are any."""
        with self._lock:
            if self._opened is None:
                started = time.perf_counter()
                self._opened = self._load(runtime)
                self.seconds = time.perf_counter() - started
                reason, runtime = fallback_of(self._opened), self._opened.identity.runtime
                if reason is not None:
                    self.notes.append(
                        f"the embedding model is run by {runtime}, which takes longer, until it can"
                        f" be exported: {reason}"
                    )
            return self._opened

    def replaces_fallback(self, catalog: DraftCatalog) -> bool:
        """Whether a runtime works now that did not when the vectors of a catalog were made.

        Vectors of two runtimes do not mix: then they are all made anew.
        """
        if not catalog.meta(FALLBACK):
            return False
        runtime = runtime_of(catalog)
        opened = self.open(None)
        if opened.identity.runtime == runtime:
            return False
        self.notes.append(
            "everything is embedded anew: the embedding model is exported now,"
            f" {runtime} had to stand in for that"
        )
        return True

    def sign(self, catalog: DraftCatalog) -> None:
        """Note in a catalog who made its vectors (inside a transaction)."""
        if self._opened is not None:
            catalog.set_meta("embedder", self._opened.identity.model_dump_json())
            catalog.set_meta(FALLBACK, fallback_of(self._opened) or "")
