"""Engines kept open: one for each index, and one model for all of them."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from rag import EnginePool, Rag, Settings
from rag.errors import ClosedError, IndexMissingError
from rag.lifetime import Shared
from rag.testing import FakeEmbedder, open_with
from tests.support import ARTICLES, build, in_fork, write_articles

QUESTION = "What would the repairs of the harbour bridge cost?"


class Opener:
    """Opens indexes with fakes, and keeps what it opened."""

    def __init__(self) -> None:
        self.opened: list[Rag] = []

    def __call__(self, name: str, *, settings: Settings) -> Rag:
        time.sleep(0.05)  # long enough for all threads to come
        self.opened.append(open_with(settings.index_dir, name, FakeEmbedder()))
        return self.opened[-1]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    return Settings(index_dir=index_dir)


@pytest.fixture
def pool() -> Iterator[EnginePool]:
    made = EnginePool(Opener())
    yield made
    made.close()


def test_index_is_opened_once_however_many_ask(settings: Settings) -> None:
    opener = Opener()
    pool = EnginePool(opener)
    assert not pool.is_open("news", settings)
    got: list[Rag] = []
    threads = [
        threading.Thread(target=lambda: got.append(pool.get("news", settings))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pool.is_open("news", settings)
    assert [rag is opener.opened[0] for rag in got] == [True] * 8
    assert len(opener.opened) == 1
    other = pool.get("news", settings.model_copy(update={"k": 2}))
    assert other is not got[0]
    pool.close()
    for opened in (got[0], other):
        with pytest.raises(ClosedError):
            opened.search(QUESTION)


def test_index_that_does_not_open_is_tried_again(settings: Settings, pool: EnginePool) -> None:
    with pytest.raises(IndexMissingError):
        pool.get("later", settings)
    (settings.index_dir / "news").rename(settings.index_dir / "later")
    assert pool.get("later", settings).search(QUESTION)


def test_names_of_no_index_leave_nothing_behind(settings: Settings, pool: EnginePool) -> None:
    for number in range(3):
        with pytest.raises(IndexMissingError):
            pool.get(f"lost-{number}", settings)
    assert not pool._opening
    assert pool.get("news", settings) is pool.get("news", settings)


def test_closed_pool_opens_nothing(settings: Settings) -> None:
    opener = Opener()
    pool = EnginePool(opener)
    pool.close()
    with pytest.raises(ClosedError):
        pool.get("news", settings)
    assert opener.opened == []


def test_engine_that_opens_while_the_pool_is_closed_is_closed_too(settings: Settings) -> None:
    made: list[Rag] = []
    pool: EnginePool  # not the fixture

    def opened(name: str, *, settings: Settings) -> Rag:
        pool.close()
        made.append(open_with(settings.index_dir, name, FakeEmbedder()))
        return made[0]

    pool = EnginePool(opened)
    with pytest.raises(ClosedError):
        pool.get("news", settings)
    with pytest.raises(ClosedError):
        made[0].search(QUESTION)


def test_index_that_opens_slowly_keeps_nobody_from_another(settings: Settings) -> None:
    go_on = threading.Event()

    def opened(name: str, *, settings: Settings) -> Rag:
        if name == "slow":
            assert go_on.wait(20)
        return open_with(settings.index_dir, "news", FakeEmbedder())

    pool = EnginePool(opened)
    slow = threading.Thread(target=pool.get, args=("slow", settings))
    slow.start()
    assert pool.get("news", settings).search(QUESTION)
    assert slow.is_alive()
    go_on.set()
    slow.join(20)
    pool.close()


def test_forked_process_opens_its_own(settings: Settings) -> None:
    opener = Opener()
    pool = EnginePool(opener)
    pool.get("news", settings)

    def child() -> list[object]:
        found = pool.get("news", settings).search(QUESTION)
        pool.close()
        return [found[0].article_id, len(opener.opened)]

    assert in_fork(child) == ["harbour", 2]
    assert pool.get("news", settings) is opener.opened[0]
    pool.close()


def test_shared_things_are_made_once_and_go_with_the_last_who_has_them() -> None:
    class Thing:
        pass

    made: list[int] = []

    def make() -> Thing:
        made.append(os.getpid())
        return Thing()

    shared: Shared[str, Thing] = Shared()
    one = shared.get("a", make)
    assert shared.get("a", make) is one
    assert shared.get("b", make) is not one
    known = id(one)
    assert in_fork(lambda: id(shared.get("a", make)) == known) is False
    del one
    gc.collect()
    shared.get("a", make)
    assert made == [os.getpid()] * 3


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.models
def test_second_index_costs_no_second_model(seeds_project: Path) -> None:
    index_dir = seeds_project / "indexes"
    settings = Settings(index_dir=index_dir)
    other = index_dir / "other"
    if not other.exists():
        other.mkdir()
        (other / "index.toml").write_text('sources = ["../../seeds"]\n')
        rag.build("other", settings=settings)
    gc.collect()
    with Rag.open("seeds", settings=settings) as one:
        one.load()
        answer = one.ask("What did Healey urge in Israel?").text
        before = resident_bytes()
        with Rag.open("other", settings=settings.model_copy(update={"k": 3})) as two:
            two.load()
            assert two.ask("What did Healey urge in Israel?").text == answer
            assert two.embedder is one.embedder
            assert resident_bytes() - before < 100e6
        assert one.ask("What did Healey urge in Israel?").text == answer  # its model is still there
