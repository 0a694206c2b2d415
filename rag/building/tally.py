"""Tally: what a build has read, skipped and embedded so far, how long it took, and telling it."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping

from rag.building.embedder import BuildEmbedder
from rag.building.prepare import Batch
from rag.building.report import BuildProgress, BuildReport, Progress
from rag.index.manifest import Manifest
from rag.readers import Skipped


class Tally:
    """What a build tells: how far it is, and in the end what it did.

    Args:
        index: Name of the index.
        embedder: Its notes are the user's too.
        progress: Called as the build goes on.
        note: Something that the user should know from the start.

    Attributes:
        seen: Content hash of each article that the sources hold, by its id.
        skipped: Inputs that were not taken.
        n_embedded: Chunks embedded.
        n_expected: About how many articles there are to look at; None if nobody knows.
        notes: What the user should know.
        seconds: By phase.
    """

    def __init__(
        self, index: str, embedder: BuildEmbedder, progress: Progress | None, note: str | None
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._progress = progress
        self._started = time.perf_counter()
        self._n_read: Counter[str] = Counter()
        self.seen: dict[str, str] = {}
        self.skipped: list[Skipped] = []
        self.n_embedded = 0
        self.n_expected: int | None = None
        self.notes = [note] if note else []
        self.seconds: dict[str, float] = {}

    @property
    def wanted(self) -> bool:
        """Whether anybody is told how far the build is."""
        return self._progress is not None

    def add(self, batch: Batch) -> None:
        """Count a batch that was read, and tell it."""
        self.seen |= batch.seen
        self.skipped += batch.skipped
        self._n_read += batch.n_read
        self.tell("read")

    @contextlib.contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time that the block takes to a phase."""
        started = time.perf_counter()
        yield
        self.add_seconds(phase, started)

    def add_seconds(self, phase: str, started: float) -> float:
        """Add the time since `started` to a phase; the time now."""
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - started
        return now

    def tell(self, phase: str) -> None:
        """Tell how far the build is."""
        if self._progress is not None:
            self._progress(
                BuildProgress(
                    index=self._index,
                    phase=phase,
                    n_done=len(self.seen),
                    n_chunks=self.n_embedded,
                    n_expected=self.n_expected,
                    note=self._note(),
                )
            )

    def report(
        self, manifest: Manifest, version: int, published: bool, counts: Mapping[str, int]
    ) -> BuildReport:
        """What the build did.

        Args:
            manifest: Of the live version.
            version: Its number.
            published: Whether it was built just now.
            counts: See `Before.compared`.
        """
        total = time.perf_counter() - self._started
        seconds = {**self.seconds, "model": self._embedder.seconds, "total": total}
        return BuildReport(
            index=self._index,
            version=version,
            published=published,
            **counts,
            n_articles=manifest.n_articles,
            n_chunks=manifest.n_chunks,
            skipped=tuple(self.skipped),
            n_read=dict(sorted(self._n_read.items())),
            seconds={phase: round(value, 3) for phase, value in seconds.items()},
            note=self._note(),
        )

    def _note(self) -> str | None:
        return "; ".join([*self.notes, *self._embedder.notes]) or None
