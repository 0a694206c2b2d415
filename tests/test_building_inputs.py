"""Reading for a build: side by side, and only what is new; the outcome is always the same."""

from __future__ import annotations

import functools
import json
import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.building.draft import DraftCatalog
from rag.building.inputs import Entry, Input, assign_again
from rag.building.intake import read_block
from rag.building.prepare import Batch, Preparation
from rag.building.workers import read_blocks
from rag.errors import ModelError, SourceError
from rag.readers import Block, BlockReader, FileState, Skipped, UniqueIds, files_of
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, open_index, write_articles

WORDS = ["harbour", "ferry", "museum", "strike", "vote", "bridge", "storm", "airport"]


def article(number: int, draw: random.Random) -> dict[str, Any]:
    sentences = (
        f"{' '.join(draw.choices(WORDS, k=6)).capitalize()} {n}." for n in range(draw.randint(1, 9))
    )
    return {"id": f"a{number}", "title": f"Title {number}", "text": " ".join(sentences)}


def blocks_of(*sources: str, base: Path) -> Iterator[Block]:
    for file in files_of(sources, base):
        assert not isinstance(file, Skipped)
        yield from BlockReader(file).blocks()


# Side by side


@pytest.fixture
def odd_sources(tmp_path: Path) -> Path:
    odd = [
        {**ARTICLES[0], "n": 1e999, "big": 2**80, "deep": {"a": [None, True, 1.5, "é\u2028"]}},
        {"id": "junk", "text": "Advertisement\n×\nEmail:"},
        {"id": "credit", "text": "It rained. (photo credit: Getty Images)\nThen it cleared."},
        {"text": "No id. \U0001f600 Zürich."},
    ]
    lines = [*(json.dumps(fields) for fields in odd), "{broken", "", "x" * (16 * 2**20 + 1)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(json.dumps(ARTICLES[1]) + "\n", encoding="utf-16")
    (tmp_path / "c.txt").write_bytes("Z\xfcrich. Two.".encode("cp1252"))
    (tmp_path / "d.txt").write_bytes(b"")
    (tmp_path / "e.jsonl").write_bytes(b"\xff\xfe{\x00\x00")
    return tmp_path


def test_processes_read_the_same_in_the_same_order(odd_sources: Path) -> None:
    items: list[Any] = [*blocks_of(".", base=odd_sources)] * 30
    items[3:3] = ["passed on", None]
    here = list(read_blocks(items, (), n_workers=1))
    there = list(read_blocks(items, (), n_workers=2, local_bytes=0))
    assert there == here
    assert there[3] == ("passed on", [])


@pytest.mark.slow
def test_processes_leave_out_what_is_stored(odd_sources: Path) -> None:
    (block, *_) = blocks_of("a.jsonl", base=odd_sources)
    digest = read_block(block, ())[0].digest
    _, (_, (first, *_)) = read_blocks([block, block], {digest[:16]}, n_workers=2, local_bytes=0)
    assert (first.digest, first.cleaned) == (digest, None)


@pytest.mark.slow
def test_a_killed_process_is_a_clear_error() -> None:
    line = json.dumps({"text": "It rained. " * 20_000}).encode()
    block = Block("news.jsonl", 1, (line,))

    def killing() -> Iterator[Block]:
        for n in range(100):
            if n == 30:
                for pid in children():
                    os.kill(pid, signal.SIGKILL)
            yield block

    with pytest.raises(SourceError, match=r"news\.jsonl was killed by SIGKILL"):
        list(read_blocks(killing(), (), n_workers=2, local_bytes=0))
    assert children() == []


def test_processes_end_with_whoever_asked(odd_sources: Path) -> None:
    blocks = [*blocks_of("a.jsonl", base=odd_sources)] * 30
    found = read_blocks(blocks, (), n_workers=2, local_bytes=0)
    next(found)
    next(found)
    assert 1 <= len(children()) <= 2  # they start as there is work for them
    found.close()
    assert children() == []


def children() -> list[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    found = [int(pid) for task in tasks for pid in task.read_text().split()]
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in found}
    return [pid for pid, command in commands.items() if b"rag.building.intake" in command]


# Only what is new


def prepared(index_dir: Path) -> tuple[Preparation, list[Batch]]:
    """What a build would take now, going on from the live version."""
    live = index_dir / "news" / "versions" / (index_dir / "news" / "CURRENT").read_text().split()[0]
    copy = index_dir.parent / "copy.sqlite"
    shutil.copyfile(live / "articles.sqlite", copy)
    with DraftCatalog.create(copy) as catalog:
        preparation = Preparation(
            files_of(["../../news.jsonl"], index_dir / "news"),
            catalog.known(),
            catalog.inputs(),
            lambda article, sentences: [],
            read=functools.partial(read_blocks, n_workers=1),
        )
        return preparation, list(preparation.batches())


def new_ids(batches: list[Batch]) -> list[str]:
    return [item.cleaned.article.article_id for batch in batches for item in batch.new]


def test_an_unchanged_file_is_not_read(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    preparation, (batch,) = prepared(index_dir)
    assert preparation.new_inputs == {}
    assert list(batch.seen) == ["harbour", "ferry", "museum"]
    assert not batch.new


def test_of_a_file_that_grew_the_end_is_read(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES[:2])
    with (tmp_path / "news.jsonl").open("a") as file:
        file.write("{broken\n")
    build(index_dir)
    with (tmp_path / "news.jsonl").open("a") as file:
        file.write("\n" + json.dumps(ARTICLES[2]) + "\n{too\n")
    preparation, batches = prepared(index_dir)
    assert new_ids(batches) == ["museum"]
    assert [item.line for batch in batches for item in batch.skipped] == [3, 6]
    (known,) = preparation.new_inputs.values()
    assert (known.state.n_lines, len(known.entries)) == (6, 5)
    (whole,) = files_of(["../../news.jsonl"], index_dir / "news")
    assert not isinstance(whole, Skipped)
    reader = BlockReader(whole)
    list(reader.blocks())
    assert known.state == reader.state


def test_a_last_line_that_goes_on_is_read_again(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES[:2])
    path = tmp_path / "news.jsonl"
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    build(index_dir)
    with path.open("a") as file:
        file.write(" and more\n" + json.dumps(ARTICLES[2]) + "\n")
    _, batches = prepared(index_dir)
    assert new_ids(batches) == ["museum"]
    assert [item.line for batch in batches for item in batch.skipped] == [2]


def test_what_was_read_by_other_rules_does_not_count(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    with DraftCatalog.create(tmp_path / "own.sqlite") as catalog:
        known = Input(FileState(3, "0" * 64, None), [Entry(None, "a", "00", unique_id="b")])
        with catalog.transaction():
            catalog.set_inputs(["a.txt"], {"a.txt": known})
        assert catalog.inputs() == {"a.txt": known}
        with catalog.transaction():
            catalog.set_meta("reading", "0")
        assert catalog.inputs() == {}


def test_a_record_counts_as_a_whole_or_not_at_all() -> None:
    entries = [Entry(1, "a", "aa" * 32), Entry(2, "b", "bb" * 32), Entry(3, reason="not JSON")]
    ids = UniqueIds()
    ids.assign("b", "cc" * 32, "other.jsonl")
    assert assign_again(entries, "x.jsonl", ids) is None
    assert ids.assign("a", "dd" * 32, "x.jsonl") == ("a", None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whatever_changes_a_build_ends_where_one_from_nothing_does(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    files: dict[str, list[str]] = {"a.jsonl": [], "b.jsonl": [], "c.jsonl": []}
    pool = [json.dumps(article(n % 12, draw)) for n in range(30)]
    pool += ["{broken", "", json.dumps({"id": "a1", "text": "Advertisement\n×"})]
    index_dir = write_articles(tmp_path, [])
    (tmp_path / "news.jsonl").unlink()
    folder = tmp_path / "sources"
    folder.mkdir()
    (index_dir / "news" / "index.toml").write_text('sources = ["../../sources"]\n')
    for _ in range(8):
        for lines in draw.sample(list(files.values()), 2):
            change = draw.choice(["append", "append", "insert", "delete", "empty"])
            if change == "append":
                lines += draw.choices(pool, k=draw.randint(1, 5))
            elif change == "insert":
                lines.insert(draw.randint(0, len(lines)), draw.choice(pool))
            elif lines:
                del lines[draw.randrange(len(lines)) : None if change == "empty" else -1]
        for name, lines in files.items():
            (folder / name).write_text("".join(f"{line}\n" for line in lines))
        (folder / "a1.txt").write_text(draw.choice(["A text. Two.", "Another text."]))
        fresh = tmp_path / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "indexes" / "news").mkdir(parents=True)
        shutil.copytree(folder, fresh / "sources")
        shutil.copy(index_dir / "news" / "index.toml", fresh / "indexes" / "news")
        assert outcome(index_dir) == outcome(fresh / "indexes")
        again = build(index_dir)
        assert (again.published, again.unchanged) == (False, again.n_articles)


def outcome(index_dir: Path) -> tuple[Any, ...]:
    report = build(index_dir, allow_removal=True)
    with open_index(index_dir) as index:
        assert index.catalog.skipped() == list(report.skipped)
        articles = sorted(index.catalog.all_articles(), key=lambda found: found.article_id)
        return report.n_articles, report.n_chunks, report.skipped, articles


def test_a_model_that_takes_too_little_is_a_clear_error(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [{"id": "a", "title": "Rain", "text": "Rain fell today."}])
    with pytest.raises(ModelError, match="takes 32 tokens at once; chunks need more than 48"):
        build(index_dir, embedder=FakeEmbedder(max_tokens=32))
