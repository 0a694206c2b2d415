"""Building and opening an index, on real SQLite, FAISS and tantivy."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.embedding import Vectors
from rag.errors import (
    IndexCorruptError,
    IndexFormatError,
    IndexLockedError,
    IndexMissingError,
    QuestionError,
    SettingsError,
    SourceError,
)
from rag.index.check import roll_back
from rag.index.layout import IndexFolder
from rag.index.manifest import read_manifest
from rag.index.opened import list_indexes
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, open_index, write_articles


class KilledError(BaseException):
    """Stands for a killed process: nothing may catch and tidy it away."""


class CountingEmbedder(FakeEmbedder):
    """Counts the texts it embeds, and can die after some."""

    def __init__(self, dies_after: int | None = None) -> None:
        super().__init__()
        self.n_calls = 0
        self.texts: list[str] = []
        self._dies_after = dies_after

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.n_calls += 1
        if self._dies_after is not None and self.n_calls > self._dies_after:
            raise KilledError
        self.texts += texts
        return super().embed_documents(texts)


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    return write_articles(tmp_path, ARTICLES)


def test_build_stores_articles_chunks_and_sentences(index_dir: Path) -> None:
    report = build(index_dir)
    assert (report.version, report.published, report.added) == (1, True, 3)
    with open_index(index_dir) as index:
        chunks = index.catalog.chunks(range(1, report.n_chunks + 1))
        articles = index.catalog.articles([chunk.article for chunk in chunks.values()])
        by_id = {article.article_id: article for article in articles.values()}
        assert set(by_id) == {"harbour", "ferry", "museum"}
        assert by_id["harbour"].text == ARTICLES[0]["text"]
        assert by_id["harbour"].metadata == {"section": "local"}
        first = chunks[1]
        sentences = [by_id["harbour"].text[start:end] for start, end in first.sentences]
        assert sentences[1] == "Mayor Lena Holm said the work would cost 4.2 million crowns."
        expected = FakeEmbedder().embed_documents(sentences)
        np.testing.assert_allclose(first.sentence_vectors, expected, atol=1e-3)
        assert index.vectors.ids.tolist() == list(chunks)


def test_second_build_changes_nothing(index_dir: Path) -> None:
    build(index_dir)
    embedder = CountingEmbedder()
    report = build(index_dir, embedder=embedder)
    assert (report.version, report.published, report.unchanged) == (1, False, 3)
    assert embedder.texts == []
    assert not (index_dir / "news" / "staging").exists()


def test_incremental_build_embeds_only_what_is_new(tmp_path: Path, index_dir: Path) -> None:
    build(index_dir)
    changed = {**ARTICLES[1], "text": "The strike of the ferry crews is off."}
    new = {"id": "storm", "title": "Storm", "text": "A storm closed the airport on Sunday."}
    write_articles(tmp_path, [ARTICLES[0], changed, new])
    embedder = CountingEmbedder()
    report = build(index_dir, embedder=embedder)
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 1, 1)
    assert not any("harbour" in text for text in embedder.texts)
    with open_index(index_dir) as index:
        assert index.version == 2
        assert index.catalog.article("museum") is None
        ids = index.vectors.ids.tolist()
        assert sorted(index.catalog.chunks(ids)) == sorted(ids)
        assert index.lexical.search(index.analyzer.terms("painting demand"), 10) == []
        found = index.lexical.search(index.analyzer.terms("airport"), 10)
        (chunk,) = index.catalog.chunks([found[0][0]]).values()
        assert index.catalog.articles([chunk.article])[chunk.article].article_id == "storm"


def test_full_build_gives_the_same_ids_and_vectors(index_dir: Path) -> None:
    build(index_dir)
    with open_index(index_dir) as one:
        before = one.catalog.chunks(one.vectors.ids.tolist())
    report = build(index_dir, full=True)
    assert (report.version, report.unchanged) == (2, 3)
    with open_index(index_dir) as two:
        after = two.catalog.chunks(two.vectors.ids.tolist())
    assert list(before) == list(after)
    for one_chunk, other in zip(before.values(), after.values(), strict=True):
        np.testing.assert_array_equal(one_chunk.vector, other.vector)
        np.testing.assert_array_equal(one_chunk.sentences, other.sentences)


@pytest.mark.slow
def test_killed_build_resumes(tmp_path: Path, index_dir: Path) -> None:
    text = " ".join(f"Sentence number {n} tells of item {n} at length." for n in range(600))
    many = [{"id": f"long-{n}", "title": f"Long {n}", "text": text} for n in range(12)]
    write_articles(tmp_path, many)
    with pytest.raises(KilledError):
        build(index_dir, embedder=CountingEmbedder(dies_after=1))
    with pytest.raises(IndexMissingError):
        open_index(index_dir)
    rest = CountingEmbedder()
    report = build(index_dir, embedder=rest)
    assert report.added == 12
    assert 0 < len(rest.texts) < 12 * report.n_chunks
    whole = CountingEmbedder()
    build(index_dir, embedder=whole, full=True)
    assert len(rest.texts) < len(whole.texts)


def test_killed_build_leaves_the_live_version(tmp_path: Path, index_dir: Path) -> None:
    build(index_dir)
    write_articles(tmp_path, [{"id": "new", "text": "Something else happened."}])
    with pytest.raises(KilledError):
        build(index_dir, embedder=CountingEmbedder(dies_after=0))
    with open_index(index_dir) as index:
        assert index.catalog.article("harbour") is not None
        assert index.catalog.article("new") is None


def test_changed_chunking_starts_from_nothing(index_dir: Path) -> None:
    build(index_dir)
    with (index_dir / "news" / "index.toml").open("a") as file:
        file.write("[chunking]\nwords = 20\n")
    embedder = CountingEmbedder()
    report = build(index_dir, embedder=embedder)
    assert report.published
    assert any("harbour" in text for text in embedder.texts)


@pytest.mark.parametrize("part", ["articles.sqlite", "vectors.faiss", "lexical", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_damaged_file_is_refused_and_built_anew(index_dir: Path, part: str, damage: str) -> None:
    build(index_dir)
    path = index_dir / "news" / "versions" / "000001" / part
    if path.is_dir():
        path = max(path.iterdir(), key=lambda entry: entry.stat().st_size)
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0x20
        path.write_bytes(data)
    elif damage == "truncate":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.unlink()
    with pytest.raises(IndexCorruptError, match="rag build news"):
        open_index(index_dir)
    assert build(index_dir).published
    with open_index(index_dir) as index:
        assert index.catalog.article("museum") is not None


def test_other_format_is_refused(index_dir: Path) -> None:
    build(index_dir)
    path = index_dir / "news" / "versions" / "000001" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(IndexFormatError, match="format 99"):
        open_index(index_dir)


def test_second_writer_is_refused(index_dir: Path) -> None:
    lock = index_dir / "news" / "LOCK"
    with lock.open("w") as file:
        file.write('{"pid": 4711, "host": "desk"}')
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(IndexLockedError, match="process 4711 on desk"):
            build(index_dir)


_HOLDING = """
import sys
from pathlib import Path
from rag.index.layout import IndexFolder
with IndexFolder(Path(sys.argv[1]), "news").lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_names_its_holder_and_dies_with_it(index_dir: Path) -> None:
    command = [sys.executable, "-c", _HOLDING, str(index_dir)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for _ in range(2):  # to ask changes nothing
            with pytest.raises(IndexLockedError, match=f"by process {holder.pid} on "):
                build(index_dir)
        holder.kill()
    assert build(index_dir).version == 1


def test_a_second_writer_of_the_same_process_is_refused(index_dir: Path) -> None:
    with (
        IndexFolder(index_dir, "news").lock(),
        pytest.raises(IndexLockedError, match=f"process {os.getpid()}"),
    ):
        build(index_dir)
    assert build(index_dir).version == 1


def test_open_reader_keeps_its_version(tmp_path: Path, index_dir: Path) -> None:
    build(index_dir)
    with open_index(index_dir) as old:
        for n in range(3):
            write_articles(tmp_path, [{"id": "only", "text": f"Nothing but number {n}."}])
            build(index_dir, allow_removal=True)
        assert [v.name for v in (index_dir / "news" / "versions").iterdir()] != ["000001"]
        assert old.catalog.article("harbour") is not None
        assert old.lexical.search(old.analyzer.terms("painting"), 3)


def test_missing_things_say_what_mends_them(tmp_path: Path, index_dir: Path) -> None:
    with pytest.raises(IndexMissingError, match=r"rag build news"):
        open_index(index_dir)
    with pytest.raises(IndexMissingError, match="there is no index 'other'"):
        IndexFolder(index_dir, "other").live()
    with pytest.raises(QuestionError, match="not a name"):
        IndexFolder(index_dir, "../news")


def test_sources_without_an_article(tmp_path: Path, index_dir: Path) -> None:
    write_articles(tmp_path, [])
    with pytest.raises(SourceError, match="no article could be read"):
        build(index_dir)
    shutil.rmtree(index_dir / "news" / "staging", ignore_errors=True)
    (index_dir / "news" / "index.toml").write_text('sources = ["nowhere"]')
    with pytest.raises(SourceError, match="nowhere"):
        build(index_dir)


def test_live_version_stays_when_all_sources_are_gone(tmp_path: Path, index_dir: Path) -> None:
    build(index_dir)
    write_articles(tmp_path, [])
    with pytest.raises(SourceError):
        build(index_dir)
    with open_index(index_dir) as index:
        assert index.version == 1


def test_skipped_inputs_are_kept_with_their_reason(tmp_path: Path, index_dir: Path) -> None:
    with (tmp_path / "news.jsonl").open("a") as file:
        file.write("{broken\n")
    report = build(index_dir)
    assert [item.line for item in report.skipped] == [4]
    with open_index(index_dir) as index:
        assert index.catalog.skipped() == list(report.skipped)
    assert not build(index_dir).published


def test_article_that_is_all_debris_is_skipped(tmp_path: Path, index_dir: Path) -> None:
    write_articles(tmp_path, [ARTICLES[0], {"id": "junk", "text": "Advertisement\n×\nEmail:"}])
    report = build(index_dir)
    assert (report.added, report.n_articles) == (1, 1)
    assert [item.reason for item in report.skipped] == ["nothing is left of it after cleaning"]
    assert not build(index_dir).published


def test_unknown_key_in_index_toml_names_the_nearest(index_dir: Path) -> None:
    path = index_dir / "news" / "index.toml"
    path.write_text('sources = ["x"]\n[chunking]\nword = 3\n')
    with pytest.raises(SettingsError, match=r"'chunking\.word'; the nearest is 'words'"):
        build(index_dir)


def test_broken_pointer(index_dir: Path) -> None:
    build(index_dir)
    (index_dir / "news" / "CURRENT").write_text("rubbish\n")
    with pytest.raises(IndexCorruptError, match="rubbish"):
        open_index(index_dir)
    assert build(index_dir).published


def test_pointer_with_a_flipped_byte_is_refused(index_dir: Path) -> None:
    build(index_dir)
    build(index_dir, full=True)
    current = index_dir / "news" / "CURRENT"
    assert current.read_text().startswith("000002 ")
    whole = current.read_bytes()
    for place in range(len(whole) - 1):
        for flipped in (1, 2, 3, 0x20):
            damaged = bytearray(whole)
            damaged[place] ^= flipped
            current.write_bytes(damaged)
            with pytest.raises(IndexCorruptError, match="rag rollback news"):
                open_index(index_dir)
    assert roll_back(IndexFolder(index_dir, "news"), 2) == 2
    assert current.read_bytes() == whole


def test_pointer_without_a_checksum_is_read(index_dir: Path) -> None:
    build(index_dir)
    (index_dir / "news" / "CURRENT").write_text("000001\n")
    with open_index(index_dir) as index:
        assert index.version == 1


def test_list_tells_the_state(tmp_path: Path, index_dir: Path) -> None:
    assert [(info.name, info.state) for info in list_indexes(index_dir)] == [("news", "not built")]
    build(index_dir)
    (info,) = list_indexes(index_dir)
    assert (info.state, info.version, info.n_articles) == ("ready", 1, 3)
    assert list_indexes(tmp_path / "nowhere") == []


def test_manifest_lists_every_file(index_dir: Path) -> None:
    build(index_dir)
    folder = index_dir / "news" / "versions" / "000001"
    manifest = read_manifest(folder)
    on_disk = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }
    assert set(manifest.files) | {"manifest.json"} == on_disk
    assert manifest.files["vectors.faiss"].n_bytes == (folder / "vectors.faiss").stat().st_size
