"""The package that people install: built, and installed outside the checkout.

The libraries are those of this environment, linked one by one: only what the package declares that
it needs. So nothing is downloaded, and what it uses but does not declare is missed.
"""

from __future__ import annotations

import email
import importlib.metadata
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rag
from rag.errors import DISTRIBUTION

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.package


@dataclass(frozen=True)
class Built:
    """A source archive, and the wheel made of what is in it."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    sdist = _build(ROOT, "sdist", folder)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return Built(sdist, _build(folder / sdist.name.removesuffix(".tar.gz"), "wheel", folder))


def _build(source: Path, target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = folder.glob("*.tar.gz" if target == "sdist" else "*.whl")
    return made


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and what it needs, and a folder to work in."""

    home: Path
    cwd: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nothing that leads back to the checkout; where the models are stays known."""
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and k[:4] != "RAG_"}
        kept |= {k: v for k, v in os.environ.items() if k == "RAG_MODELS_DIR"}
        return kept | {"PATH": f"{self.home / 'bin'}:{os.environ['PATH']}"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.home / "bin" / command[0]), *command[1:]],
            cwd=self.cwd, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="session")
def plain(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Without extras."""
    return _install(built.wheel, "", tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def everything(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """With all extras for users."""
    return _install(built.wheel, "all", tmp_path_factory.mktemp("everything"))


def _install(wheel: Path, extra: str, folder: Path) -> Installed:
    home, libraries, cwd = folder / "env", folder / "libraries", folder / "cwd"
    venv.create(home, symlinks=True)
    cwd.mkdir()
    libraries.mkdir()
    needs = _metadata(wheel).get_all("Requires-Dist") or []
    for entry in _entries([Requirement(line) for line in needs], extra):
        (libraries / entry.name).symlink_to(entry)
    (site,) = home.glob("lib/python3*/site-packages")
    (site / "libraries.pth").write_text(f"{libraries}\n")
    # With --no-index pip fails if a library is missing or has a version outside its range.
    command = [sys.executable, "-m", "pip", "--isolated", "--python", str(home / "bin" / "python")]
    command += ["install", "--no-index", "--no-compile", "--disable-pip-version-check"]
    target = f"{wheel}[{extra}]" if extra else str(wheel)
    done = subprocess.run([*command, target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Installed(home, cwd)


def _entries(needed: list[Requirement], extra: str) -> set[Path]:
    """What stands in site-packages of all that is needed, and of what that needs in turn."""
    entries: set[Path] = set()
    done: set[tuple[str, str]] = set()
    waiting = [(need, extra) for need in needed]
    while waiting:
        need, for_extra = waiting.pop()
        if need.marker and not need.marker.evaluate({"extra": for_extra}):
            continue
        distribution = importlib.metadata.distribution(need.name)
        for file in distribution.files or []:
            if file.parts[0] not in ("..", "__pycache__"):
                entries.add(Path(str(distribution.locate_file(file.parts[0]))))
        for wanted in {"", *need.extras}:
            if (key := (canonicalize_name(need.name), wanted)) not in done:
                done.add(key)
                lines = distribution.requires or []
                waiting += [(Requirement(line), wanted) for line in lines]
    return entries


def _metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what git tracks is not known here")
def test_the_source_archive_has_every_file(built: Built) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    with tarfile.open(built.sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked - packed == set()
    assert [name for name in packed if name.startswith((".venv", "shared", "dist"))] == []


def test_the_wheel_has_the_package_and_nothing_else(built: Built) -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "rag").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(built.wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        licenses = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
    assert packed == sources
    assert {"rag/py.typed", "rag/page/page.css", "rag/page/page.js"} <= packed
    assert len(licenses) == 1


def test_what_the_wheel_says_of_itself(built: Built) -> None:
    metadata = _metadata(built.wheel)
    assert (metadata["Name"], metadata["Version"]) == (DISTRIBUTION, rag.__version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert {"ui", "files", "all", "dev"} <= set(metadata.get_all("Provides-Extra") or [])
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])
    assert "# rag" in str(metadata.get_payload())


def test_the_command_and_the_import_are_those_of_the_wheel(plain: Installed) -> None:
    assert plain.run("rag", "--version").stdout == f"rag {rag.__version__}\n"
    code = "import rag, sys; from rag import ask; print(rag.__file__, *sys.path, sep='\\n')"
    where, *path = plain.run("python", "-c", code).stdout.splitlines()
    assert Path(where).is_relative_to(plain.home)
    assert [entry for entry in path if Path(entry or plain.cwd).is_relative_to(ROOT)] == []


def test_an_error_is_a_message(plain: Installed) -> None:
    run = plain.run("rag", "search", "visit", "--index", "none")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("Error: ")


def test_the_page_without_its_extra(plain: Installed) -> None:
    run = plain.run("rag", "ui")
    assert run.returncode == 1
    assert "the page needs gradio, which is not installed" in run.stderr
    assert f'pip install "{DISTRIBUTION}[ui]"' in run.stderr
    assert "Traceback" not in run.stderr


def test_the_server_without_its_extra(plain: Installed) -> None:
    run = plain.run("rag", "serve")
    assert run.returncode == 1
    assert f'pip install "{DISTRIBUTION}[server]"' in run.stderr


@pytest.mark.parametrize(
    ("name", "content", "library"),
    [
        ("a.pdf", b"%PDF-1.7\n", "pypdfium2"),
        ("a.docx", b"PK", "mammoth"),
        ("a.warc", b"WARC/1.0\r\n", "warcio"),
        ("a.xml", b"<rss version='2.0'></rss>", "feedparser"),
    ],
)
def test_a_format_without_its_extra(
    plain: Installed, name: str, content: bytes, library: str
) -> None:
    (plain.cwd / name).write_bytes(content)
    code = f"from pathlib import Path; from rag.readers import read_sources as read; \
list(read([{name!r}], Path()))"
    run = plain.run("python", "-c", code)
    assert run.returncode == 1
    assert f"files needs {library}, which is not installed" in run.stderr
    assert f'pip install "{DISTRIBUTION}[files]"' in run.stderr


@pytest.fixture(scope="session")
def seeds(plain: Installed) -> Installed:
    """With the index of the seeds, built there."""
    shutil.copytree(ROOT / "seeds", plain.cwd / "seeds")
    (plain.cwd / "indexes" / "seeds").mkdir(parents=True)
    shutil.copy(ROOT / "indexes" / "seeds" / "index.toml", plain.cwd / "indexes" / "seeds")
    run = plain.run("rag", "build", "seeds")
    assert run.returncode == 0, run.stderr
    return plain


@pytest.mark.models
def test_search_and_ask(seeds: Installed) -> None:
    hits = json.loads(seeds.run("rag", "search", "visit to Qatar", "--json").stdout)
    assert "Qatar" in hits[0]["text"]
    asked = seeds.run("rag", "ask", "What did Healey urge in Israel?", "--json")
    answer = json.loads(asked.stdout)
    assert answer["status"] == "answered", asked.stderr
    assert "de-escalation" in answer["text"].lower() or "restraint" in answer["text"].lower()
    code = "from rag import ask; print(ask('Who is the mayor of Osterby?').status)"
    assert seeds.run("python", "-W", "error", "-c", code).stdout == "no_answer\n"


@pytest.mark.models
def test_the_page_listens(seeds: Installed, everything: Installed) -> None:
    shutil.copytree(seeds.cwd, everything.cwd, dirs_exist_ok=True)
    with serving(everything) as address:
        head = json.loads(get(f"{address}config"))["head"]
        linked = [
            get(urljoin(address, path)) for path in re.findall(r'(?:href|src)="([^"]+)"', head)
        ]
    for name in ("page.js", "page.css"):
        written = (ROOT / "rag" / "page" / name).read_text(encoding="utf-8")
        assert any(written in text for text in linked)


def get(address: str) -> str:
    """What stands at an address."""
    with urllib.request.urlopen(address) as response:
        return str(response.read().decode())


@contextmanager
def serving(where: Installed) -> Iterator[str]:
    """`rag ui` while a block runs; gives its address."""
    process = subprocess.Popen(
        [str(where.home / "bin" / "rag"), "ui"],
        cwd=where.cwd, env=where.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        ready, _, _ = select.select([process.stdout], [], [], 90)
        line = process.stdout.readline() if ready else ""
        found = re.fullmatch(r"The page: (http://127\.0\.0\.1:\d+/)\n", line)
        assert found, f"said {line!r}"
        yield found[1]
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()
