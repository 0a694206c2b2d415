"""Preparing: articles as read to batches of chunks, and these to their vectors."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from rag.article import Article
from rag.building.inputs import LEFT_OUT, Entry, Input, Stored, Unchanged, assign_again, unchanged
from rag.building.intake import DIGEST_CHARACTERS, Read, read_article
from rag.building.workers import read_blocks
from rag.chunking import Chunk, ChunkingSettings, chunk
from rag.cleaning import CleanedArticle
from rag.embedding import Embedder
from rag.errors import ModelError
from rag.index.rows import STORED, EmbeddedArticle
from rag.readers import (
    Block,
    BlockReader,
    Skipped,
    SourceFile,
    UniqueIds,
    articles_of,
    files_of,
    format_of_path,
)
from rag.text.paragraphs import Span, unmarked

BATCH_CHUNKS = 256
_BATCH_ARTICLES = 1_000
_MAX_PREFIX_TOKENS = 48
_EMPTY = "nothing is left of it after cleaning"

T = TypeVar("T")
ReadBlocks = Callable[
    [Iterable[Any], Collection[str]], Generator[tuple[Any, list[Read]], None, None]
]
"""Blocks, and beginnings of the hashes of what is stored, to what each block came to, in order."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article cut into chunks; without vectors yet, unless they were made along."""

    cleaned: CleanedArticle
    content_hash: str
    chunks: Sequence[Chunk]
    embedded: EmbeddedArticle | None = None


@dataclass(slots=True)
class Batch:
    """What some consecutive articles of the sources come to.

    Attributes:
        seen: Content hash of each article by its id, new or not.
        new: Those that must be embedded.
        moved: Path of those that are stored under another one.
        skipped: What was not taken, with the reason.
        n_read: Numbers of articles by the format that they were read from.
    """

    seen: dict[str, str] = field(default_factory=dict)
    new: list[Prepared] = field(default_factory=list)
    moved: dict[str, str | None] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    n_read: Counter[str] = field(default_factory=Counter)

    def count(self, path: str) -> None:
        """Count an article by its format."""
        self.n_read[format_of_path(path) or "other"] += 1


class Preparation:
    """Articles of the sources to batches of chunks, without those that are stored already.

    Args:
        files: What the sources hold.
        stored: The articles in the catalog.
        inputs: What each file came to in an earlier build, by its path.
        cut: Cuts a cleaned article, with its sentences, into chunks.
        read: Reads blocks, like `read_blocks`.
        without: Ids of articles that are not to be taken.

    Attributes:
        paths: Every file, once `batches` has ended.
        new_inputs: What those files came to of which nothing was known, or something else.
    """

    def __init__(
        self,
        files: Iterable[SourceFile | Skipped],
        stored: Stored,
        inputs: Mapping[str, Input],
        cut: Callable[[Article, Sequence[Span]], list[Chunk]],
        *,
        read: ReadBlocks,
        without: Collection[str] = (),
    ) -> None:
        self._files = files
        self._without = without
        self._stored = stored
        self._inputs = inputs
        self._cut = cut
        self._read = read
        self._ids = UniqueIds()
        self._batch, self._n_chunks = Batch(), 0
        self._entries: list[Entry] = []
        self._file = ""
        self._read_here = self._gave_up = False
        self.paths: set[str] = set()
        self.new_inputs: dict[str, Input] = {}

    def batches(self) -> Iterator[Batch]:
        """The batches, in the order of the sources."""
        stored = {digest[:DIGEST_CHARACTERS] for digest, _ in self._stored.values()}
        found = self._read(self._found(), stored)
        with contextlib.closing(found):
            for item, reads in found:
                if isinstance(item, Skipped):
                    self._batch.skipped.append(item)
                elif isinstance(item, Unchanged):
                    self._take_unchanged(item)
                elif isinstance(item, BlockReader):
                    self._end_file(item)
                elif isinstance(item, SourceFile):
                    self._file = item.shown
                elif not self._read_here:
                    self._take_block(item, reads)
                if self._n_chunks >= BATCH_CHUNKS or len(self._batch.seen) >= _BATCH_ARTICLES:
                    yield self._batch
                    self._batch, self._n_chunks = Batch(), 0
        yield self._batch

    def _found(self) -> Iterator[Skipped | SourceFile | Unchanged | Block | BlockReader]:
        """What is to be taken, in order; behind the blocks of a file stands its reader."""
        for file in self._files:
            if isinstance(file, Skipped):
                yield file
                continue
            self.paths.add(file.shown)
            yield file
            known = unchanged(file, self._inputs.get(file.shown), self._stored, self._without)
            if known is not None:
                yield known
                if known.is_all:
                    continue
            reader = BlockReader(file, known.known.state if known else None)
            yield from reader.blocks()
            yield reader

    def _take_unchanged(self, item: Unchanged) -> None:
        found = assign_again(item.known.entries, item.file.shown, self._ids)
        if found is None:
            # Seldom: read here, and what others read of it meanwhile is passed over.
            reader = BlockReader(item.file)
            for block, reads in read_blocks(reader.blocks(), (), n_workers=1):
                self._take_block(block, reads)
            self._read_here = not item.is_all
            if item.is_all:
                self._end_file(reader)
            return
        for entry, skipped in found:
            if skipped is not None:
                self._batch.skipped.append(skipped)
            else:
                self._note(*entry.stored_as, entry.path or item.file.shown)
        if not item.is_all:
            self._entries = list(item.known.entries)

    def _end_file(self, reader: BlockReader) -> None:
        if reader.state is not None and not self._gave_up:
            self.new_inputs[reader.file.shown] = Input(reader.state, self._entries)
        self._entries, self._read_here, self._gave_up = [], False, False

    def _take_block(self, block: Block, reads: Iterable[Read]) -> None:
        articles: list[Article | str] = []

        def as_read(place: int) -> Article:
            if not articles:
                articles.extend(found for _, found in articles_of(block))
            article = articles[place]
            assert isinstance(article, Article)
            return article

        for place, read in enumerate(reads):
            self._gave_up = self._gave_up or read.gave_up
            entry = self._take(block.shown, read, functools.partial(as_read, place))
            self._entries.append(entry)

    def _take(self, path: str, read: Read, as_read: Callable[[], Article]) -> Entry:
        """Take one article in; `as_read` gives it once more, if it must be."""
        line, wanted, digest, path = read.line, read.article_id, read.digest, read.path or path
        inner = path if path != self._file else None
        if read.reason is not None:
            self._batch.skipped.append(Skipped(path=path, line=line, reason=read.reason))
            return Entry(line, reason=read.reason, path=inner)
        unique, duplicate = self._ids.assign(wanted, digest, path)
        if duplicate is not None:
            self._batch.skipped.append(Skipped(path=path, line=line, reason=duplicate))
            return Entry(line, wanted, digest, path=inner)
        entry = Entry(line, wanted, digest, path=inner)
        if unique != wanted:
            digest = hashlib.sha256(f"{digest} {unique}".encode()).hexdigest()
            entry = Entry(line, wanted, read.digest, None, unique, digest, inner)
        if unique in self._without:
            self._batch.skipped.append(Skipped(path=path, line=line, reason=LEFT_OUT))
            return entry._replace(reason=LEFT_OUT)
        if self._stored.get(unique, ("",))[0] == digest:
            self._note(unique, digest, path)
            return entry
        if read.cleaned is None:  # seldom: it is stored under another id
            read = read_article(line, as_read(), digest)
        assert read.cleaned is not None
        cleaned = read.cleaned
        if unique != wanted:
            article = cleaned.article.model_copy(update={"article_id": unique})
            cleaned = cleaned.model_copy(update={"article": article})
        if not cleaned.article.text.strip():
            self._batch.skipped.append(Skipped(path=path, line=line, reason=_EMPTY))
            return entry._replace(reason=_EMPTY)
        made = read.embedded and replace(read.embedded, cleaned=cleaned, content_hash=digest)
        chunks = made.chunks if made else self._cut(cleaned.article, read.sentences)
        self._batch.seen[unique] = digest
        self._batch.count(path)
        self._batch.new.append(Prepared(cleaned, digest, chunks, made))
        self._n_chunks += len(chunks)
        return entry

    def _note(self, article_id: str, digest: str, path: str) -> None:
        """Note an article that is stored already."""
        self._batch.seen[article_id] = digest
        self._batch.count(path)
        if self._stored[article_id][1] != path:
            self._batch.moved[article_id] = path


