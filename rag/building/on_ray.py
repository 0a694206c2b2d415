"""On Ray: blocks read, cleaned, split, chunked and embedded by the machines of a cluster.

What each machine does is what a build does here; one writer, here, takes the results in the order
of the sources. So a block whose worker was killed is done again by another, and a build that was
killed itself goes on from what was stored, as ever: nothing is lost, and nothing is there twice.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import json
import socket
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from rag.building.intake import (
    Read,
    dump_reads,
    load_reads,
    read_jobs,
    send_job,
)
from rag.building.prepare import Prepared, cut, embed
from rag.building.workers import read_blocks
from rag.chunking import Chunk, ChunkingSettings
from rag.embedding import Embedder, EmbedderIdentity
from rag.errors import ModelError, RagError, SourceError, check_extra
from rag.index.rows import STORED, EmbeddedArticle
from rag.readers import Block
from rag.settings import http_to_this_machine, silence_telemetry
from rag.text.paragraphs import Span

WINDOW_BYTES = 2**30
"""So much of the sources is handed to Ray at once, and held here until it comes back."""
_ROW_BYTES = 2**18, 2**22  # of a row at first, and at most: few articles go round all machines too
_GROWTH = 32
_SECONDS = 20.0

T = TypeVar("T")
Row = dict[str, Any]


@dataclass(frozen=True)
class Ray:
    """Where a build runs.

    Attributes:
        address: HOST:PORT of a cluster's head, as `ray start` prints it; None starts one of this
            machine alone. The build runs on a machine of the cluster.
    """

    address: str | None

    @classmethod
    def of(cls, on: str) -> Ray:
        """The cluster that `ray` or `ray://HOST:PORT` speaks of.

        Raises:
            SourceError: it is neither.
        """
        scheme, _, address = on.partition("://")
        if scheme != "ray" or ("://" in on and not address):
            raise SourceError(f"a build runs on ray or ray://HOST:PORT, not on {on!r}")
        return cls(address or None)


@dataclass(frozen=True)
class Work:
    """What is to be done with each block.

    Attributes:
        load: Opens the embedding model; its argument is the runtime.
        identity: Which model that must be, on every machine.
        chunking: How articles are cut.
        stored: Beginnings of the content hashes of articles that need no cleaning.
    """

    load: Callable[[str | None], Embedder]
    identity: EmbedderIdentity
    chunking: ChunkingSettings
    stored: Collection[str]


@contextlib.contextmanager
def joined(cluster: Ray) -> Iterator[None]:
    """Be part of a cluster meanwhile; one that this process is part of already stays as it is.

    Raises:
        MissingExtraError: Ray is not installed.
        SourceError: the cluster does not answer.
    """
    check_extra("a build on Ray", extra="cluster", library="ray")
    silence_telemetry()
    import ray

    if ray.is_initialized():
        yield
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if cluster.address is None:
            _start_here(quiet)
        else:
            host, _, port = cluster.address.rpartition(":")
            with socket.create_connection((host, int(port)), _SECONDS):
                pass  # Ray itself would wait for minutes
            ray.init(address=cluster.address, **quiet)
    except Exception as error:  # what it is that Ray raises, it does not say
        raise SourceError(
            f"the Ray cluster {cluster.address or 'of this machine'} does not answer: {error}",
            mend="ray start --head, on a machine of the cluster; or build without --on",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _start_here(options: Mapping[str, Any]) -> None:
    """Start a Ray of this machine alone, which listens on loopback: it asks nobody who he is.

    Raises:
        RuntimeError: it would listen to others.
    """
    import ray
    from ray._private import ray_constants

    # Ray makes of 127.0.0.1 an address that others reach, where it takes clusters to be possible.
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        with http_to_this_machine():  # else it asks around which cloud it is in
            ray.init(
                address="local", _node_ip_address="127.0.0.1", include_dashboard=False, **options
            )
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
    listens_on = ray.util.get_node_ip_address()
    if not ipaddress.ip_address(listens_on).is_loopback:
        ray.shutdown()
        raise RuntimeError(f"this release of Ray would listen on {listens_on}, to other machines")


def n_gpus() -> int:
    """GPUs of the cluster that this process is part of."""
    import ray

    return int(ray.cluster_resources().get("GPU", 0))


def read_and_embed(
    items: Iterable[T], work: Work, window_bytes: int = WINDOW_BYTES
) -> Generator[tuple[T, list[Read]], None, None]:
    """As `read_blocks`, on the cluster, and what is read has its chunks and vectors.

    Args:
        items: Blocks; what is none is passed on in its place.
        work: What is to be done.
        window_bytes: Bytes that are handed to Ray at once.

    Raises:
        RagError: as in a build without Ray.
    """
    window: list[T] = []
    n_bytes = 0
    for item in items:
        window.append(item)
        n_bytes += _size(item)
        if n_bytes >= window_bytes:
            yield from _done(window, work)
            window, n_bytes = [], 0
    yield from _done(window, work)


def _done(window: Sequence[T], work: Work) -> Iterator[tuple[T, list[Read]]]:
    # Closed here, whatever happens: once Ray is left, its pipeline cannot end itself any more.
    with contextlib.closing(_results([b for b in window if isinstance(b, Block)], work)) as rows:
        reads = (own for row in rows for own in _unpacked(row, work.identity.dimension))
        for item in window:
            yield item, next(reads) if isinstance(item, Block) else []


def _results(blocks: Sequence[Block], work: Work) -> Generator[Row, None, None]:
    """What the pipeline makes of blocks, in their order."""
    if not blocks:
        return
    import pyarrow
    import ray
    from ray.data import ActorPoolStrategy, DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    tables = [pyarrow.table({"job": [job]}) for job in _jobs(blocks)]
    on_gpus = bool(n_gpus())
    n_actors = n_gpus() or max(1, int(ray.cluster_resources().get("CPU", 1)))
    pipeline = ray.data.from_arrow(tables).map(
        _read, fn_kwargs={"stored": frozenset(work.stored)}, num_cpus=1
    )
    pipeline = pipeline.map(
        _Embedding,
        fn_constructor_args=(work.load, work.identity, work.chunking),
        compute=ActorPoolStrategy(min_size=1, max_size=min(n_actors, len(tables))),
        num_cpus=0 if on_gpus else 1,
        num_gpus=1 if on_gpus else 0,
    )
    with contextlib.closing(iter(pipeline.iter_rows())) as rows:
        yield from rows


def _jobs(blocks: Sequence[Block]) -> Iterator[bytes]:
    """Blocks put together to what one worker does at once."""
    job: list[Block] = []
    n_bytes, total = 0, 0
    for block in blocks:
        job.append(block)
        n_bytes += _size(block)
        total += _size(block)
        if n_bytes >= min(max(_ROW_BYTES[0], total // _GROWTH), _ROW_BYTES[1]):
            yield _packed(job)
            job, n_bytes = [], 0
    if job:
        yield _packed(job)


def _size(item: object) -> int:
    return sum(len(line or "") for line in item.lines) if isinstance(item, Block) else 0


def _packed(job: Sequence[Block]) -> bytes:
    stream = io.BytesIO()
    send_job(stream, job)
    return stream.getvalue()


def _read(row: Row, stored: Collection[str]) -> Row:
    """Read, clean and split the blocks of a row, on whatever machine this is."""
    blocks = read_jobs(io.BytesIO(row["job"]))
    try:
        found = read_blocks(blocks, stored, n_workers=1)  # in a process of its own what needs one
        return {"reads": dump_reads([reads for _, reads in found]), "error": b""}
    except RagError as error:
        return {"reads": b"[]", "error": _told(error)}


class _Embedding:
    """Chunks and embeds what was read, on whatever machine this is."""

    def __init__(
        self,
        load: Callable[[str | None], Embedder],
        identity: EmbedderIdentity,
        chunking: ChunkingSettings,
    ) -> None:
        self._load = load
        self._identity = identity
        self._chunking = chunking

    def __call__(self, row: Row) -> Row:
        try:
            return row | self._made(row)
        except RagError as error:
            empty = {"offsets": b"[]", "vectors": b"", "sentences": b""}
            return row | empty | {"error": row["error"] or _told(error)}

    def _made(self, row: Row) -> Row:
        prepared = [
            Prepared(
                read.cleaned,
                read.digest,
                cut(read.cleaned.article, read.sentences, self._embedder, self._chunking),
            )
            for reads in load_reads(row["reads"])
            for read in reads
            if read.cleaned is not None and read.cleaned.article.text.strip()
        ]
        embedded = embed(prepared, self._embedder)
        sentences = [vector for article in embedded for vector in article.sentence_vectors]
        offsets = [
            [[chunk.start, chunk.end, *np.ravel(chunk.sentences).tolist()] for chunk in item.chunks]
            for item in prepared
        ]
        return {
            "offsets": json.dumps(offsets).encode(),
            "vectors": b"".join(article.vectors.tobytes() for article in embedded),
            "sentences": b"".join(vector.tobytes() for vector in sentences),
        }

    @cached_property
    def _embedder(self) -> Embedder:
        """Opened with the first row: what Ray meets while a worker starts, it does not pass on."""
        opened = self._load(self._identity.runtime)
        if opened.identity != self._identity:
            here, wanted = opened.identity, self._identity
            raise ModelError(
                f"the embedding model of a machine of the cluster is {here.model} ({here.runtime},"
                f" {here.sha256[:12]}), that of the build {wanted.model} ({wanted.runtime},"
                f" {wanted.sha256[:12]})",
                mend=f"rag models pull {wanted.model}, on every machine of the cluster",
            )
        return opened


def _told(error: RagError) -> bytes:
    return json.dumps([isinstance(error, ModelError), error.message, error.mend]).encode()


def _unpacked(row: Row, dimension: int) -> Iterator[list[Read]]:
    """The reads of each block of a row, with their chunks and vectors.

    Raises:
        ModelError, SourceError: what a worker met.
    """
    if row["error"]:
        is_model, message, mend = json.loads(row["error"])
        raise (ModelError if is_model else SourceError)(message, mend=mend)
    vectors = np.frombuffer(row["vectors"], dtype=STORED).reshape(-1, dimension)
    sentences = np.frombuffer(row["sentences"], dtype=STORED).reshape(-1, dimension)
    offsets = iter(json.loads(row["offsets"]))
    at, at_sentence = 0, 0
    for reads in load_reads(row["reads"]):
        for read in reads:
            if read.cleaned is None or not read.cleaned.article.text.strip():
                continue
            chunks = [_chunk(own) for own in next(offsets)]
            own = []
            for chunk in chunks:
                own.append(sentences[at_sentence : at_sentence + len(chunk.sentences)])
                at_sentence += len(chunk.sentences)
            read.embedded = EmbeddedArticle(
                read.cleaned, read.digest, chunks, vectors[at : at + len(chunks)], own
            )
            at += len(chunks)
        yield reads


def _chunk(numbers: Sequence[int]) -> Chunk:
    start, end, *flat = numbers
    sentences = tuple(Span(*pair) for pair in zip(flat[::2], flat[1::2], strict=True))
    return Chunk(start, end, sentences)
