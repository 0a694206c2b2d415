"""Work in threads: bounds, time-outs, stopping, and calls that are made together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

from rag.errors import FullError, QuestionError, TooLongError
from rag.serving.recent import Recent
from rag.serving.running import Lane
from rag.serving.together import Together
from tests.support import in_a_loop


def lane(*, n_waiting: int = 0, seconds: float = 60.0) -> Lane:
    return Lane("tests", n_threads=1, n_waiting=n_waiting, seconds=seconds)


async def take(items: AsyncIterator[int], found: list[int]) -> None:
    async for item in items:
        found.append(item)


def test_one_more_than_fits_is_refused_and_then_there_is_room_again() -> None:
    async def run() -> list[str]:
        held = threading.Event()
        one = lane(n_waiting=1)
        calls = [asyncio.create_task(one.call(lambda: held.wait(60))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(FullError, match="2 tests"):
            await one.call(str)
        held.set()
        assert await asyncio.gather(*calls) == [True, True]
        return [await one.call(lambda: "room"), str(one.n_busy)]

    assert in_a_loop(run) == ["room", "0"]


def test_what_takes_too_long_is_stopped() -> None:
    stopped = threading.Event()

    def slow(cancelled: threading.Event) -> Iterator[int]:
        yield 1
        assert cancelled.wait(60)
        stopped.set()
        yield 2

    async def run() -> list[int]:
        found: list[int] = []
        with pytest.raises(TooLongError, match=r"0\.1 s"):
            await take(lane(seconds=0.1).items(slow), found)
        return found

    assert in_a_loop(run) == [1]
    assert stopped.wait(60)


def test_a_call_that_takes_too_long_is_told() -> None:
    held = threading.Event()

    async def run() -> None:
        with pytest.raises(TooLongError):
            await lane(seconds=0.05).call(lambda: held.wait(60))
        held.set()

    in_a_loop(run)


def test_what_goes_wrong_in_a_thread_is_raised_behind_what_it_made() -> None:
    def broken(_: threading.Event) -> Iterator[int]:
        yield 1
        raise QuestionError("so")

    async def run() -> list[int]:
        found: list[int] = []
        with pytest.raises(QuestionError, match="so"):
            await take(lane().items(broken), found)
        return found

    assert in_a_loop(run) == [1]


def test_calls_that_wait_are_made_together() -> None:
    batches: list[tuple[str, list[int]]] = []
    held = threading.Event()

    def double(key: str, items: list[int]) -> list[int]:
        held.wait(60)
        batches.append((key, items))
        if 13 in items:
            raise QuestionError("unlucky")
        return [2 * item for item in items]

    async def run() -> None:
        together = Together(lane(n_waiting=5), double, n_batches=1, n_waiting=4)
        calls = [asyncio.create_task(together.call("a", 0))]
        await asyncio.sleep(0.05)  # it is under way
        calls += [asyncio.create_task(together.call("a", n)) for n in range(1, 5)]
        await asyncio.sleep(0.05)
        with pytest.raises(FullError, match="4 searches"):
            await together.call("b", 1)
        held.set()
        assert await asyncio.gather(*calls) == [0, 2, 4, 6, 8]
        assert await together.call("b", 7) == 14
        told = await asyncio.gather(
            *(together.call("a", n) for n in (13, 1)), return_exceptions=True
        )
        assert [type(one) for one in told] in ([QuestionError] * 2, [QuestionError, int])
        assert await together.call("a", 3) == 6

    in_a_loop(run)
    assert batches[:3] == [("a", [0]), ("a", [1, 2, 3, 4]), ("b", [7])]


def hits(name: str, n: int) -> list[Any]:
    return [f"{name}{rank}" for rank in range(n)]


def test_what_was_searched_lately_is_not_searched_again() -> None:
    searched: list[list[str]] = []

    def find(queries: list[str]) -> list[list[Any]]:
        searched.append(queries)
        return [hits(query, 2) for query in queries]

    recent = Recent(max_hits=7)  # two searches: one more hit counts for each
    assert recent.find(1, ["a", "b", "a"], find) == [hits("a", 2), hits("b", 2), hits("a", 2)]
    assert recent.find(1, ["b", "a"], find) == [hits("b", 2), hits("a", 2)]
    assert searched == [["a", "b"]]
    recent.find(2, ["a"], find)  # of another version; "b" was not asked for longest
    recent.find(1, ["a", "b"], find)
    assert searched == [["a", "b"], ["a"], ["b"]]


def same(found: list[Any], queries: list[str]) -> list[list[Any]]:
    return [found for _ in queries]


def test_hits_that_are_kept_are_bounded_whatever_was_searched() -> None:
    recent = Recent(max_hits=100)
    for n in range(300):
        made = hits("x", n % 60)
        assert recent.find(0, [str(n)], partial(same, made)) == [made]
        assert sum(1 + len(kept) for kept in recent._known.values()) == recent._n_hits <= 100
