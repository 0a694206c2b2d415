"""Workers: processes that read, clean and split side by side.

Started only when there is enough to read. They are processes of this Python with one function to
run, and not those of `multiprocessing`, which would run the caller's script again in each.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from rag.building.intake import Read, read_block, receive_reads, send_job, send_stored
from rag.errors import SourceError
from rag.readers import Block

LOCAL_BYTES = 2 * 2**20
"""So much is read in this process first: starting others takes as long."""
_JOB_BYTES = 2**18
_JOB_ITEMS = 1_000
_JOBS_AHEAD = 3  # for each process
MAX_WORKERS = 8
_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
_CODE += " from rag.building.intake import serve; serve()"

T = TypeVar("T")


def n_workers() -> int:
    """Processes that reading takes here: a core each, and not more than one writer can follow."""
    return min(MAX_WORKERS, len(os.sched_getaffinity(0)))


def read_blocks(
    items: Iterable[T],
    stored: Collection[str],
    *,
    n_workers: int,
    local_bytes: int = LOCAL_BYTES,
) -> Generator[tuple[T, list[Read]], None, None]:
    """Read blocks side by side; what they came to is in their order, and memory stays bounded.

    Args:
        items: Blocks; what is none is passed on in its place.
        stored: Beginnings of the content hashes of articles that need no cleaning.
        n_workers: Processes to use; below 2 all is read in this one.
        local_bytes: Bytes that are read in this process before others are started.

    Raises:
        SourceError: a process was killed, or ended by itself.
    """
    rest = iter(items)
    n_bytes = 0
    for item in rest:
        yield item, read_block(item, stored) if isinstance(item, Block) else []
        n_bytes += _size(item)
        if n_bytes >= local_bytes and n_workers > 1 and sys.executable:
            break
    else:
        return
    waiting: deque[tuple[list[T], Future[list[list[Read]]]]] = deque()
    with _Processes(n_workers, stored) as processes:
        for job in _jobs(rest):
            blocks = [item for item in job if isinstance(item, Block)]
            waiting.append((job, processes.submit(blocks)))
            if len(waiting) > _JOBS_AHEAD * n_workers:
                yield from _results(*waiting.popleft())
        while waiting:
            yield from _results(*waiting.popleft())


def _results(job: list[T], done: Future[list[list[Read]]]) -> Iterator[tuple[T, list[Read]]]:
    reads = iter(done.result())
    for item in job:
        yield item, next(reads) if isinstance(item, Block) else []


def _jobs(items: Iterator[T]) -> Iterator[list[T]]:
    """Blocks put together: a folder of short texts has a block for each."""
    job: list[T] = []
    n_bytes = 0
    for item in items:
        job.append(item)
        n_bytes += _size(item)
        if n_bytes >= _JOB_BYTES or len(job) >= _JOB_ITEMS:
            yield job
            job, n_bytes = [], 0
    if job:
        yield job


def _size(item: object) -> int:
    return sum(len(line or "") for line in item.lines) if isinstance(item, Block) else 0


class _Processes:
    """Processes, and a thread for each that writes to it and reads from it."""

    def __init__(self, n: int, stored: Collection[str]) -> None:
        self._stored = stored
        self._threads = ThreadPoolExecutor(n, thread_name_prefix="rag-read")
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._all: list[subprocess.Popen[bytes]] = []
        for _ in range(n):
            command = [sys.executable, "-c", _CODE, json.dumps(sys.path)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._all.append(process)
            self._idle.put(process)
        self._greeted: set[int] = set()

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._all:
            process.kill()  # it holds nothing that could be lost
        self._threads.shutdown()
        for process in self._all:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()

    def submit(self, blocks: Sequence[Block]) -> Future[list[list[Read]]]:
        return self._threads.submit(self._run, blocks)

    def _run(self, blocks: Sequence[Block]) -> list[list[Read]]:
        if not blocks:
            return []
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.pid not in self._greeted:
                send_stored(process.stdin, self._stored)
                self._greeted.add(process.pid)
            send_job(process.stdin, blocks)
            return receive_reads(process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise SourceError(
                f"a process that read articles of {blocks[0].shown} {_how(process.wait())}",
                mend="run the same command again: what is done is not done again. If it was"
                " killed, memory may have run out",
            ) from error
        finally:
            self._idle.put(process)


def _how(exit_code: int) -> str:
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
