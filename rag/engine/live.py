"""The live version of an index and the model that made it; opened anew when one is published."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from rag.embedding import Embedder
from rag.errors import IndexFormatError
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from rag.opening import embedder_of
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Live:
    """One version, and the model that made it."""

    index: OpenIndex
    embedder: Embedder


class LiveVersion:
    """Which version is live. Safe for several threads.

    Args:
        index: An open version.
        embedder: The model that made it.
        settings: How the next version is opened.
        folder: Where the next version is published; None stays with this one.

    Raises:
        IndexFormatError: another embedding model than `embedder` made the index.
    """

    def __init__(
        self, index: OpenIndex, embedder: Embedder, settings: Settings, folder: IndexFolder | None
    ) -> None:
        if index.manifest.embedder != embedder.identity:
            made = index.manifest.embedder
            raise IndexFormatError(
                f"index {index.name!r} was made by {made.model} ({made.runtime},"
                f" {made.sha256[:12]}); the embedding model here is {embedder.identity.model}"
                f" ({embedder.identity.runtime}, {embedder.identity.sha256[:12]})",
                mend=f"rag build {index.name} --full",
            )
        self._live = Live(index, embedder)
        self._settings = settings
        self._folder = folder
        self._swap = threading.Lock()

    def now(self) -> Live:
        """The live version, opened anew if another was published; and the model that made it."""
        with self._swap:
            folder = self._folder
            if folder is not None and folder.current() not in (None, self._live.index.version):
                # The old version stays open for those who still read it.
                fresh = OpenIndex(folder, n_threads=self._settings.threads)
                embedder = self._live.embedder
                if fresh.manifest.embedder != embedder.identity:
                    embedder = embedder_of(fresh.manifest.embedder, self._settings)
                self._live = Live(fresh, embedder)
            return self._live

    def close(self) -> None:
        """Close what is live, without looking for another version."""
        self._live.index.close()