def cut(
    article: Article, sentences: Sequence[Span], embedder: Embedder, settings: ChunkingSettings
) -> list[Chunk]:
    """The chunks of a cleaned article.

    Raises:
        ModelError: the embedding model takes no more tokens than the heading of a chunk has.
    """
    if embedder.max_tokens <= _MAX_PREFIX_TOKENS:
        raise ModelError(
            f"the embedding model {embedder.identity.model} takes {embedder.max_tokens} tokens at"
            f" once; chunks need more than {_MAX_PREFIX_TOKENS}",
            mend="name another embedding model in index.toml",
        )
    return chunk(
        unmarked(article.text),
        sentences,
        count_tokens=embedder.count_tokens,
        max_tokens=embedder.max_tokens - _MAX_PREFIX_TOKENS,
        words=settings.words,
        overlap_sentences=settings.overlap_sentences,
    )


def embed(articles: Sequence[Prepared], embedder: Embedder) -> list[EmbeddedArticle]:
    """The articles with the vectors of their chunks and of each sentence in them.

    Those that have them already stay as they are.
    """
    fresh = iter(_embed([item for item in articles if item.embedded is None], embedder))
    return [item.embedded or next(fresh) for item in articles]


def _embed(articles: Sequence[Prepared], embedder: Embedder) -> list[EmbeddedArticle]:
    if not articles:
        return []
    texts: list[str] = []
    spans: list[list[tuple[int, int]]] = []
    for item in articles:
        article = item.cleaned.article
        prefix = embedding_prefix(article, embedder)
        text = unmarked(article.text)
        for piece in item.chunks:
            texts.append(prefix + text[piece.start : piece.end])
            left = len(prefix) - piece.start
            spans.append([(start + left, end + left) for start, end in piece.sentences])
    vectors, parts = embedder.embed_passages(texts, spans)
    stored = vectors.astype(STORED)
    embedded, at = [], 0
    for item in articles:
        end = at + len(item.chunks)
        own = [part.astype(STORED) for part in parts[at:end]]
        made = EmbeddedArticle(item.cleaned, item.content_hash, item.chunks, stored[at:end], own)
        embedded.append(made)
        at = end
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
    files = (file for file in files_of(sources, base) if not isinstance(file, Skipped))
    return sum(_count_lines(file.path) if file.is_lines else 1 for file in files)


def _count_lines(path: str) -> int:
    try:
        with open(path, "rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
    except OSError:
        return 0  # reading it will tell
