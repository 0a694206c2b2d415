"""Preparing: articles as read to batches of chunks, and these to their vectors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from rag.article import Article
from rag.chunking import Chunk, ChunkingSettings, chunk
from rag.cleaning import CleanedArticle, clean
from rag.embedding import Embedder
from rag.index.rows import EmbeddedArticle
from rag.readers import Skipped
from rag.readers.files import LINES_SUFFIXES, expand, suffix, walk
from rag.sentences import split

BATCH_CHUNKS = 256
_BATCH_ARTICLES = 1_000
_MAX_PREFIX_TOKENS = 48

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article cut into chunks, without vectors yet."""

    cleaned: CleanedArticle
    content_hash: str
    chunks: list[Chunk]


@dataclass(slots=True)
class Batch:
    """What some consecutive articles of the sources come to.

    Attributes:
        seen: Content hash of each article by its id, new or not.
        new: Those that must be embedded.
        moved: Path of those that are stored under another one.
        skipped: What was not taken, with the reason.
    """

    seen: dict[str, str] = field(default_factory=dict)
    new: list[Prepared] = field(default_factory=list)
    moved: dict[str, str | None] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)


def prepare(
    found: Iterable[Article | Skipped],
    known: Mapping[str, tuple[str, str | None]],
    cut: Callable[[Article], list[Chunk]],
) -> Iterator[Batch]:
    """Clean and cut the articles that are not known yet.

    Args:
        found: What the sources hold.
        known: article_id to content hash and path, of what is stored already.
        cut: Cuts a cleaned article into chunks.
    """
    batch, n_chunks = Batch(), 0
    for item in found:
        if isinstance(item, Skipped):
            batch.skipped.append(item)
            continue
        digest = item.content_hash()
        stored = known.get(item.article_id)
        if stored is not None and stored[0] == digest:
            batch.seen[item.article_id] = digest
            if stored[1] != item.path:
                batch.moved[item.article_id] = item.path
        else:
            cleaned = clean(item)
            if not cleaned.article.text.strip():
                reason = "nothing is left of it after cleaning"
                batch.skipped.append(Skipped(path=item.path or item.article_id, reason=reason))
                continue
            batch.seen[item.article_id] = digest
            batch.new.append(Prepared(cleaned, digest, cut(cleaned.article)))
            n_chunks += len(batch.new[-1].chunks)
        if n_chunks >= BATCH_CHUNKS or len(batch.seen) >= _BATCH_ARTICLES:
            yield batch
            batch, n_chunks = Batch(), 0
    yield batch


def cut(article: Article, embedder: Embedder, settings: ChunkingSettings) -> list[Chunk]:
    """The chunks of a cleaned article."""
    return chunk(
        article.text,
        split(article.text),
        count_tokens=embedder.count_tokens,
        max_tokens=embedder.max_tokens - _MAX_PREFIX_TOKENS,
        words=settings.words,
        overlap_sentences=settings.overlap_sentences,
    )


def embed(articles: Sequence[Prepared], embedder: Embedder) -> list[EmbeddedArticle]:
    """The articles with the vectors of their chunks and of each sentence in them."""
    texts: list[str] = []
    for item in articles:
        article = item.cleaned.article
        prefix = embedding_prefix(article, embedder)
        texts += [prefix + article.text[piece.start : piece.end] for piece in item.chunks]
    at, sentence_at = 0, len(texts)
    for item in articles:
        text = item.cleaned.article.text
        texts += [text[s.start : s.end] for piece in item.chunks for s in piece.sentences]
    vectors = embedder.embed_documents(texts)
    embedded = []
    for item in articles:
        ends = np.cumsum([sentence_at, *(len(piece.sentences) for piece in item.chunks)])
        parts = [vectors[start:end] for start, end in itertools.pairwise(ends)]
        own = vectors[at : at + len(item.chunks)]
        embedded.append(EmbeddedArticle(item.cleaned, item.content_hash, item.chunks, own, parts))
        at, sentence_at = at + len(item.chunks), int(ends[-1])
    return embedded


def embedding_prefix(article: Article, embedder: Embedder) -> str:
    """What is embedded before the text of each chunk: the title and the day, if they are known."""
    day = article.published.isoformat() if article.published else ""
    title = article.title
    while title and embedder.count_tokens([f"{title}. {day}\n"])[0] > _MAX_PREFIX_TOKENS:
        title = title[: len(title) * 2 // 3]
    parts = [part for part in (title, day) if part]
    return ". ".join(parts) + "\n" if parts else ""


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Iterate in a thread of its own, one item ahead of whoever takes them: memory stays bounded.

    What the thread raises is raised here.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="rag-prepare") as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item


def count_inputs(sources: Sequence[str], base: Path) -> int:
    """About how many articles the sources hold: text files, and lines of JSON lines files.

    Raises:
        SourceError: a source does not exist.
    """
    n_inputs = 0
    for source in sources:
        for path in (file for top in expand(source, base) for file in walk(top, base, set())):
            if isinstance(path, Skipped):
                continue
            n_inputs += _count_lines(path) if suffix(path) in LINES_SUFFIXES else 1
    return n_inputs


def _count_lines(path: str) -> int:
    try:
        with open(path, "rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
    except OSError:
        return 0  # reading it will tell
