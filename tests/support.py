"""Small real indexes for tests: real SQLite, FAISS and tantivy; the embedder is the fake."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import sqlite3
import warnings
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from rag.article import Article
from rag.building.builder import build_index
from rag.building.report import BuildReport
from rag.embedding import Embedder
from rag.index.layout import IndexFolder
from rag.index.manifest import describe_file, read_manifest, write_manifest
from rag.index.opened import OpenIndex
from rag.readers import Skipped
from rag.testing import FakeEmbedder

T = TypeVar("T")

ARTICLES: list[dict[str, Any]] = [
    {
        "id": "harbour",
        "title": "Harbour bridge to close for repairs",
        "text": "The harbour bridge in Osterby closes on Monday for nine weeks of repairs. "
        "Mayor Lena Holm said the work would cost 4.2 million crowns. "
        "Cyclists may use the ferry without paying. "
        "Shop owners fear that fewer customers will come.",
        "published": "2024-03-01",
        "source": "Osterby Post",
        "section": "local",
    },
    {
        "id": "ferry",
        "title": "Ferry crews vote on strike",
        "text": "Crews of the Osterby ferry vote on a strike next week. "
        "Their union demands a raise of 6 percent. "
        "The company offers 3 percent and calls the demand unreasonable.",
        "published": "2024-03-05",
        "source": "Harbour News",
        "section": "economy",
    },
    {
        "id": "museum",
        "title": "Museum finds a lost painting",
        "text": "The city museum of Lindal found a painting that was lost since 1911. "
        "It hung behind a cupboard in the cellar. "
        "Director Paul Brandt called it a small miracle.",
        "source": "Osterby Post",
        "section": "culture",
    },
]


def write_articles(folder: Path, articles: Sequence[dict[str, Any]]) -> Path:
    """Write `news.jsonl` and an `index.toml` that reads it; returns the folder of indexes."""
    index = folder / "indexes" / "news"
    index.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(article, ensure_ascii=False) for article in articles]
    (folder / "news.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not (index / "index.toml").exists():
        (index / "index.toml").write_text('sources = ["../../news.jsonl"]\n', encoding="utf-8")
    return folder / "indexes"


def keep_in_milvus(index_dir: Path) -> None:
    """Have `news` keep its chunks in a file of Milvus Lite."""
    with (index_dir / "news" / "index.toml").open("a", encoding="utf-8") as file:
        file.write('[store]\nkind = "milvus"\nuri = "chunks.db"\n')


def build(
    index_dir: Path,
    *,
    embedder: Embedder | None = None,
    full: bool = False,
    allow_removal: bool = False,
) -> BuildReport:
    """Build `news` below a folder of indexes."""
    opened = embedder or FakeEmbedder()
    return build_index(
        IndexFolder(index_dir, "news"),
        model_sha256=opened.identity.sha256,
        load_embedder=lambda _: opened,
        full=full,
        allow_removal=allow_removal,
    )


def build_named(folder: IndexFolder) -> BuildReport:
    """Build an index with the fake embedder."""
    opened = FakeEmbedder()
    return build_index(folder, model_sha256=opened.identity.sha256, load_embedder=lambda _: opened)


def open_index(index_dir: Path) -> OpenIndex:
    """Open `news` below a folder of indexes."""
    return OpenIndex(IndexFolder(index_dir, "news"), n_threads=1)


def in_fork(call: Callable[[], Any], seconds: float = 30) -> Any:
    """What a function returns in a child made by `os.fork()`; it must be JSON.

    Raises:
        TimeoutError: the child hangs.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there are threads: that is the point
        child = os.fork()
    if not child:
        try:
            os.write(writing, json.dumps(call()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    try:
        if not select.select([reading], [], [], seconds)[0]:
            raise TimeoutError(f"the child hangs for {seconds} s")
        return json.loads(os.read(reading, 65536))
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def rewrite_catalog(version: Path, statement: str) -> None:
    """Change a published catalog, and its manifest with it."""
    with contextlib.closing(sqlite3.connect(version / "articles.sqlite")) as catalog:
        catalog.execute(statement)
        catalog.commit()
    manifest = read_manifest(version)
    files = {name: describe_file(version / name) for name in manifest.files}
    write_manifest(version, manifest.model_copy(update={"files": files}))


def as_articles(found: Iterable[Article | Skipped]) -> list[Article]:
    """What was read, where all of it must be articles."""
    read = list(found)
    articles = [item for item in read if isinstance(item, Article)]
    assert articles == read, read
    return articles


def as_skipped(found: Iterable[Article | Skipped]) -> list[Skipped]:
    """What was read, where nothing of it may be an article."""
    read = list(found)
    skipped = [item for item in read if isinstance(item, Skipped)]
    assert skipped == read, read
    return skipped


def in_a_loop(run: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
    """What a coroutine function returns, run in a loop of its own.

    In a thread of its own: that of the tests may have a loop at work, for the browser.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run(*arguments))).result()
