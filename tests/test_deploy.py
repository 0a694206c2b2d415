"""What is in deploy/ is so: its commands parse, its settings exist, its image's steps work."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from rag.cli import app
from rag.serving import serve
from rag.settings import Settings

ROOT = Path(__file__).parents[1]
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text()


def unit() -> dict[str, list[str]]:
    text = (ROOT / "deploy" / "rag.service").read_text()
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def options(command: list[str], tokens: Path) -> dict[str, Any]:
    """What the parser of `rag` makes of a command; the file of tokens is another one."""
    program, *arguments = command
    assert Path(program).name == "rag"
    group = get_command(app)
    context = group.make_context("rag", list(arguments))
    name, inner, rest = group.resolve_command(context, arguments)  # type: ignore[attr-defined]
    assert name == "serve"
    rest = [str(tokens) if part.startswith("/run/secrets/") else part for part in rest]
    params: dict[str, Any] = inner.make_context("serve", rest, parent=context).params
    return params


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text("ada:a-token-of-more-than-16-characters\n")
    return file


def test_the_command_of_the_unit(tokens: Path) -> None:
    (command,) = unit()["ExecStart"]
    given = options(shlex.split(command), tokens)
    assert (given["host"], given["port"]) == (serve.HOST, serve.PORT)


def test_the_settings_of_the_unit_and_of_the_image_exist() -> None:
    named = unit()["Environment"] + re.findall(r"\bRAG_\w+=\S+", CONTAINERFILE)
    assert len(named) == 4
    values = dict(one.removeprefix("RAG_").split("=") for one in named)
    settings = Settings(**{name.lower(): value for name, value in values.items()})
    assert settings.index_dir == Path("/var/lib/rag/indexes")
    assert settings.models_dir.parent == settings.index_dir.parent
    (state,) = unit()["StateDirectory"]
    assert (
        settings.index_dir.parent == Path("/var/lib") / state == Path(*unit()["WorkingDirectory"])
    )


def test_the_unit_lets_it_write_and_listen_only_where_it_must() -> None:
    found = unit()
    assert found["ProtectSystem"] == ["strict"]
    assert "ReadWritePaths" not in found
    assert (found["IPAddressDeny"], found["IPAddressAllow"]) == (["any"], ["localhost"])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd")
def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    file = tmp_path / "rag.service"
    text = (ROOT / "deploy" / "rag.service").read_text()
    file.write_text(re.sub(r"/opt/rag/bin/rag", "/bin/true", text))
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [line for line in run.stderr.splitlines() if "rag.service" in line] == []


def test_the_command_of_the_image_listens_for_others_with_tokens(tokens: Path) -> None:
    (command,) = re.findall(r"^CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE)
    given = options(json.loads(command), tokens)
    assert given["host"] == "0.0.0.0"
    assert given["tokens"] == tokens
    (exposed,) = re.findall(r"^EXPOSE (\d+)$", CONTAINERFILE, re.MULTILINE)
    assert given["port"] == int(exposed)


def test_the_image_installs_extras_that_exist() -> None:
    (named,) = re.findall(r'pip install .*"\.\[(.*)\]"', CONTAINERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(named.split(",")) <= set(project["optional-dependencies"])
    assert "server" in named.split(",")


@pytest.mark.package
def test_a_wheel_is_built_of_what_the_image_copies(tmp_path: Path) -> None:
    copied = re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE, re.MULTILINE)
    for line in copied:
        *sources, target = line.split()
        for source in map(ROOT.joinpath, sources):
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, tmp_path / target, ignore=ignored)
            else:
                shutil.copy(source, tmp_path / target)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "made"]
    run = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert len(list((tmp_path / "made").glob("cited_news_rag-*.whl"))) == 1
