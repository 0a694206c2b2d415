"""An embedding model whose export fails: told, and mended by the next build that can make it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rag
from rag import BuildReport, Settings
from rag.embedding import export
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from tests.support import rewrite_catalog, write_articles
from tests.tiny_bert import write_model

pytestmark = pytest.mark.skipif(
    Path("/proc/driver/nvidia").exists(), reason="on a GPU nothing is exported"
)
WORDS = ["The ferry closes Monday.", "The mayor repairs a bridge.", "The museum strike."]
FOUR = [{"id": f"a{n}", "text": words} for n, words in enumerate([*WORDS, "A painting."])]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    model = write_model(tmp_path / "models" / "tiny")
    (model / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
    index_dir = write_articles(tmp_path, FOUR[:3])
    with (index_dir / "news" / "index.toml").open("a") as file:
        file.write(f'[embedding]\nmodel = "{model}"\n')
    return Settings(index_dir=index_dir, models_dir=model.parent, n_threads=1)


@pytest.fixture
def obstacle(settings: Settings) -> Path:
    """A file where the export would lie."""
    path = export.folder(settings.models_dir / "tiny", models_dir=settings.models_dir)
    path.write_text("in the way")
    return path


def build(settings: Settings, articles: list[dict[str, str]], full: bool = False) -> BuildReport:
    write_articles(settings.index_dir.parent, articles)
    told: list[str | None] = []
    report = rag.build(
        "news", full=full, progress=lambda at: told.append(at.note), settings=settings
    )
    assert told[-1] == report.note  # it is shown while building, too
    return report


@pytest.mark.slow
def runtime(settings: Settings) -> str:
    with OpenIndex(IndexFolder(settings.index_dir, "news"), n_threads=1) as index:
        ids = index.vectors.ids.tolist()
        assert len(index.catalog.chunks(ids)) == index.manifest.n_chunks
        return index.manifest.embedder.runtime


@pytest.mark.slow
def test_a_failed_export_is_told_and_the_next_build_mends_it(
    settings: Settings, obstacle: Path
) -> None:
    first = build(settings, FOUR[:3])
    assert "sentence-transformers, which takes longer" in (first.note or "")
    assert "cannot be exported" in (first.note or "")
    assert runtime(settings) == "sentence-transformers"
    (finding,) = rag.check("news", settings=settings).findings
    assert (finding.kind, finding.severity, finding.mend) == ("model", "warning", "rag build news")

    still = build(settings, FOUR)  # goes on with what there is, and says so again
    assert (still.added, still.unchanged) == (1, 3)
    assert "cannot be exported" in (still.note or "")

    obstacle.unlink()
    mended = build(settings, FOUR)
    assert (mended.published, mended.unchanged) == (True, 4)
    assert (mended.note or "").startswith("everything is embedded anew: the embedding model is")
    assert runtime(settings) == export.RUNTIME
    assert rag.check("news", settings=settings).findings == ()
    again = build(settings, FOUR)
    assert (again.published, again.note) == (False, None)


def test_a_model_that_has_no_export_is_no_failure(settings: Settings) -> None:
    config = settings.models_dir / "tiny" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"hidden_act": "relu"}))
    assert build(settings, FOUR[:3]).note is None
    assert runtime(settings) == "sentence-transformers"
    assert rag.check("news", settings=settings).findings == ()
    again = build(settings, FOUR)
    assert (again.unchanged, again.note) == (3, None)


def test_an_index_made_by_the_other_runtime_on_purpose_keeps_it(
    settings: Settings, obstacle: Path
) -> None:
    """As one that was built on a GPU: going on elsewhere must not embed everything again."""
    build(settings, FOUR[:3])
    folder = IndexFolder(settings.index_dir, "news")
    rewrite_catalog(folder.version_path(1), "DELETE FROM meta WHERE key='fallback'")
    obstacle.unlink()
    report = build(settings, FOUR)
    assert (report.unchanged, report.note) == (3, None)
    assert runtime(settings) == "sentence-transformers"
