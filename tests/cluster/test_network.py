"""Nothing leaves the machine: a build on a Ray of its own, chunks in a file of Milvus Lite."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.network import forbidden
from tests.test_network import QUESTION, SECONDS, watch

pytest.importorskip("ray", reason="`make cluster` installs it and runs this")
PROGRAM = f"""
import sys, time
from rag.cli import main
for arguments in (["build", "seeds", "--full", "--on", "ray"], ["search", {QUESTION!r}]):
    try:
        main(arguments)
    except SystemExit as ended:
        if ended.code:
            raise
time.sleep({SECONDS})
"""


@pytest.mark.models
def test_ray_and_milvus_send_nothing(seeds_project: Path, tmp_path: Path) -> None:
    if why := forbidden():
        pytest.skip(f"the kernel lets this user make no network namespace: {why}")
    shutil.copytree(seeds_project, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "indexes" / "seeds" / "index.toml").open("a", encoding="utf-8") as file:
        file.write('[store]\nkind = "milvus"\nuri = "chunks.db"\n')
    (tmp_path / ".env").write_text("MILVUS_URI=http://outside.invalid:19530\n")
    run = watch(["-c", PROGRAM], tmp_path)
    assert run.code == 0, run.told
    assert "3 articles" in run.told
    assert run.sent == []
