"""What the documents say is so: code runs, commands parse, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from rag.chunking import ChunkingSettings
from rag.cli import app
from rag.index.config import EmbeddingConfig, IndexConfig
from rag.index.layout import IndexFolder
from tests.support import ARTICLES, build, open_index, write_articles

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def parse(command: Any, arguments: list[str], parent: Any = None) -> str:
    """Parse with the command's own parser, down to the subcommand; returns its full name."""
    context = command.make_context(command.name, list(arguments), parent=parent)
    if isinstance(command, TyperGroup) and arguments:
        _, inner, rest = command.resolve_command(context, list(arguments))
        return parse(inner, rest, context)
    return str(context.command_path)


def test_commands_of_the_readme_parse() -> None:
    lines = "\n".join(blocks("README.md", "sh")).splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("rag ")]
    assert [parse(get_command(app), arguments) for _, *arguments in commands] == [
        *("models pull", "add", "ask"),
        *("ask", "ask", "search", "build", "list", "show", "models", "models pull", "ui"),
        *("serve", "follow news", "follow run"),
    ]


def test_make_targets_of_the_readme_exist() -> None:
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    named = set(re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE))
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"ask", "test"} <= named <= set(targets)


def test_index_toml_of_the_readme_has_the_defaults() -> None:
    (text,) = blocks("README.md", "toml")
    config = IndexConfig.model_validate(tomllib.loads(text))
    assert config == IndexConfig(
        sources=config.sources, chunking=ChunkingSettings(), embedding=EmbeddingConfig()
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8"))
    assert [
        link for link in links if "://" not in link and not (document.parent / link).exists()
    ] == []


def test_cli_md_is_current() -> None:
    run = subprocess.run(
        [sys.executable, "tools/cli_docs.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == run.stdout, "make it anew: python tools/cli_docs.py > docs/cli.md"


def test_index_is_read_without_the_library(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    (code,) = blocks("docs/index-format.md", "python")
    assert "rag" not in re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)
    read: dict[str, Any] = {}
    exec(code.replace("indexes/seeds", str(index_dir / "news")), read)
    with open_index(index_dir) as index:
        chunk = index.catalog.chunks([1])[1]
    text = ARTICLES[0]["text"]
    assert (read["chunk_id"], read["chunk"]) == (1, text[chunk.start : chunk.end])
    assert read["sentence"] == text[: text.index(". ") + 1]
    assert read["chunk_ids"][0][0] == 1
    assert read["cosines"][0][0] == pytest.approx(1.0, abs=1e-3)


def test_index_format_names_every_column_and_field(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    document = (ROOT / "docs" / "index-format.md").read_text(encoding="utf-8")
    folder = IndexFolder(index_dir, "news")
    with open_index(index_dir) as index:
        tables = ("articles", "chunks", "skipped", "inputs", "meta", "columns")
        query = "SELECT name FROM pragma_table_info(?)"
        rows = [index.catalog._database.rows(query, (table,)) for table in tables]
        fields = type(index.manifest).model_fields
    columns = {row[0] for table in rows[:4] for row in table}
    named = set(re.findall(r"`(\w+)`", document))
    assert columns | set(fields) <= named
    files = {path.name for path in folder.version_path(1).iterdir()}
    assert files == {"manifest.json", "articles.sqlite", "vectors.faiss", "lexical"}


@pytest.mark.models
def test_python_of_the_readme_runs(seeds_project: Path) -> None:
    (code,) = blocks("README.md", "python")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=seeds_project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert re.match(r"(answered|extracted) 0\.\d+\n.*\[1\]", run.stdout)
    assert "de-escalation" in run.stdout.lower() or "restraint" in run.stdout.lower()
    assert "\n1 0." in run.stdout  # the first hit
    assert "Lammy" in run.stdout.splitlines()[-1]
