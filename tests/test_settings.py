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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("x" * 500, "the path has a name that is too long"),
        ("a/b\udcff", "the path is not valid UTF-8"),
        ("~nobody-here/a", "nobody knows whose home that is"),
        ("a\0b", "there is a null character in it"),
    ],
)
@pytest.mark.parametrize("name", ["index_dir", "models_dir"])
def test_folders_that_cannot_be(name: str, given: str, message: str) -> None:
    with pytest.raises(SettingsError, match=f"setting '{name}': {message}"):
        Settings(**{name: given})


def test_home_in_folders(tmp_path: Path) -> None:
    show = "s = Settings(); print(s.index_dir, s.models_dir)"
    (tmp_path / "rag.toml").write_text('index_dir = "~/news"\n')
    shown = run(show, tmp_path, HOME="/home/ada", RAG_MODELS_DIR="~/m")
    assert shown == "/home/ada/news /home/ada/m"
    assert run(show, tmp_path, HOME="/home/ada", RAG_INDEX_DIR="a~b") == (
        "a~b /home/ada/.local/share/rag/models"
    )


def test_libraries_are_told_to_report_nothing(tmp_path: Path) -> None:
    shown = run(
        "import os; from rag.settings import silence_telemetry; silence_telemetry();"
        " print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['HF_HUB_DISABLE_TELEMETRY'])",
        tmp_path,
        ORT_DISABLE_TELEMETRY="0",
    )
    assert shown == "1 1"


def test_ray_and_milvus_are_told_to_report_nothing_and_to_read_no_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MILVUS_URI=http://outside.invalid:19530\n")
    shown = run(
        "import os; from rag.settings import leave_milvus_no_settings; leave_milvus_no_settings();"
        " print({k: v for k, v in sorted(os.environ.items())"
        " if k.startswith(('MILVUS', 'RAY', 'PYTHON_DOTENV'))})",
        tmp_path,
        MILVUS_URI="http://outside.invalid:19530",
        MILVUS_DEFAULT_CONNECTION="other",
        RAY_USAGE_STATS_ENABLED="1",
    )
    assert shown == str(
        {
            "PYTHON_DOTENV_DISABLED": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",
        }
    )


def test_gradio_gets_no_setting_of_the_environment(tmp_path: Path) -> None:
    shown = run(
        "import os; from pathlib import Path; from rag.settings import leave_gradio_no_settings;"
        " leave_gradio_no_settings(Path('/u'), ['127.0.0.1']);"
        " print({k: v for k, v in sorted(os.environ.items())"
        " if k.startswith(('GRADIO', 'SPACE', 'no_proxy', 'NO_PROXY'))})",
        tmp_path,
        GRADIO_ALLOWED_PATHS="/",
        GRADIO_SHARE="True",
        SPACE_ID="a/b",
        NO_PROXY="intranet",
    )
    assert shown == str(
        {
            "GRADIO_TEMP_DIR": "/u",
            "NO_PROXY": "intranet,127.0.0.1",
            "no_proxy": "intranet,127.0.0.1",
        }
    )
