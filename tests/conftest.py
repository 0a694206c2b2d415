"""What several test modules share."""

from __future__ import annotations

import shutil
from pathlib import Path

import hypothesis
import pytest

import rag

# A busy machine is no failure: nothing is timed in tests.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def seeds_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `seeds/` and its index, built with the real embedding model."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "seeds", folder / "seeds")
    (folder / "indexes" / "seeds").mkdir(parents=True)
    shutil.copy(ROOT / "indexes" / "seeds" / "index.toml", folder / "indexes" / "seeds")
    rag.build("seeds", settings=rag.Settings(index_dir=folder / "indexes"))
    return folder
