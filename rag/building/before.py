"""Before: the version that was live when a build began, and what the build changed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag.errors import IndexError_
from rag.index.catalog import Catalog
from rag.index.config import IndexConfig
from rag.index.layout import CATALOG, IndexFolder
from rag.index.manifest import Manifest, read_manifest, verify_files
from rag.readers import Skipped


@dataclass(frozen=True, slots=True)
class Before:
    """What the report of a build compares with.

    Attributes:
        manifest: Of the version; None if there is none that is whole.
        hashes: Content hash of each article by its id.
        skipped: What was skipped.
        problem: Why the live version does not open, if there is one and it does not.
    """

    manifest: Manifest | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    problem: str | None = None

    def compared(self, now: Mapping[str, str]) -> dict[str, int]:
        """Numbers of articles added, changed, removed and unchanged.

        Whatever an earlier build that was killed had done of it already.

        Args:
            now: Content hash of each article by its id.
        """
        same = sum(self.hashes[name] == now[name] for name in self.hashes.keys() & now.keys())
        return {
            "added": len(now.keys() - self.hashes.keys()),
            "changed": len(self.hashes.keys() & now.keys()) - same,
            "removed": len(self.hashes.keys() - now.keys()),
            "unchanged": same,
        }

    def kept(
        self,
        folder: IndexFolder,
        recipe: str,
        config: IndexConfig,
        counts: Mapping[str, int],
        skipped: Sequence[Skipped],
    ) -> Manifest | None:
        """The version, if it can stay live: nothing has changed, and every file of it is whole."""
        live = self.manifest
        if (
            live is None
            or live.recipe != recipe
            or live.config != config
            or list(skipped) != list(self.skipped)
            or counts["added"] or counts["changed"] or counts["removed"]
        ):  # fmt: skip
            return None
        try:
            verify_files(folder.version_path(folder.live()), live, hashed_catalog_bytes=None)
        except IndexError_:
            return None
        return live


def look_at_live(folder: IndexFolder) -> Before:
    """The live version of an index; of one that does not open only why."""
    try:
        number = folder.current()
        if number is None:
            return Before()
        path = folder.version_path(number)
        manifest = read_manifest(path)
        with Catalog.open(path / CATALOG) as catalog:
            hashes = {name: digest for name, (digest, _) in catalog.known().items()}
            return Before(manifest, hashes, catalog.skipped())
    except IndexError_ as error:
        return Before(problem=error.message)
