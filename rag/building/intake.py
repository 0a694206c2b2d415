"""Reading: blocks of the sources to cleaned articles with their sentences.

The part of a build that any number of processes can do side by side. Run by
`rag.building.workers` it answers jobs on stdin until stdin ends.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import IO

from pydantic import BaseModel, ConfigDict, PrivateAttr, TypeAdapter

from rag.article import Article
from rag.cleaning import CleanedArticle, clean
from rag.index.rows import EmbeddedArticle
from rag.readers import Block, articles_of
from rag.text.paragraphs import Span
from rag.text.sentences import split

DIGEST_CHARACTERS = 16
"""So much of a content hash tells whether an article is stored; the builder looks at all of it."""
MAX_PROCESS_BYTES = 4 * 2**30
"""Address space of a process that reads: more is taken for a file made to exhaust memory."""
_NETWORK_EVENTS = frozenset(
    {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
     "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request", "subprocess.Popen",
     "os.exec", "os.posix_spawn", "os.system"}
)  # fmt: skip
_FRAME = struct.Struct("<QQ")


class Read(BaseModel):
    """What one article of a block came to.

    Attributes:
        line: Number of its line or entry; None for a whole file.
        path: Where it stands, if it was read; the file that its block names, or one attached to it.
        article_id: The id that it states; empty if there is no article.
        digest: Its content hash (hex).
        reason: Why there is no article.
        cleaned: None if there is no article, or one that is stored already.
        offsets: Start and end of each sentence in turn.
        gave_up: Whether reading was ended for taking too long or too much: another time, or on
            another machine, it may be read.
    """

    # As the article says it: JSON itself has no infinite numbers.
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    line: int | None
    path: str | None = None
    article_id: str = ""
    digest: str = ""
    reason: str | None = None
    cleaned: CleanedArticle | None = None
    offsets: list[int] = []
    gave_up: bool = False
    _embedded: EmbeddedArticle | None = PrivateAttr(None)

    @property
    def embedded(self) -> EmbeddedArticle | None:
        """It with its chunks and vectors, where they were made along; never sent with it."""
        return self._embedded

    @embedded.setter
    def embedded(self, made: EmbeddedArticle) -> None:
        self._embedded = made

    @property
    def sentences(self) -> list[Span]:
        """Its sentences."""
        return [Span(*pair) for pair in zip(self.offsets[::2], self.offsets[1::2], strict=True)]


def read_block(block: Block, stored: Collection[str]) -> list[Read]:
    """Parse, clean and split the articles of a block.

    Args:
        block: The block.
        stored: Beginnings of the content hashes of articles that need no cleaning.
    """
    return [
        Read(line=line, reason=found) if isinstance(found, str) else _read(line, found, stored)
        for line, found in articles_of(block)
    ]


def _read(line: int | None, article: Article, stored: Collection[str]) -> Read:
    digest = article.content_hash()
    if digest[:DIGEST_CHARACTERS] in stored:
        return Read(line=line, path=article.path, article_id=article.article_id, digest=digest)
    return read_article(line, article, digest)


def read_article(line: int | None, article: Article, digest: str) -> Read:
    """Clean and split an article."""
    cleaned = clean(article)
    return Read.model_construct(
        line=line,
        path=article.path,
        article_id=article.article_id,
        digest=digest,
        reason=None,
        cleaned=cleaned,
        offsets=list(itertools.chain.from_iterable(split(cleaned.article.text))),
    )


# Between processes: the lengths of two parts, a JSON head, and the bytes that it speaks of.

_READS = TypeAdapter(list[Read])
_READS_OF_BLOCKS = TypeAdapter(list[list[Read]])


def send_job(stream: IO[bytes], blocks: Sequence[Block]) -> None:
    """Write the blocks of a job."""
    head, parts = [], []
    for block in blocks:
        lines = [line.encode() if isinstance(line, str) else line for line in block.lines]
        parts += [line for line in lines if line is not None]
        head.append(
            {
                "shown": block.shown,
                "first": block.first,
                "problem": block.problem,
                "n_bytes": [None if line is None else len(line) for line in lines],
                "is_text": any(isinstance(line, str) for line in block.lines),
                "rest": [block.format, block.url, block.depth, block.number],
            }
        )
    _send(stream, json.dumps(head).encode(), b"".join(parts))


def receive_reads(stream: IO[bytes]) -> list[Read]:
    """What the next block of a job came to.

    Raises:
        EOFError: the process at the other end is no more.
    """
    return _READS.validate_json(_receive(stream)[0])


def read_jobs(stream: IO[bytes]) -> Iterator[Block]:
    """The blocks of the next job.

    Raises:
        EOFError: there is none.
    """
    return _blocks(*_receive(stream))


def dump_reads(reads: Sequence[list[Read]]) -> bytes:
    """What several blocks came to, as JSON."""
    return _READS_OF_BLOCKS.dump_json(list(reads))


def load_reads(data: bytes) -> list[list[Read]]:
    """The reverse of `dump_reads`."""
    return _READS_OF_BLOCKS.validate_json(data)


def serve() -> None:
    """Answer jobs on stdin until it ends. The first message holds the hashes that are stored."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the builder, and that ends stdin
    jobs, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed must not get between the results
    confine()
    with contextlib.suppress(EOFError, BrokenPipeError):
        stored = frozenset(json.loads(_receive(jobs)[0]))
        _send(results, b"[]")  # ready: the time that a block may take begins behind that
        while True:
            for block in read_jobs(jobs):
                _send(results, _READS.dump_json(read_block(block, stored)))


def confine() -> None:
    """Bounds of a process that reads what strangers made: its memory, and no network."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MAX_PROCESS_BYTES if hard == resource.RLIM_INFINITY else min(hard, MAX_PROCESS_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def refuse(event: str, _arguments: object) -> None:
        if event in _NETWORK_EVENTS:
            raise PermissionError("a reader must not use the network")

    sys.addaudithook(refuse)


def send_stored(stream: IO[bytes], stored: Collection[str]) -> None:
    """Write the first message."""
    _send(stream, json.dumps(list(stored)).encode())


def _blocks(head: bytes, data: bytes) -> Iterator[Block]:
    at = 0
    for fields in json.loads(head):
        lines: list[bytes | str | None] = []
        for n_bytes in fields["n_bytes"]:
            line = None if n_bytes is None else data[at : at + n_bytes]
            lines.append(line.decode() if fields["is_text"] and line is not None else line)
            at += n_bytes or 0
        known = (fields["shown"], fields["first"], tuple(lines), fields["problem"])
        yield Block(*known, *fields["rest"])


def _send(stream: IO[bytes], head: bytes, data: bytes = b"") -> None:
    stream.write(_FRAME.pack(len(head), len(data)))
    stream.write(head)
    stream.write(data)
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[bytes, bytes]:
    lengths = _exactly(stream, _FRAME.size)
    n_head, n_data = _FRAME.unpack(lengths)
    return _exactly(stream, n_head), _exactly(stream, n_data)


def _exactly(stream: IO[bytes], n_bytes: int) -> bytes:
    data = stream.read(n_bytes)
    if len(data) < n_bytes:
        raise EOFError
    return data
