"""Building: sources to a new published version of an index.

Unchanged articles keep their chunks and vectors; a killed build goes on where it was, since the
staging catalog takes a transaction per batch; until the last step the old version stays live.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence

from rag import __version__
from rag.article import Article
from rag.chunking import Chunk, chunk
from rag.cleaning import CleanedArticle, clean
from rag.embedding import Embedder
from rag.errors import IndexCorruptError, IndexError_, SourceError
from rag.index.catalog import Catalog, EmbeddedChunk
from rag.index.config import IndexConfig
from rag.index.layout import IndexFolder
from rag.index.lexical import write_lexical
from rag.index.manifest import (
    CATALOG,
    FORMAT,
    LEXICAL,
    VECTORS,
    Manifest,
    describe_files,
    read_manifest,
    verify_files,
    write_manifest,
)
from rag.index.report import BuildProgress, BuildReport, Progress
from rag.index.vectors import write_vectors
from rag.readers import Skipped, read_sources
from rag.sentences import split

# To be raised when cleaning, splitting, chunking or the embedded text change: vectors made before
# no longer fit.
PIPELINE = 1
KEEP_VERSIONS = 2
_BATCH_CHUNKS = 256
_MAX_PREFIX_TOKENS = 48


def build_index(
    folder: IndexFolder,
    *,
    model_sha256: str,
    load_embedder: Callable[[str | None], Embedder],
    n_threads: int = 1,
    full: bool = False,
    progress: Progress | None = None,
) -> BuildReport:
    """Bring an index up to date with its sources and publish the result.

    Args:
        folder: The index.
        model_sha256: Fingerprint of the embedding model that `index.toml` names.
        load_embedder: Opens that model, called only if something must be embedded; its argument
            is the runtime that made the vectors to go on from, None for any.
        n_threads: Threads to use, at least 1.
        full: Start from nothing.
        progress: Called as the build goes on.

    Raises:
        IndexLockedError: another process is building it.
        SourceError: a source does not exist, or no article could be read at all.
        IndexMissingError, SettingsError: `index.toml` is missing or wrong.
    """
    config = folder.config()
    with folder.lock():
        return _Build(folder, config, model_sha256, load_embedder, n_threads, progress).run(full)


class _Build:
    def __init__(
        self,
        folder: IndexFolder,
        config: IndexConfig,
        model_sha256: str,
        load_embedder: Callable[[str | None], Embedder],
        n_threads: int,
        progress: Progress | None,
    ) -> None:
        self._folder = folder
        self._config = config
        self._load_embedder = load_embedder
        self._embedder: Embedder | None = None
        self._n_threads = n_threads
        self._progress = progress
        self._recipe = _recipe(config, model_sha256)
        self._seconds: dict[str, float] = {}
        self._skipped: list[Skipped] = []
        self._live: Manifest | None = None
        self._before: dict[str, str] = {}
        self._before_skipped: list[Skipped] = []
        self._stored: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        self._n_embedded = 0

    def run(self, full: bool) -> BuildReport:
        self._live = self._live_manifest()
        catalog = self._open_staging(full)
        try:
            self._take_articles(catalog)
            gone = self._stored.keys() - self._seen.keys()
            with catalog.transaction():
                for article_id in sorted(gone):
                    catalog.remove(article_id)
                catalog.set_skipped(self._skipped)
            counts = self._counts()
            if not self._seen:
                raise SourceError(
                    f"no article could be read from the sources of {self._folder.config_path}: "
                    + (self._skipped[0].reason if self._skipped else "they are empty"),
                    mend=f"put articles there, or correct sources in {self._folder.config_path}",
                )
            n_articles, n_chunks, _ = catalog.counts()
            if self._is_live(counts, full):
                catalog.close()
                shutil.rmtree(self._folder.staging)
                number = self._folder.live()
                return self._report(number, False, counts, n_articles, n_chunks)
            number = self._derive_and_publish(catalog)
        finally:
            catalog.close()
        return self._report(number, True, counts, n_articles, n_chunks)

    def _live_manifest(self) -> Manifest | None:
        """The version to go on from; None when there is none that is whole and fits."""
        try:
            number = self._folder.current()
            if number is None:
                return None
            path = self._folder.version_path(number)
            manifest = read_manifest(path)
            verify_files(path, manifest)
        except IndexError_:
            return None  # building anew is what mends it
        return manifest

    def _open_staging(self, full: bool) -> Catalog:
        """The catalog to build in: of a killed build, a copy of the live one, or a new one."""
        staging, path = self._folder.staging, self._folder.staging / CATALOG
        live = self._live if self._live and self._live.recipe == self._recipe else None
        if live:
            source = self._folder.version_path(self._folder.live()) / CATALOG
            before = Catalog.open(source)
            self._before = before.content_hashes()
            self._before_skipped = before.skipped()
            before.close()
        if not full and path.exists():
            catalog = self._try_resume()
            if catalog is not None:
                return catalog
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        if live and not full:
            shutil.copyfile(source, staging / "copy")
            (staging / "copy").rename(path)
            self._stored = dict(self._before)
        catalog = Catalog.create(path)
        with catalog.transaction():
            catalog.set_meta("recipe", self._recipe)
            if live and not full:
                catalog.set_meta("runtime", live.embedder.runtime)
                catalog.set_meta("embedder", live.embedder.model_dump_json())
        return catalog

    def _try_resume(self) -> Catalog | None:
        try:
            catalog = Catalog.create(self._folder.staging / CATALOG)
            if catalog.meta("recipe") == self._recipe:
                # What an earlier step derived from the catalog is made anew.
                for entry in self._folder.staging.iterdir():
                    if not entry.name.startswith(CATALOG):
                        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
                self._stored = catalog.content_hashes()
                return catalog
            catalog.close()
        except IndexCorruptError:
            pass  # a torn staging folder is nobody's data
        return None

    def _take_articles(self, catalog: Catalog) -> None:
        started = time.perf_counter()
        waiting: list[tuple[CleanedArticle, str, list[Chunk]]] = []
        paths: dict[str, str | None] = {}
        for article in self._articles():
            digest = article.content_hash()
            self._seen[article.article_id] = digest
            if self._stored.get(article.article_id) == digest:
                paths[article.article_id] = article.path
            else:
                cleaned = clean(article)
                if not cleaned.article.text.strip():
                    self._skip(article, "nothing is left of it after cleaning")
                    continue
                waiting.append((cleaned, digest, self._cut(catalog, cleaned.article)))
            if sum(len(chunks) for *_, chunks in waiting) >= _BATCH_CHUNKS:
                self._store(catalog, waiting)
                waiting = []
            self._tell("read")
        self._store(catalog, waiting)
        with catalog.transaction():
            catalog.set_paths(paths)
        self._seconds["read"] = (
            time.perf_counter()
            - started
            - self._seconds.get("embed", 0.0)
            - self._seconds.get("model", 0.0)
        )

    def _skip(self, article: Article, reason: str) -> None:
        del self._seen[article.article_id]
        self._skipped.append(Skipped(path=article.path or article.article_id, reason=reason))

    def _articles(self) -> Iterator[Article]:
        for item in read_sources(self._config.sources, self._folder.path):
            if isinstance(item, Skipped):
                self._skipped.append(item)
            else:
                yield item

    def _cut(self, catalog: Catalog, article: Article) -> list[Chunk]:
        embedder = self._opened_embedder(catalog)
        return chunk(
            article.text,
            split(article.text),
            count_tokens=embedder.count_tokens,
            max_tokens=embedder.max_tokens - _MAX_PREFIX_TOKENS,
            words=self._config.chunking.words,
            overlap_sentences=self._config.chunking.overlap_sentences,
        )

    def _store(
        self, catalog: Catalog, articles: Sequence[tuple[CleanedArticle, str, list[Chunk]]]
    ) -> None:
        if not articles:
            return
        embedder = self._opened_embedder(catalog)
        started = time.perf_counter()
        texts: list[str] = []
        for cleaned, _, chunks in articles:
            prefix = embedding_prefix(cleaned.article, embedder)
            text = cleaned.article.text
            texts += [prefix + text[piece.start : piece.end] for piece in chunks]
        n_chunks = len(texts)
        for cleaned, _, chunks in articles:
            text = cleaned.article.text
            texts += [text[s.start : s.end] for piece in chunks for s in piece.sentences]
        vectors = embedder.embed_documents(texts)
        at, sentence_at = 0, n_chunks
        with catalog.transaction():
            for cleaned, digest, chunks in articles:
                embedded = []
                for piece in chunks:
                    end = sentence_at + len(piece.sentences)
                    embedded.append(EmbeddedChunk(piece, vectors[at], vectors[sentence_at:end]))
                    at, sentence_at = at + 1, end
                catalog.add(cleaned, digest, embedded)
        self._n_embedded += n_chunks
        self._add_seconds("embed", started)
        self._tell("embed")

    def _opened_embedder(self, catalog: Catalog) -> Embedder:
        if self._embedder is None:
            started = time.perf_counter()
            self._embedder = self._load_embedder(catalog.meta("runtime"))
            with catalog.transaction():
                catalog.set_meta("runtime", self._embedder.identity.runtime)
                catalog.set_meta("embedder", self._embedder.identity.model_dump_json())
            self._add_seconds("model", started)
        return self._embedder

    def _is_live(self, counts: dict[str, int], full: bool) -> bool:
        live = self._live
        return (
            live is not None
            and not full
            and live.recipe == self._recipe
            and live.config == self._config
            and self._skipped == self._before_skipped
            and not (counts["added"] or counts["changed"] or counts["removed"])
        )

    def _derive_and_publish(self, catalog: Catalog) -> int:
        staging = self._folder.staging
        identity = json.loads(catalog.meta("embedder") or "null")
        started = time.perf_counter()
        self._tell("vectors")
        kind = write_vectors(
            staging / VECTORS,
            identity["dimension"],
            catalog.chunk_vectors(identity["dimension"]),
        )
        started = self._add_seconds("vectors", started)
        self._tell("lexical")
        write_lexical(
            staging / LEXICAL,
            self._config.language,
            catalog.chunk_texts(),
            n_threads=self._n_threads,
        )
        started = self._add_seconds("lexical", started)
        self._tell("publish")
        n_articles, n_chunks, n_skipped = catalog.counts()
        catalog.finish()
        manifest = Manifest(
            index=self._folder.name,
            created=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
            rag_version=__version__,
            config=self._config,
            embedder=identity,
            recipe=self._recipe,
            vector_index=kind,
            n_articles=n_articles,
            n_chunks=n_chunks,
            n_skipped=n_skipped,
            files=describe_files(staging),
        )
        write_manifest(staging, manifest)
        number = self._folder.publish()
        self._folder.set_current(number)
        self._folder.prune(KEEP_VERSIONS)
        self._add_seconds("publish", started)
        return number

    def _counts(self) -> dict[str, int]:
        """Against the version that was live, whatever an earlier killed build had done already."""
        before, now = self._before.keys(), self._seen.keys()
        same = sum(self._before[i] == self._seen[i] for i in before & now)
        return {
            "added": len(now - before),
            "changed": len(before & now) - same,
            "removed": len(before - now),
            "unchanged": same,
        }

    def _report(
        self, number: int, published: bool, counts: dict[str, int], n_articles: int, n_chunks: int
    ) -> BuildReport:
        return BuildReport(
            index=self._folder.name,
            version=number,
            published=published,
            **counts,
            n_articles=n_articles,
            n_chunks=n_chunks,
            skipped=tuple(self._skipped),
            seconds={phase: round(value, 3) for phase, value in self._seconds.items()},
        )

    def _add_seconds(self, phase: str, started: float) -> float:
        now = time.perf_counter()
        self._seconds[phase] = self._seconds.get(phase, 0.0) + now - started
        return now

    def _tell(self, phase: str) -> None:
        if self._progress is not None:
            self._progress(
                BuildProgress(
                    index=self._folder.name,
                    phase=phase,
                    n_done=len(self._seen),
                    n_chunks=self._n_embedded,
                )
            )


def embedding_prefix(article: Article, embedder: Embedder) -> str:
    """What is embedded before the text of each chunk: the title and the day, if they are known."""
    day = article.published.isoformat() if article.published else ""
    title = article.title
    while title and embedder.count_tokens([f"{title}. {day}\n"])[0] > _MAX_PREFIX_TOKENS:
        title = title[: len(title) * 2 // 3]
    parts = [part for part in (title, day) if part]
    return ". ".join(parts) + "\n" if parts else ""


def _recipe(config: IndexConfig, model_sha256: str) -> str:
    decides = {
        "format": FORMAT,
        "pipeline": PIPELINE,
        "language": config.language,
        "chunking": config.chunking.model_dump(mode="json"),
        "model": model_sha256,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
