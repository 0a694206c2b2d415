"""Work in threads: so many at once, so many waiting, stopped when it takes too long.

The loop of the server never waits for an index or a model: a search does not wait behind an
answer, for each kind of work has threads of its own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rag.errors import CancelledError, FullError, TooLongError

Result = TypeVar("Result")
_END = object()
# How much the newest one counts in the mean of seconds.
_NEWEST_SHARE = 0.2


class Lane:
    """One kind of work. Its methods are called on the loop.

    Args:
        what: What is done there, for messages.
        n_threads: How many are at work at once.
        n_waiting: How many may wait for them; one more is refused.
        seconds: How long each may take, its waiting included.
    """

    def __init__(self, what: str, *, n_threads: int, n_waiting: int, seconds: float) -> None:
        self._what = what
        self._room = n_threads + n_waiting
        self._n_threads = n_threads
        self._seconds = seconds
        self._usual_seconds = 1.0
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix=f"rag-{what}")
        self.n_busy = 0
        """How many are at work or waiting."""

    async def call(self, work: Callable[[], Result]) -> Result:
        """What a function returns, called in a thread.

        Raises:
            FullError: too many are waiting.
            TooLongError: it took too long; the thread is left to end by itself.
        """
        future = self._start(work)
        done, _ = await asyncio.wait({future}, timeout=self._seconds)
        if not done:
            raise self._too_long()
        return future.result()

    async def items(
        self, work: Callable[[threading.Event], Iterator[Result]]
    ) -> AsyncGenerator[Result, None]:
        """What an iterator yields, gone through in a thread, as it comes.

        Whoever closes this, or is cancelled in it, stops the work.

        Args:
            work: Makes the iterator; the event is set when it is to stop.

        Raises:
            FullError: too many are waiting.
            TooLongError: it took too long; it was stopped.
        """
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[object] = asyncio.Queue()
        cancelled = threading.Event()

        def run() -> None:
            for item in work(cancelled):
                if cancelled.is_set():
                    raise CancelledError("the answer was stopped")
                loop.call_soon_threadsafe(made.put_nowait, item)

        future = self._start(run)
        future.add_done_callback(lambda _: made.put_nowait(_END))
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen
        until = loop.time() + self._seconds
        try:
            while True:
                try:
                    async with asyncio.timeout_at(until):
                        item = await made.get()
                except TimeoutError as error:
                    raise self._too_long() from error
                if item is _END:
                    future.result()
                    return
                yield item  # type: ignore[misc]
        finally:
            cancelled.set()

    def close(self) -> None:
        """Take nothing more. What is at work ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        if self.n_busy >= self._room:
            usual = self._usual_seconds / self._n_threads
            raise FullError(f"{self.n_busy} {self._what} are under way or waiting", usual)
        self.n_busy += 1
        started = time.perf_counter()
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)

        def ended(_: asyncio.Future[Result]) -> None:
            self.n_busy -= 1
            seconds = time.perf_counter() - started
            self._usual_seconds += _NEWEST_SHARE * (seconds - self._usual_seconds)

        future.add_done_callback(ended)
        return future

    def _too_long(self) -> TooLongError:
        return TooLongError(
            f"it took longer than {self._seconds:g} s, the time for {self._what}",
            mend="try again when less is asked at once",
        )
