"""A build that would remove most of the articles: refused, unless told that it may."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from rag.building.builder import build_index
from rag.embedding import Vectors
from rag.errors import RemovalError, SourceError
from rag.index.layout import IndexFolder
from rag.testing import FakeEmbedder
from tests.support import build, open_index, write_articles

FIVE = [{"id": f"a{n}", "text": f"Ferry number {n} sails. It is late."} for n in range(5)]


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    """An index of five articles; two stand in a file of their own."""
    index_dir = write_articles(tmp_path, FIVE[:3])
    (index_dir / "news" / "index.toml").write_text('sources = ["../../*.jsonl"]\n')
    (tmp_path / "news.jsonl").rename(tmp_path / "three.jsonl")
    write_articles(tmp_path, FIVE[3:])
    (tmp_path / "news.jsonl").rename(tmp_path / "two.jsonl")
    build(index_dir)
    return index_dir


def n_articles(index_dir: Path) -> int:
    with open_index(index_dir) as index:
        return index.manifest.n_articles


class Counting(FakeEmbedder):
    """Counts the texts that it embeds."""

    n_texts = 0

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.n_texts += len(texts)
        return super().embed_documents(texts)


@pytest.mark.parametrize("full", [False, True])
def test_most_articles_gone_is_refused_and_told_by_file(index_dir: Path, full: bool) -> None:
    (index_dir.parent / "three.jsonl").unlink()
    with pytest.raises(RemovalError) as refused:
        build(index_dir, full=full)
    assert refused.value.message == (
        "3 of the 5 articles of index 'news' are missing in its sources, and would be removed:"
        " ../../three.jsonl (3, no such file)"
    )
    assert (refused.value.mend or "").endswith("rag build news --allow-removal")
    assert (n_articles(index_dir), IndexFolder(index_dir, "news").versions()) == (5, [1])
    report = build(index_dir, full=full, allow_removal=True)
    assert (report.removed, n_articles(index_dir)) == (3, 2)


def test_up_to_half_may_go(index_dir: Path) -> None:
    (index_dir.parent / "two.jsonl").unlink()
    assert build(index_dir).removed == 2


def test_what_a_file_no_longer_holds_is_told(index_dir: Path) -> None:
    lines = (index_dir.parent / "three.jsonl").read_text().splitlines()
    (index_dir.parent / "three.jsonl").write_text(lines[0] + "\n")
    (index_dir.parent / "two.jsonl").write_text('{"id": "new", "text": "A new one."}\n')
    with pytest.raises(RemovalError) as refused:
        build(index_dir)
    for part in ("../../three.jsonl (2, the file", "../../two.jsonl (2, the file is there without"):
        assert part in refused.value.message


def test_many_files_are_counted_and_not_all_named(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [])
    (index_dir / "news" / "index.toml").write_text('sources = ["../../texts"]\n')
    (tmp_path / "texts").mkdir()
    for n in range(20):
        (tmp_path / "texts" / f"{n:02}.txt").write_text(f"Text {n}.")
    build(index_dir)
    for path in sorted((tmp_path / "texts").iterdir())[1:]:
        path.unlink()
    with pytest.raises(RemovalError, match=r"19 of the 20 .* and 14 files more"):
        build(index_dir)


def test_an_archive_is_one_file(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [])
    (index_dir / "news" / "index.toml").write_text('sources = ["../../papers.zip"]\n')
    for n in (5, 2):
        with zipfile.ZipFile(tmp_path / "papers.zip", "w") as archive:
            for number in range(n):
                archive.writestr(f"1999/{number}.txt", f"Text {number}.")
        if n == 5:
            build(index_dir)
    with pytest.raises(RemovalError, match=r"papers\.zip \(3, the file is there without them\)"):
        build(index_dir)


@pytest.mark.parametrize("n_left", [0, 1])
def test_when_the_sources_are_back_nothing_is_embedded_again(index_dir: Path, n_left: int) -> None:
    sources = {path: path.read_text() for path in index_dir.parent.glob("*.jsonl")}
    for path, text in sources.items():
        path.write_text("".join(text.splitlines(keepends=True)[: n_left * ("two" in path.name)]))
    with pytest.raises(SourceError) as refused:
        build(index_dir)
    assert isinstance(refused.value, RemovalError) == bool(n_left)
    for path, text in sources.items():
        path.write_text(text)
    embedder = Counting()
    report = build(index_dir, embedder=embedder)
    assert (report.unchanged, report.published, embedder.n_texts) == (5, False, 0)


def test_new_articles_of_a_refused_build_are_embedded_once(index_dir: Path) -> None:
    (index_dir.parent / "three.jsonl").write_text('{"id": "new", "text": "A new one."}\n')
    with pytest.raises(RemovalError):
        build(index_dir)
    report = build_index(
        IndexFolder(index_dir, "news"),
        model_sha256=FakeEmbedder().identity.sha256,
        load_embedder=lambda _: pytest.fail("the model was loaded"),
        allow_removal=True,
    )
    assert (report.added, report.removed, n_articles(index_dir)) == (1, 3, 3)
