"""A build killed at each of its steps: the index opens whole, and the next build succeeds."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import rag.building.prepare
from rag.building.builder import build_index
from rag.embedding import Vectors
from rag.errors import IndexMissingError
from rag.index.check import check_index
from rag.index.layout import IndexFolder
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, open_index, write_articles

_TEXT = " ".join(f"Sentence number {n} tells of item {n} at length." for n in range(400))
LONG = [{"id": f"long-{n}", "title": f"Long {n}", "text": f"{n}. {_TEXT}"} for n in range(7)]
OLD = [*ARTICLES, *LONG[:3]]
NEW = [ARTICLES[0], {**ARTICLES[1], "text": "The strike of the ferry crews is off."}, *LONG]


@pytest.fixture(scope="module")
def killer() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.killed_builds"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def kill(killer: subprocess.Popen[str], index_dir: Path, step: str, occurrence: int) -> int:
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(f"{index_dir}\t{step}\t{occurrence}\n")
    killer.stdin.flush()
    return int(killer.stdout.readline())


def steps_of(index_dir: Path) -> list[tuple[str, int]]:
    """Every step of a build, with its occurrence, counted on a build that is not killed."""
    seen: Counter[str] = Counter()
    embedder = FakeEmbedder()
    build_index(
        IndexFolder(index_dir, "news"),
        model_sha256=embedder.identity.sha256,
        load_embedder=lambda _: embedder,
        on_step=lambda name: seen.update([name]),
    )
    return [(name, n) for name, times in seen.items() for n in range(1, times + 1)]


def contents(index_dir: Path) -> dict[str, str]:
    with open_index(index_dir) as index:
        assert index.vectors.ids.tolist() == index.catalog.columns.chunk_ids.tolist()
        assert index.lexical.chunk_ids_where({}).tolist() == index.vectors.ids.tolist()
        return {article.article_id: article.text for article in index.catalog.all_articles()}


def expected(articles: list[dict[str, str]]) -> dict[str, str]:
    return {article["id"]: article["text"] for article in articles}


@pytest.mark.slow
@pytest.mark.parametrize("case", ["first build", "update"])
def test_killed_at_every_step(tmp_path: Path, killer: subprocess.Popen[str], case: str) -> None:
    live = case != "first build"
    pristine = write_articles(tmp_path / "pristine", OLD)
    if live:
        build(pristine)
        write_articles(tmp_path / "pristine", [*NEW, *ARTICLES[2:]])
        build(pristine)  # so that publishing has an old version to delete
    write_articles(tmp_path / "pristine", NEW)
    before = expected([*NEW, *ARTICLES[2:]]) if live else None
    shutil.copytree(tmp_path / "pristine", tmp_path / "counted")
    steps = steps_of(tmp_path / "counted" / "indexes")
    names = {name for name, _ in steps}
    assert len(names) >= 20
    assert ("catalog copied" in names) == live
    for number, (name, occurrence) in enumerate(steps):
        folder = tmp_path / f"killed-{number}"
        shutil.copytree(tmp_path / "pristine", folder)
        index_dir = folder / "indexes"
        where = f"{name} {occurrence}"
        assert kill(killer, index_dir, name, occurrence) == -signal.SIGKILL, where
        try:
            assert contents(index_dir) in (before, expected(NEW)), where
            assert check_index(IndexFolder(index_dir, "news")).ok, where
        except IndexMissingError:
            assert before is None, where
        build(index_dir)
        assert contents(index_dir) == expected(NEW), where
        report = check_index(IndexFolder(index_dir, "news"))
        assert (report.ok, report.findings) == (True, ()), where
        shutil.rmtree(folder)


@pytest.mark.slow
def test_killed_before_going_live_embeds_nothing_again(
    tmp_path: Path, killer: subprocess.Popen[str]
) -> None:
    index_dir = write_articles(tmp_path, OLD)
    assert kill(killer, index_dir, "version synced", 1) == -signal.SIGKILL
    with pytest.raises(IndexMissingError):
        open_index(index_dir)
    report = build_index(
        IndexFolder(index_dir, "news"),
        model_sha256=FakeEmbedder().identity.sha256,
        load_embedder=lambda _: pytest.fail("the model was loaded"),
    )
    assert (report.version, report.added) == (2, len(OLD))
    assert IndexFolder(index_dir, "news").versions() == [1, 2]


@pytest.mark.slow
def test_killed_build_loses_at_most_one_batch(
    tmp_path: Path, killer: subprocess.Popen[str]
) -> None:
    many = [{**LONG[0], "id": f"many-{n}", "text": f"{n}. {_TEXT}"} for n in range(60)]
    index_dir = write_articles(tmp_path, many)
    assert kill(killer, index_dir, "batch embedded", 3) == -signal.SIGKILL
    n_texts: list[int] = []

    class Counting(FakeEmbedder):
        def embed_documents(self, texts: Sequence[str]) -> Vectors:
            n_texts.append(sum("\n" in text for text in texts))
            return super().embed_documents(texts)

    report = build(index_dir, embedder=Counting())
    stored = report.n_chunks - sum(n_texts)
    assert stored >= 2 * rag.building.prepare.BATCH_CHUNKS


def test_step_names_are_documented(tmp_path: Path) -> None:
    document = (Path(__file__).parents[1] / "docs" / "index-format.md").read_text(encoding="utf-8")
    index_dir = write_articles(tmp_path, OLD)
    build(index_dir)
    write_articles(tmp_path, NEW)
    build(index_dir)
    write_articles(tmp_path, OLD)
    names = {name for name, _ in steps_of(index_dir)}
    assert "catalog copied" in names
    assert [name for name in sorted(names) if name not in document] == []
