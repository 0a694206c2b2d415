"""Workers: processes that read, clean and split side by side.

Started only when there is enough to read. They are processes of this Python with one function to
run, and not those of `multiprocessing`, which would run the caller's script again in each.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TypeVar

from rag.building.intake import Read, read_block, receive_reads, send_job, send_stored
from rag.errors import SourceError
from rag.readers import Block

LOCAL_BYTES = 2 * 2**20
"""So much is read in this process first: starting others takes as long."""
_JOB_BYTES = 2**18
_JOB_ITEMS = 1_000
_JOBS_AHEAD = 3  # for each process
MAX_WORKERS = 8
MAX_SECONDS = 120.0
"""So long one file may take to be read: a page takes a fiftieth of a second, a book some."""
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
    seconds: float = MAX_SECONDS,
) -> Generator[tuple[T, list[Read]], None, None]:
    """Read blocks side by side; what they came to is in their order, and memory stays bounded.

    Plain text and JSON may be read in this process. Other formats are read by large libraries from
    what strangers made: always in a process that can be ended, so that a file that takes too long
    or too much memory, or brings a library down, is skipped and the others are read.

    Args:
        items: Blocks; what is none is passed on in its place.
        stored: Beginnings of the content hashes of articles that need no cleaning.
        n_workers: Processes to use; below 2 only for what must not be read in this one.
        local_bytes: Bytes that are read in this process before others are started.
        seconds: Time that one block may take.

    Raises:
        SourceError: a process was killed, or ended by itself, over lines of JSON or plain text.
    """
    rest = iter(items)
    n_bytes = 0
    for item in rest:
        if isinstance(item, Block) and not item.is_harmless:
            rest = itertools.chain([item], rest)
            break
        yield item, read_block(item, stored) if isinstance(item, Block) else []
        n_bytes += _size(item)
        if n_bytes >= local_bytes and n_workers > 1 and sys.executable:
            break
    else:
        return
    n_workers = max(n_workers, 1)
    waiting: deque[tuple[list[T], Future[list[list[Read]]]]] = deque()
    with _Processes(n_workers, stored, seconds) as processes:
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


class _Process:
    """One process that reads; ended and replaced when a block is too much for it."""

    def __init__(self, stored: Collection[str], seconds: float) -> None:
        self._stored = stored
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._overdue = self._stopped = False

    def run(self, blocks: Sequence[Block]) -> list[list[Read]]:
        """What each of the blocks came to."""
        done: list[list[Read]] = []
        while len(done) < len(blocks) and not self._stopped:
            rest = blocks[len(done) :]
            try:
                stdin, stdout = self._streams()
                with self._limit():  # one that is stopped does not take it
                    send_job(stdin, rest)
                for _ in rest:
                    done.append(self._receive(stdout))
            except (EOFError, BrokenPipeError) as error:
                if self._stopped:
                    break
                # It ended at the first block that it did not answer; another goes on behind that.
                block, reason = blocks[len(done)], self._why_it_ended()
                if block.is_harmless:
                    raise SourceError(
                        f"a process that read articles of {block.shown} {reason}",
                        mend="run the same command again: what is done is not done again. If it"
                        " was killed, memory may have run out",
                    ) from error
                done.append([Read(line=block.number, reason=f"reading it {reason}", gave_up=True)])
        return done

    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        process = self._process
        if process is None:
            command = [sys.executable, "-c", _CODE, json.dumps(sys.path)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._process = process
            assert process.stdin is not None
            assert process.stdout is not None
            send_stored(process.stdin, self._stored)
            receive_reads(process.stdout)  # it is ready: a start may take long where much runs
        assert process.stdin is not None
        assert process.stdout is not None
        return process.stdin, process.stdout

    def _receive(self, stdout: IO[bytes]) -> list[Read]:
        with self._limit():
            return receive_reads(stdout)

    @contextlib.contextmanager
    def _limit(self) -> Iterator[None]:
        """The process is ended when what is done within takes too long."""
        timer = threading.Timer(self._seconds, self._end_overdue)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end_overdue(self) -> None:
        self._overdue = True
        self._kill()

    def stop(self) -> None:
        """End it, and start no other: it holds nothing that could be lost."""
        self._stopped = True
        self._kill()

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            process.kill()

    def _why_it_ended(self) -> str:
        assert self._process is not None
        code = self._process.wait()
        overdue, self._overdue = self._overdue, False
        self.close()
        return f"takes longer than {self._seconds:g} s" if overdue else _how(code)

    def close(self) -> None:
        """End it and wait for that."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


class _Processes:
    """Processes, and a thread for each that writes to it and reads from it."""

    def __init__(self, n: int, stored: Collection[str], seconds: float) -> None:
        self._threads = ThreadPoolExecutor(n, thread_name_prefix="rag-read")
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        self._all = [_Process(stored, seconds) for _ in range(n)]
        for process in self._all:
            self._idle.put(process)

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._all:
            process.stop()
        self._threads.shutdown()
        for process in self._all:
            process.close()

    def submit(self, blocks: Sequence[Block]) -> Future[list[list[Read]]]:
        return self._threads.submit(self._run, blocks)

    def _run(self, blocks: Sequence[Block]) -> list[list[Read]]:
        process = self._idle.get()
        try:
            return process.run(blocks)
        finally:
            self._idle.put(process)


def _how(exit_code: int) -> str:
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
