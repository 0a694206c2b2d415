"""Checking, rolling back, readers beside a writer, full disks, damage: on real files."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag import Rag, RagError
from rag.building.builder import build_index
from rag.embedding import Vectors
from rag.errors import IndexCorruptError, IndexMissingError, IndexWriteError
from rag.index.check import check_index, roll_back
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex, list_indexes
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    return write_articles(tmp_path, ARTICLES)


def folder_of(index_dir: Path) -> IndexFolder:
    return IndexFolder(index_dir, "news")


def publish_again(index_dir: Path, text: str) -> int:
    write_articles(index_dir.parent, [*ARTICLES, {"id": "more", "text": text}])
    return build(index_dir).version


# Damage


def stored_files(index_dir: Path) -> list[Path]:
    live = folder_of(index_dir).version_path(folder_of(index_dir).live())
    return [path for path in sorted(live.rglob("*")) if path.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["flip", "truncate"])
def test_every_damaged_file_is_refused_and_the_version_before_is_offered(
    tmp_path: Path, index_dir: Path, damage: str
) -> None:
    build(index_dir)
    publish_again(index_dir, "A storm closed the airport on Sunday.")
    for path in stored_files(index_dir):
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            data = bytearray(whole)
            data[place] ^= 0x01
            path.write_bytes(data if damage == "flip" else data[:place])
            with pytest.raises(IndexCorruptError, match=r"rag rollback news .*000001"):
                open_index(index_dir)
            report = check_index(folder_of(index_dir))
            assert not report.ok, path
            assert all(finding.mend for finding in report.findings)
        path.write_bytes(whole)
    assert check_index(folder_of(index_dir)).ok


@pytest.mark.slow
def test_flipped_byte_in_a_large_catalog_is_never_a_wrong_answer(index_dir: Path) -> None:
    """A catalog too large to hash at opening: each row is compared as it is read."""
    text = " ".join(f"Sentence number {n} tells of item {n} at length." for n in range(400))
    long = {"id": "long", "text": text}
    more = {"id": "more", "text": "A storm closed the airport on Sunday."}
    for articles in ([*ARTICLES, long], [ARTICLES[1], long, more]):
        write_articles(index_dir.parent, articles)
        build(index_dir)
    (path,) = (path for path in stored_files(index_dir) if path.suffix == ".sqlite")

    def read() -> object:
        with OpenIndex(folder_of(index_dir), n_threads=1, hashed_catalog_bytes=0) as index:
            chunks = index.catalog.chunks(index.vectors.ids.tolist())
            rows = [
                (c.article, c.start, c.end, c.vector.tobytes(), c.sentence_vectors.tobytes())
                for c in chunks.values()
            ]
            return rows, list(index.catalog.all_articles())

    expected = read()
    refused = 0
    whole = path.read_bytes()
    for place in np.random.default_rng(0).integers(len(whole), size=150):
        data = bytearray(whole)
        data[place] ^= 0x10
        path.write_bytes(data)
        try:
            found = read()
        except IndexCorruptError:
            refused += 1
        else:
            assert found == expected  # an unused byte
    assert refused > 50


def test_check_names_what_is_left_over(index_dir: Path) -> None:
    build(index_dir)
    publish_again(index_dir, "One.")
    assert roll_back(folder_of(index_dir)) == 1
    (folder_of(index_dir).version_path(1) / "note.txt").write_text("mine")
    report = check_index(folder_of(index_dir), lambda model: "1" * 64)
    assert [(f.kind, f.severity) for f in report.findings] == [
        ("extra file", "warning"),
        ("model", "error"),
        ("leftover", "warning"),
    ]
    (index_dir / "news" / "CURRENT").write_text("rubbish")
    (finding,) = check_index(folder_of(index_dir)).findings
    assert (finding.kind, finding.mend) == ("pointer", "rag rollback news")


# Rolling back and pruning


def test_rollback_serves_the_version_before_and_a_build_brings_the_new_one_back(
    index_dir: Path,
) -> None:
    build(index_dir)
    publish_again(index_dir, "A storm closed the airport.")
    assert roll_back(folder_of(index_dir)) == 1
    with open_index(index_dir) as index:
        assert (index.version, index.catalog.article("more")) == (1, None)
    with pytest.raises(IndexMissingError, match="no older version"):
        roll_back(folder_of(index_dir))
    report = build(index_dir)
    assert (report.version, report.added) == (3, 1)
    assert folder_of(index_dir).versions() == [2, 3]


def test_rollback_passes_over_a_damaged_version_and_mends_the_pointer(index_dir: Path) -> None:
    build(index_dir)
    publish_again(index_dir, "One.")
    damaged = folder_of(index_dir).version_path(2) / "vectors.faiss"
    damaged.write_bytes(b"rubbish")
    (index_dir / "news" / "CURRENT").write_text("rubbish")
    assert roll_back(folder_of(index_dir)) == 1
    with pytest.raises(IndexMissingError, match=r"no version 2 that is whole.*7 bytes"):
        roll_back(folder_of(index_dir), 2)


def test_prune_keeps_the_live_version(index_dir: Path) -> None:
    build(index_dir)
    publish_again(index_dir, "One.")
    publish_again(index_dir, "Two.")
    assert folder_of(index_dir).versions() == [2, 3]
    assert folder_of(index_dir).prune(1) == [2]
    with open_index(index_dir) as index:
        assert index.version == 3


@pytest.mark.slow
# Readers beside a writer


def test_reader_during_fifty_publishes_sees_whole_versions(index_dir: Path) -> None:
    build(index_dir)
    numbers = {1: ""}
    done = threading.Event()
    problems: list[str] = []
    seen: set[int] = set()

    def look() -> None:
        while not done.is_set():
            try:
                with open_index(index_dir) as index:
                    more = index.catalog.article("more")
                    ids = index.vectors.ids.tolist()
                    found = index.lexical.chunk_ids_where({}).tolist()
                    text = more.text if more else ""
                    seen.add(index.version)
                    if text != numbers.get(index.version, text) or ids != found:
                        problems.append(f"version {index.version} holds {text!r}")
            except RagError as error:
                problems.append(str(error))

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(2, 52):
        numbers[n] = f"Bulletin number {n}."
        assert publish_again(index_dir, numbers[n]) == n
    done.set()
    reader.join()
    assert problems == []
    assert len(seen) > 5


def test_long_lived_rag_picks_up_a_new_version(index_dir: Path) -> None:
    build(index_dir)
    settings = Settings(index_dir=index_dir)
    folder = folder_of(index_dir)  # as `Rag.open` gives it
    index = open_index(index_dir)
    with Rag(index, FakeEmbedder(), FakeLLM(), settings, folder=folder) as rag:
        del index
        old = rag.index.catalog
        assert rag.search("storm airport", k=1)[0].article_id != "more"
        publish_again(index_dir, "A storm closed the airport on Sunday.")
        assert rag.search("storm airport", k=1)[0].article_id == "more"
        assert rag.index.version == 2
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):  # nobody reads it any more
            old.skipped()


def test_opening_writes_nothing(index_dir: Path) -> None:
    build(index_dir)
    live = folder_of(index_dir).version_path(1)
    before = {path: path.stat().st_mtime_ns for path in (index_dir / "news").rglob("*")}
    with open_index(index_dir) as index:
        assert index.lexical.search(index.analyzer.terms("bridge"), 3)
    after = {path: path.stat().st_mtime_ns for path in (index_dir / "news").rglob("*")}
    assert after == before
    assert not list(live.rglob("*.lock"))


def test_opens_on_a_read_only_file_system(tmp_path: Path, index_dir: Path) -> None:
    build(index_dir)
    mount = tmp_path / "read-only"
    mount.mkdir()
    with _mounted("--bind", str(index_dir), str(mount)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(mount)], check=True)
        with open_index(mount) as index:
            assert index.lexical.search(index.analyzer.terms("bridge"), 3)
            assert index.catalog.article("harbour") is not None
        # The mend said "free space there".
        mend = f"make the file system of {mount / 'news'} writable"
        for write in (build, lambda mount: roll_back(folder_of(mount)), pruned):
            with pytest.raises(IndexWriteError, match="Read-only file system") as error:
                write(mount)
            assert error.value.mend is not None
            assert error.value.mend.startswith(mend)


def pruned(index_dir: Path) -> None:
    with folder_of(index_dir).lock():
        folder_of(index_dir).prune(1)


_ROLL_BACK = """
import sys
from pathlib import Path
from rag.index.check import roll_back
from rag.index.layout import IndexFolder
roll_back(IndexFolder(Path(sys.argv[1]), "news"))
"""


def _as_others() -> None:
    """Let root be asked for permission too: from the next program on, without CAP_DAC_OVERRIDE."""
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE)


_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1


def test_a_folder_that_may_not_be_written_is_no_full_disk(index_dir: Path) -> None:
    build(index_dir)
    news = index_dir / "news"
    (news / "LOCK").unlink()
    news.chmod(0o555)
    command = [sys.executable, "-c", _ROLL_BACK, str(index_dir)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=_as_others)
    finally:
        news.chmod(0o755)
    assert f"IndexWriteError: {news} cannot be written: Permission denied; the live" in done.stderr
    assert f"To mend it: make {news} writable for you, then run the same" in done.stderr


def test_pointer_that_is_a_folder(index_dir: Path) -> None:
    build(index_dir)
    build(index_dir, full=True)
    current = index_dir / "news" / "CURRENT"
    current.unlink()
    current.mkdir()
    mend = f"rm -r '{current}', then rag rollback news"
    for use in (open_index, build, pruned, lambda index_dir: roll_back(folder_of(index_dir))):
        with pytest.raises(IndexCorruptError, match="CURRENT is a folder") as error:
            use(index_dir)
        assert error.value.mend == mend
    assert [finding.mend for finding in check_index(folder_of(index_dir)).findings] == [mend]
    assert "CURRENT is a folder" in list_indexes(index_dir)[0].state
    current.rmdir()  # what the mend says
    assert roll_back(folder_of(index_dir)) == 2  # the newest that is whole


# Full disks


class _mounted:  # noqa: N801  reads as a statement
    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    def __enter__(self) -> None:
        if os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip("mounting takes root")
        done = subprocess.run(["mount", *self._arguments], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self._arguments[-1]], check=True)


def many(n: int) -> list[dict[str, str]]:
    text = " ".join(f"Sentence number {i} tells of item {i} at length." for i in range(300))
    return [{"id": f"long-{i}", "text": f"{i}. {text}"} for i in range(n)]


def test_full_disk_leaves_the_live_version(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with _mounted("-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)):
        index_dir = write_articles(disk, ARTICLES)
        build(index_dir)
        filler = disk / "filler"
        for free in (40_000, 250_000, 450_000, 700_000):
            write_articles(disk, [*ARTICLES, *many(8)])
            filler.unlink(missing_ok=True)
            space = os.statvfs(disk)
            filler.write_bytes(b"x" * max(0, space.f_bavail * space.f_frsize - free))
            with pytest.raises(IndexWriteError, match="free space there"):
                build(index_dir)
            with open_index(index_dir) as index:
                assert (index.version, index.manifest.n_articles) == (1, 3)
        filler.unlink()
        assert build(index_dir).n_articles == 11
        assert not (index_dir / "news" / "staging").exists()
        assert check_index(folder_of(index_dir)).findings == ()


_LIMITED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
from tests.support import build
build(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_file_that_cannot_grow_is_an_error_with_its_mend(index_dir: Path) -> None:
    build(index_dir)
    write_articles(index_dir.parent, [*ARTICLES, *many(3)])
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", _LIMITED, str(index_dir), "150000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "IndexWriteError" in done.stderr
    assert "To mend it: free space there" in done.stderr
    with open_index(index_dir) as index:
        assert index.version == 1
    assert build(index_dir).version == 2


# Another model, another source of the same articles


def test_another_model_is_announced_and_the_old_version_stays(index_dir: Path) -> None:
    build(index_dir)
    with (index_dir / "news" / "index.toml").open("a") as file:
        file.write('[embedding]\nmodel = "other"\n')
    notes: list[str | None] = []

    def rebuild(model_sha256: str, embedder: FakeEmbedder) -> int:
        report = build_index(
            folder_of(index_dir),
            model_sha256=model_sha256,
            load_embedder=lambda _: embedder,
            progress=lambda told: notes.append(told.note),
        )
        assert report.note == notes[0]
        return report.version

    class Failing(FakeEmbedder):
        def embed_documents(self, texts: Sequence[str]) -> Vectors:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        rebuild("1" * 64, Failing())
    with open_index(index_dir) as index:
        assert index.version == 1
    assert rebuild("1" * 64, FakeEmbedder(dimension=32)) == 2
    assert "the embedding model is other, it was fake" in str(notes[0])


def test_moved_article_keeps_its_chunks(index_dir: Path) -> None:
    build(index_dir)
    (index_dir.parent / "news.jsonl").rename(index_dir.parent / "moved.jsonl")
    toml = index_dir / "news" / "index.toml"
    toml.write_text('sources = ["../../moved.jsonl"]\n')
    report = build(index_dir)
    assert (report.published, report.unchanged, report.changed) == (True, 3, 0)
    with OpenIndex(folder_of(index_dir), n_threads=1) as index:
        article = index.catalog.article("harbour")
        assert article is not None
        assert article.path == "../../moved.jsonl"
