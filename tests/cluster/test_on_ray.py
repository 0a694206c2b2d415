"""Builds on a real Ray cluster of two nodes: what a build without Ray makes, whoever is killed."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.building.builder import build_index
from rag.building.on_ray import Ray
from rag.building.report import BuildReport
from rag.embedding import Embedder
from rag.errors import ModelError, SourceError
from rag.index.check import check_index
from rag.index.layout import CATALOG, IndexFolder
from rag.settings import Settings
from rag.testing import FakeEmbedder
from tests.cluster.killing import load, plain
from tests.cluster.nodes import two_nodes
from tests.support import ARTICLES, build, write_articles

pytest.importorskip("ray", reason="`make cluster` installs it and runs this")
ROOT = Path(__file__).parents[2]
_TEXT = " ".join(f"Sentence number {n} tells of item {n} at length." for n in range(300))
LONG = [{"id": f"long-{n}", "title": f"Long {n}", "text": f"{n}. {_TEXT}"} for n in range(80)]
# Two that take one id, and one that says the same as another.
NEWS = [*LONG, *ARTICLES, {**ARTICLES[0], "text": "Another text."}, {**LONG[3], "id": "again"}]
_PARAGRAPH = "<p>Rain fell in Osterby on Tuesday, and the harbour was closed again.</p>"
PAGE = f"<html><body><article><h1>Rain in Osterby</h1>{_PARAGRAPH * 12}</article></body></html>"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The head of a cluster of two nodes with a core each."""
    with two_nodes() as address:
        yield address


def write(folder: Path) -> Path:
    index_dir = write_articles(folder, NEWS)
    (folder / "rain.html").write_text(PAGE)
    (index_dir / "news" / "index.toml").write_text(
        'sources = ["../../news.jsonl", "../../rain.html"]\n'
    )
    return index_dir


def build_on(
    address: str, index_dir: Path, load: Callable[[str | None], Embedder] = plain
) -> BuildReport:
    return build_index(
        IndexFolder(index_dir, "news"),
        model_sha256=FakeEmbedder().identity.sha256,
        load_embedder=load,
        ray=Ray(address),
    )


def rows(index_dir: Path, name: str = "news") -> dict[str, list[Any]]:
    """All that a catalog holds of its articles, chunks, vectors and what was skipped."""
    folder = IndexFolder(index_dir, name)
    catalog = sqlite3.connect(folder.version_path(folder.live()) / CATALOG)
    tables = ("articles", "chunks", "skipped", "inputs", "columns")
    found = {table: catalog.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    catalog.close()
    return found


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The same built without Ray."""
    index_dir = write(tmp_path_factory.mktemp("here"))
    build(index_dir)
    made = rows(index_dir)
    assert (len(made["articles"]), len(made["chunks"]) > 1_000) == (len(NEWS) + 1, True)
    assert made["skipped"] == []
    return made


def test_a_worker_killed_in_the_middle_changes_nothing(
    address: str, tmp_path: Path, expected: dict[str, list[Any]]
) -> None:
    index_dir, mark = write(tmp_path), tmp_path / "killed"
    report = build_on(address, index_dir, functools.partial(load, mark, os.getpid()))
    assert mark.exists()  # one was
    assert report.added == len(NEWS) + 1
    assert rows(index_dir) == expected
    assert check_index(IndexFolder(index_dir, "news")).findings == ()


def test_a_build_killed_itself_goes_on_where_it_was(
    address: str, tmp_path: Path, expected: dict[str, list[Any]]
) -> None:
    index_dir = write(tmp_path)
    command = [sys.executable, "-m", "tests.cluster.killed_build", str(index_dir), address, "2"]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    staging = sqlite3.connect(index_dir / "news" / "staging" / CATALOG)
    (n_stored,) = staging.execute("SELECT count(*) FROM chunks").fetchone()
    staging.close()
    assert 256 <= n_stored < len(expected["chunks"])
    build_on(address, index_dir)
    assert rows(index_dir) == expected


def test_an_update_embeds_what_changed(
    address: str, tmp_path: Path, expected: dict[str, list[Any]]
) -> None:
    index_dir = write(tmp_path)
    build(index_dir)
    write_articles(tmp_path, [*NEWS[:-2], {"id": "new", "text": "The bridge is open again."}])
    report = build_on(address, index_dir)
    assert (report.added, report.changed, report.removed) == (1, 0, 2)
    texts = {row[1]: row[10] for row in rows(index_dir)["articles"]}
    assert texts["new"] == "The bridge is open again."


def test_another_model_on_a_machine_of_the_cluster_is_refused(address: str, tmp_path: Path) -> None:
    index_dir, here = write(tmp_path), os.getpid()

    def other(runtime: str | None) -> FakeEmbedder:
        return FakeEmbedder(dimension=64 if os.getpid() == here else 32)

    with pytest.raises(ModelError, match="model of a machine of the cluster") as error:
        build_on(address, index_dir, other)
    assert error.value.mend == "rag models pull fake, on every machine of the cluster"


def test_no_cluster_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the Ray cluster .* does not answer"):
        build_on("127.0.0.1:1", write(tmp_path))


@pytest.mark.models
def test_the_real_model_gives_the_same_vectors(address: str, tmp_path: Path) -> None:
    made = []
    for name, on in (("here", None), ("there", f"ray://{address}")):
        index_dir = tmp_path / name / "indexes"
        (index_dir / "seeds").mkdir(parents=True)
        shutil.copytree(ROOT / "seeds", tmp_path / name / "seeds")
        shutil.copy(ROOT / "indexes" / "seeds" / "index.toml", index_dir / "seeds")
        rag.build("seeds", on=on, settings=Settings(index_dir=index_dir))
        made.append(rows(index_dir, "seeds"))
    assert made[0] == made[1]
