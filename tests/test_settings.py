"""Settings: precedence, unknown keys, bad values."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import Settings


def run(code: str, folder: Path, **environment: str) -> str:
    """What a fresh Python prints, run in a folder with an environment of its own."""
    result = subprocess.run(
        [sys.executable, "-c", f"from rag import Settings\n{code}"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("RAG_")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or result.stderr.strip().splitlines()[-1]


def test_keyword_over_environment_over_file_over_default(tmp_path: Path) -> None:
    show = "s = Settings(k=7); print(s.k, s.index_dir, s.queue_size, s.context_tokens)"
    (tmp_path / "rag.toml").write_text('k = 2\nindex_dir = "from-file"\nqueue_size = 3\n')
    assert run(show, tmp_path, RAG_INDEX_DIR="from-env", RAG_K="9") == "7 from-env 3 4096"


@pytest.mark.parametrize(
    ("toml", "environment", "message"),
    [
        (
            "indexdir = 'x'\n",
            {},
            "unknown setting 'indexdir' (rag.toml); the nearest is 'index_dir'",
        ),
        (
            "",
            {"RAG_MODELDIR": "x"},
            "'RAG_MODELDIR' (environment variable); the nearest is 'RAG_MODEL",
        ),
        ("k = 0\n", {}, "setting 'k'"),
        ("k = [\n", {}, "rag.toml"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, toml: str, environment: dict[str, str], message: str
) -> None:
    (tmp_path / "rag.toml").write_text(toml)
    assert message in run("Settings()", tmp_path, **environment)


def test_unknown_keyword_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"'min_confidense' .* nearest is 'min_confidence'"):
        Settings(min_confidense=0.2)


def test_settings_are_hashable_and_frozen() -> None:
    assert {Settings(k=3): 1}[Settings(k=3)] == 1
    with pytest.raises(Exception, match="frozen"):
        Settings().k = 4  # type: ignore[misc]
