"""Building: sources to a new published version of an index.

Unchanged articles keep their chunks and vectors; a killed build goes on where it was, since the
staging catalog takes a transaction per batch; until the last step the old version stays live.
Articles are read and cut ahead of the batch that is embedded and stored.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import time
from collections.abc import Callable, Sequence

from rag.article import Article
from rag.building import on_ray
from rag.building.before import Before, look_at_live
from rag.building.draft import DraftCatalog
from rag.building.embedder import BuildEmbedder
from rag.building.inputs import Stored
from rag.building.prepare import Batch, Preparation, ReadBlocks, ahead, count_inputs, cut, embed
from rag.building.publish import publish
from rag.building.recipe import recipe_of, runtime_of, why_anew
from rag.building.report import BuildReport, Progress
from rag.building.staging import open_staging
from rag.building.tally import Tally
from rag.building.workers import n_workers, read_blocks
from rag.chunking import Chunk
from rag.embedding import Embedder, reference
from rag.errors import IndexCorruptError, SourceError
from rag.index.config import IndexConfig
from rag.index.layout import UPLOADS, IndexFolder, Step, no_step, not_written
from rag.index.milvus import drop_chunks, set_alias
from rag.index.rows import EmbeddedArticle
from rag.readers import files_of
from rag.text.paragraphs import Span

KEEP_VERSIONS = 2
_ANEW = "everything is embedded anew: {}"
_NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


def build_index(
    folder: IndexFolder,
    *,
    model_sha256: str,
    load_embedder: Callable[[str | None], Embedder],
    full: bool = False,
    allow_removal: bool = False,
    progress: Progress | None = None,
    on_step: Step = no_step,
    ray: on_ray.Ray | None = None,
) -> BuildReport:
    """Bring an index up to date with its sources and publish the result.

    Args:
        folder: The index.
        model_sha256: Fingerprint of the embedding model that `index.toml` names.
        load_embedder: Opens that model, called only if something must be embedded; its argument
            is the runtime that made the vectors to go on from, None for any.
        full: Start from nothing.
        allow_removal: Whether more than half of the articles may be removed.
        progress: Called as the build goes on.
        on_step: Called with the name of each step once it is done, from several threads.
        ray: Where articles are read and embedded; None does it here. `load_embedder` is sent there.

    Raises:
        IndexLockedError: another process is building it.
        IndexWriteError: the disk is full, or cannot be written for another reason.
        SourceError: a source does not exist, or no article could be read at all.
        RemovalError: more than half of the articles are missing in the sources.
        IndexMissingError, SettingsError: `index.toml` is missing or wrong.
    """
    config = folder.config()
    try:
        with folder.lock(), on_ray.joined(ray) if ray else contextlib.nullcontext():
            on_step("lock held")
            parts = folder, config, model_sha256, load_embedder, progress, on_step, ray
            try:
                report = _Build(*parts).run(full, allow_removal)
            except IndexCorruptError as error:
                if full:
                    raise
                # What it went on from is damaged. Building anew is what mends that.
                note = _ANEW.format(error.message)
                report = _Build(*parts, note=note).run(True, allow_removal)
        on_step("lock released")
        return report
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        raise not_written(folder.path, error.strerror or str(error)) from error


class _Build:
    def __init__(
        self,
        folder: IndexFolder,
        config: IndexConfig,
        model_sha256: str,
        load_embedder: Callable[[str | None], Embedder],
        progress: Progress | None,
        on_step: Step,
        ray: on_ray.Ray | None,
        note: str | None = None,
    ) -> None:
        self._folder = folder
        self._config = config
        self._load, self._ray = load_embedder, ray
        self._embedder = BuildEmbedder(load_embedder)
        self._tally = Tally(folder.name, self._embedder, progress, note)
        self._step = on_step
        self._recipe = recipe_of(config, model_sha256)

    def run(self, full: bool, allow_removal: bool) -> BuildReport:
        tally = self._tally
        with tally.timed("open"):
            before = look_at_live(self._folder)
            catalog, full = self._open_staging(before, full)
        with catalog:
            stored = catalog.known()
            preparation = self._take_articles(catalog, stored)
            # Before anything is removed: when the sources are back, nothing is embedded again.
            self._require_articles()
            if not allow_removal:
                here = tally.seen.keys() | set(self._config.without)
                before.refuse_removal(self._folder.name, here, preparation.paths)
            self._remove_missing(catalog, stored, preparation)
            counts = before.compared(tally.seen)
            parts = self._folder, self._recipe, self._config
            manifest = None if full else before.kept(*parts, counts, tally.skipped)
            published = manifest is None
            if manifest is None:
                manifest = publish(*parts, catalog, tally, self._step)
            else:
                self._folder.clear_staging()
        set_alias(self._folder)
        self._folder.prune(KEEP_VERSIONS, self._step, drop_chunks)
        return tally.report(manifest, self._folder.live(), published, counts)

    def _open_staging(self, before: Before, full: bool) -> tuple[DraftCatalog, bool]:
        """The catalog to build in, and whether everything is made anew."""
        if not full and before.problem is not None:
            self._tally.notes.append(
                f"the live version does not open, and is replaced: {before.problem}"
            )
        elif not full and before.manifest and before.manifest.recipe != self._recipe:
            self._tally.notes.append(why_anew(before.manifest, self._config))
        catalog = open_staging(self._folder, self._recipe, full=full, step=self._step)
        if not self._embedder.replaces_fallback(catalog):
            return catalog, full
        catalog.close()
        return open_staging(self._folder, self._recipe, full=True, step=self._step), True

    def _take_articles(self, catalog: DraftCatalog, stored: Stored) -> Preparation:
        """Read ahead, embed and store; a build that is killed loses what it has of one batch."""
        runtime = runtime_of(catalog)
        preparation = self._preparation(catalog, stored, runtime)
        batches = ahead(preparation.batches())
        started = time.perf_counter()
        with contextlib.closing(batches):
            for batch in batches:
                started = self._tally.add_seconds("read", started)
                self._tally.add(batch)
                self._step("batch read")
                embedded = self._embed(batch, runtime)
                started = self._tally.add_seconds("embed", started)
                if embedded or batch.moved:
                    self._store(catalog, embedded, batch)
                started = self._tally.add_seconds("store", started)
        return preparation

    def _require_articles(self) -> None:
        if not self._tally.seen:
            raise SourceError(
                f"no article could be read from the sources of {self._folder.config_path}: "
                + (self._tally.skipped[0].reason if self._tally.skipped else "they are empty"),
                mend=f"put articles there, or correct sources in {self._folder.config_path}",
            )

    def _remove_missing(
        self, catalog: DraftCatalog, stored: Stored, preparation: Preparation
    ) -> None:
        """Remove what the sources no longer hold, and note what was read."""
        started = time.perf_counter()
        with catalog.transaction():
            catalog.remove(sorted(stored.keys() - self._tally.seen.keys()))
            self._step("removed articles deleted")
            catalog.set_skipped(self._tally.skipped)
            catalog.set_inputs(preparation.paths, preparation.new_inputs)
        self._step("articles taken")
        self._tally.add_seconds("store", started)

    def _preparation(
        self, catalog: DraftCatalog, stored: Stored, runtime: str | None
    ) -> Preparation:
        uploads = (UPLOADS,) if (self._folder.path / UPLOADS).is_dir() else ()
        sources = (*self._config.sources, *uploads)
        if self._tally.wanted:
            self._tally.n_expected = count_inputs(sources, self._folder.path)
        return Preparation(
            files_of(sources, self._folder.path),
            stored,
            catalog.inputs(),
            lambda article, sentences: self._cut(article, sentences, runtime),
            read=self._reading(runtime),
            without=frozenset(self._config.without),
        )

    def _reading(self, runtime: str | None) -> ReadBlocks:
        """What reads blocks: processes of this machine, or a cluster, which embeds them too."""
        if self._ray is None:
            return functools.partial(read_blocks, n_workers=n_workers())
        if runtime is None and on_ray.n_gpus():
            runtime = reference.RUNTIME
        opened = self._embedder.open(runtime)
        load, identity, chunking = self._load, opened.identity, self._config.chunking
        return lambda items, stored: on_ray.read_and_embed(
            items, on_ray.Work(load, identity, chunking, stored)
        )

    def _cut(self, article: Article, sentences: Sequence[Span], runtime: str | None) -> list[Chunk]:
        return cut(article, sentences, self._embedder.open(runtime), self._config.chunking)

    def _embed(self, batch: Batch, runtime: str | None) -> list[EmbeddedArticle]:
        if not batch.new:
            return []
        embedded = embed(batch.new, self._embedder.open(runtime))
        self._step("batch embedded")
        self._tally.n_embedded += sum(len(article.chunks) for article in embedded)
        self._tally.tell("embed")
        return embedded

    def _store(self, catalog: DraftCatalog, embedded: list[EmbeddedArticle], batch: Batch) -> None:
        with catalog.transaction():
            self._embedder.sign(catalog)
            catalog.add(embedded)
            for article_id, path in batch.moved.items():
                catalog.set_path(article_id, path)
            self._step("batch written")
        self._step("batch stored")
