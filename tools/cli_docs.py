"""Prints docs/cli.md from the help of every command: python tools/cli_docs.py > docs/cli.md"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from rag.cli import app

WIDTH = 100
HEAD = """# The command `rag`

Made from `--help` by `tools/cli_docs.py`; a test compares. Also `python -m rag`.

Results go to stdout; progress, logs and errors to stderr. `--json` prints one object, or a list.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no answer (`ask --strict`), 130 stopped with Ctrl-C,
141 nobody reads stdout any more. Every setting can also be given as an environment variable
(`RAG_INDEX_DIR`, `RAG_MODEL`, …) or in `rag.toml`.
"""


def pages(command: Any, name: str, parent: Any = None) -> Iterator[str]:
    context = command.context_class(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        help_option_names=["--help", "-h"],
    )
    full_name = context.command_path
    # Python versions and terminals may end lines with spaces; the file does not.
    text = re.sub(r" +$", "", command.get_help(context), flags=re.MULTILINE).strip()
    yield f"## {full_name}\n\n```text\n{text}\n```\n"
    for child in getattr(command, "commands", {}):
        yield from pages(command.commands[child], child, context)


if __name__ == "__main__":
    print("\n".join([HEAD, *pages(typer.main.get_command(app), "rag")]), end="")
