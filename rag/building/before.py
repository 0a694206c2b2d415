"""Before: the version that was live when a build began, and what the build changed of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rag.building.inputs import Stored
from rag.errors import IndexError_, RemovalError
from rag.index.catalog import Catalog
from rag.index.config import IndexConfig
from rag.index.layout import CATALOG, IndexFolder
from rag.index.manifest import FORMAT, Manifest, read_manifest, verify_files
from rag.readers import Skipped

MAX_REMOVED = 0.5
"""A build that would remove a larger share of the articles must be told that it may."""
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Before:
    """What the report of a build compares with.

    Attributes:
        manifest: Of the version; None if there is none that is whole.
        articles: Content hash and path of each article by its id.
        skipped: What was skipped.
        looked_for_boilerplate: Whether the build that made it looked for lines that come again.
        problem: Why the live version does not open, if there is one and it does not.
    """

    manifest: Manifest | None = None
    articles: Stored = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    looked_for_boilerplate: bool = True
    problem: str | None = None

    def compared(self, now: Mapping[str, str]) -> dict[str, int]:
        """Numbers of articles added, changed, removed and unchanged.

        Whatever an earlier build that was killed had done of it already.

        Args:
            now: Content hash of each article by its id.
        """
        stay = self.articles.keys() & now.keys()
        same = sum(self.articles[name][0] == now[name] for name in stay)
        return {
            "added": len(now.keys() - self.articles.keys()),
            "changed": len(stay) - same,
            "removed": len(self.articles.keys() - now.keys()),
            "unchanged": same,
        }

    def refuse_removal(self, index: str, now: Collection[str], files: Collection[str]) -> None:
        """Refuse to remove more than `MAX_REMOVED` of the articles.

        Args:
            index: Name of the index.
            now: Ids of the articles in the sources.
            files: Paths of the files that the sources hold.

        Raises:
            RemovalError: the message says what is missing, by file.
        """
        gone = [name for name in self.articles if name not in now]
        if len(gone) <= MAX_REMOVED * len(self.articles):
            return
        n_missing = Counter(_file_of(self.articles[name][1] or name, files) for name in gone)
        named = []
        for path, n in n_missing.most_common(_MAX_NAMED):
            why = "the file is there without them" if path in files else "no such file"
            named.append(f"{path} ({n:,}, {why})")
        if len(n_missing) > _MAX_NAMED:
            named.append(f"and {len(n_missing) - _MAX_NAMED:,} files more")
        raise RemovalError(
            f"{len(gone):,} of the {len(self.articles):,} articles of index {index!r} are missing"
            f" in its sources, and would be removed: {', '.join(named)}",
            mend=f"put them back, or, if they may go: rag build {index} --allow-removal",
        )

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
            or live.format != FORMAT
            or live.recipe != recipe
            or live.config != config
            or not self.looked_for_boilerplate
            or list(skipped) != list(self.skipped)
            or counts["added"] or counts["changed"] or counts["removed"]
        ):  # fmt: skip
            return None
        try:
            verify_files(folder.version_path(folder.live()), live, hashed_catalog_bytes=None)
        except IndexError_:
            return None
        return live


def _file_of(path: str, files: Collection[str]) -> str:
    """The source file of an article; one inside an archive is named by both paths."""
    outside = map(str, PurePosixPath(path).parents)
    return path if path in files else next((name for name in outside if name in files), path)


def look_at_live(folder: IndexFolder) -> Before:
    """The live version of an index; of one that does not open only why."""
    try:
        number = folder.current()
        if number is None:
            return Before()
        path = folder.version_path(number)
        manifest = read_manifest(path)
        with Catalog.open(path / CATALOG) as catalog:
            looked = catalog.columns.looked_for_boilerplate
            return Before(manifest, catalog.known(), catalog.skipped(), looked)
    except IndexError_ as error:
        return Before(problem=error.message)
