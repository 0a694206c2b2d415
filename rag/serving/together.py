"""Calls that wait for the same thing are made together: a batch costs less than its parts."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from rag.errors import FullError
from rag.serving.running import Lane

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")
_MAX_BATCH = 16
_RETRY_SECONDS = 1.0


class Together(Generic[Key, Item, Result]):
    """What is asked while the threads are busy goes into the next batch. Called on the loop.

    Args:
        lane: Where batches are worked on.
        work: The result of each item, in order.
        n_batches: How many batches of one key are worked on at once.
        n_waiting: How many may wait; one more is refused.
    """

    def __init__(
        self,
        lane: Lane,
        work: Callable[[Key, list[Item]], Sequence[Result]],
        *,
        n_batches: int,
        n_waiting: int,
    ) -> None:
        self._lane = lane
        self._work = work
        self._n_batches = n_batches
        self._n_waiting = n_waiting
        self._waiting: dict[Key, deque[tuple[Item, asyncio.Future[Result]]]] = {}
        self._n_runners: Counter[Key] = Counter()
        self._runners: set[asyncio.Task[None]] = set()

    async def call(self, key: Key, item: Item) -> Result:
        """The result of an item.

        Args:
            key: What those of a batch have in common.
            item: What is asked.

        Raises:
            FullError: too many are waiting.
        """
        n_waiting = sum(map(len, self._waiting.values()))
        if n_waiting >= self._n_waiting:
            raise FullError(f"{n_waiting} searches are waiting", _RETRY_SECONDS)
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append((item, result))
        if self._n_runners[key] < self._n_batches:
            self._n_runners[key] += 1
            runner = asyncio.create_task(self._run(key))
            self._runners.add(runner)  # the loop alone would let it be collected
            runner.add_done_callback(self._runners.discard)
        return await result

    async def _run(self, key: Key) -> None:
        while waiting := self._waiting.get(key):
            batch = [waiting.popleft() for _ in range(min(len(waiting), _MAX_BATCH))]
            batch = [one for one in batch if not one[1].done()]  # others have gone
            if not batch:
                continue
            items = [item for item, _ in batch]
            (made,) = await asyncio.gather(
                self._lane.call(lambda items=items: self._work(key, items)),  # type: ignore[misc]
                return_exceptions=True,
            )
            for number, (_, result) in enumerate(batch):
                if result.done():  # who asked has gone
                    continue
                if isinstance(made, BaseException):
                    result.set_exception(made)
                else:
                    result.set_result(made[number])
        self._n_runners[key] -= 1
        if not self._n_runners[key]:
            del self._n_runners[key]
            self._waiting.pop(key, None)
