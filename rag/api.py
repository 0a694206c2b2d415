"""`ask`, `timeline`, `summarize`, `search`, `build` and `check`: one call, no set-up.

Opened indexes and models are kept for the next call.
"""

from __future__ import annotations

import atexit
import datetime
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag import embedding, models
from rag.answering.answer import Answer
from rag.answering.question import Kind
from rag.building.builder import build_index
from rag.building.on_ray import Ray
from rag.building.report import BuildReport, Progress
from rag.embedding import Embedder
from rag.errors import ModelError
from rag.following.follow import after_build
from rag.index.check import CheckReport, check_index
from rag.index.layout import IndexFolder
from rag.pool import EnginePool
from rag.retrieval import Filter, Hit
from rag.settings import Settings

_pool = EnginePool()
atexit.register(_pool.close)


def ask(
    question: str,
    *,
    index: str = "seeds",
    since: datetime.date | str | None = None,
    until: datetime.date | str | None = None,
    source: str | Sequence[str] | None = None,
    undated: bool = False,
    where: Mapping[str, str] | None = None,
    filter: Filter | None = None,
    asked_on: datetime.date | str | None = None,
    kind: Kind | str | None = None,
    any_time: bool = False,
    settings: Settings | None = None,
) -> Answer:
    """The checked answer to a question. Arguments and errors: see `rag.Rag.ask`.

    Example:
        >>> ask("What did Healey urge in Israel?").citations[0].quote  # doctest: +SKIP
    """
    chosen = Filter.make(
        since=since, until=until, source=source, undated=undated, where=where, filter=filter
    )
    return _pool.get(index, settings).ask(
        question, filter=chosen, asked_on=asked_on, kind=kind, any_time=any_time
    )


def timeline(
    subject: str,
    *,
    index: str = "seeds",
    since: datetime.date | str | None = None,
    until: datetime.date | str | None = None,
    settings: Settings | None = None,
) -> Answer:
    """What happened to a subject, by the day it happened: `ask` with the kind `timeline`.

    Example:
        >>> timeline("the bridge in Norwick", since="2024-01-01").items[0].day  # doctest: +SKIP
    """
    return ask(
        subject, index=index, since=since, until=until, kind=Kind.TIMELINE, settings=settings
    )


def summarize(
    subject: str,
    *,
    index: str = "seeds",
    since: datetime.date | str | None = None,
    until: datetime.date | str | None = None,
    settings: Settings | None = None,
) -> Answer:
    """What the articles say of a subject, in a few of their sentences: the kind `summary`.

    Args:
        subject: In plain words, or the id of an article, which alone is read then.
        index: Name of the index.
        since, until: First and last day of publication, both included.
        settings: None takes them from `rag.toml` and the environment.
    """
    return ask(subject, index=index, since=since, until=until, kind=Kind.SUMMARY, settings=settings)


def search(
    query: str,
    *,
    index: str = "seeds",
    k: int = 5,
    since: datetime.date | str | None = None,
    until: datetime.date | str | None = None,
    source: str | Sequence[str] | None = None,
    undated: bool = False,
    where: Mapping[str, str] | None = None,
    filter: Filter | None = None,
    settings: Settings | None = None,
) -> list[Hit]:
    """The k best chunks, best first. Arguments and errors: see `rag.Rag.search`."""
    chosen = Filter.make(
        since=since, until=until, source=source, undated=undated, where=where, filter=filter
    )
    return _pool.get(index, settings).search(query, k=k, filter=chosen)


def build(
    index: str = "seeds",
    *,
    full: bool = False,
    allow_removal: bool = False,
    on: str | None = None,
    progress: Progress | None = None,
    settings: Settings | None = None,
) -> BuildReport:
    """Bring an index up to date with the sources in its `index.toml`.

    In the end news is looked for, if questions are followed there (`rag.follow`).

    Args:
        index: Its name: the folder below the index folder.
        full: Start from nothing; otherwise unchanged articles keep their chunks and vectors.
        allow_removal: Whether more than half of the articles may be removed, because the sources
            no longer hold them.
        on: `ray` reads and embeds on a Ray of this machine, `ray://HOST:PORT` on the cluster with
            that head, which this machine is part of; None does it in this process and its children.
        progress: Called with a `BuildProgress` as it goes on.
        settings: None takes them from `rag.toml` and the environment.

    Raises:
        IndexMissingError: there is no `index.toml`.
        IndexLockedError: another process is building it.
        SourceError: a source does not exist, or no article could be read.
        RemovalError: more than half of the articles would be removed.
        ModelMissingError, ModelError: the embedding model is missing or does not load.
    """
    settings = settings or Settings()
    folder = IndexFolder(settings.index_dir, index)
    model = folder.config().embedding.model
    path = models.find(model, models_dir=settings.models_dir, kind="embedding")
    ray = Ray.of(on) if on is not None else None
    n_threads = 1 if ray else settings.threads  # a worker for each core
    load = functools.partial(_embedder, model, settings.models_dir, n_threads)

    report = build_index(
        folder,
        model_sha256=models.fingerprint(path),
        load_embedder=load,
        ray=ray,
        full=full,
        allow_removal=allow_removal,
        progress=progress,
    )
    return after_build(report, settings)


def _embedder(model: str, models_dir: Path, n_threads: int, runtime: str | None) -> Embedder:
    return embedding.load(model, models_dir=models_dir, n_threads=n_threads, runtime=runtime)


def check(index: str = "seeds", *, settings: Settings | None = None) -> CheckReport:
    """Verify everything about the live version of an index: files, rows, ids and its model.

    Raises:
        IndexMissingError: there is no such index, or nothing was built yet.
    """
    settings = settings or Settings()

    def fingerprint(model: str) -> str | None:
        try:
            path = models.find(model, models_dir=settings.models_dir, kind="embedding")
            return models.fingerprint(path)
        except ModelError:
            return None  # asking a question says what mends it

    return check_index(IndexFolder(settings.index_dir, index), fingerprint)
