"""A question put to an engine by the page: what is kept of the version that answered."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from rag import EnginePool, Filter, Rag, Settings
from rag.index.layout import IndexFolder
from rag.index.manifest import read_manifest, write_manifest
from rag.page import dossier
from rag.page.conversation import Conversation
from rag.page.engines import Engines
from rag.page.turn import Phase, Turn
from rag.testing import FakeEmbedder, open_with
from tests.support import ARTICLES, build, write_articles

QUESTION = "When does the harbour bridge in Osterby close?"
CHANGED = {**ARTICLES[0], "text": "Later news. " + ARTICLES[0]["text"]}


def opened(name: str, *, settings: Settings) -> Rag:
    return open_with(settings.index_dir, name, FakeEmbedder())


def version_path(index_dir: Path, number: int) -> Path:
    return IndexFolder(index_dir, "news").version_path(number)


def ask(index_dir: Path, publish_after: Phase | None = None) -> Turn:
    """The finished turn; the changed article is published when a phase is reached."""
    engines = Engines(EnginePool(opened), Settings(index_dir=index_dir))
    last = None
    turns = Conversation().ask(engines, "news", QUESTION, Filter.make, threading.Event())
    for last in turns:
        if last.phase == publish_after:
            publish_after = None
            write_articles(index_dir.parent, [CHANGED, *ARTICLES[1:]])
            build(index_dir)
    engines.close()
    assert last is not None
    assert last.phase is Phase.DONE
    return last


def made(turn: Turn) -> dict[str, Any]:
    assert turn.answer is not None
    found: dict[str, Any] = json.loads(dossier.as_json(turn.answer, turn.articles, turn.index_seal))
    return found


def test_the_seal_of_a_dossier_covers_every_file_of_the_version(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    seal = made(ask(index_dir))["index"]["seal"]
    manifest = read_manifest(version_path(index_dir, 1))
    assert seal == manifest.seal
    for name, entry in manifest.files.items():
        other = entry.model_copy(update={"sha256": "0" * 64})
        changed = manifest.model_copy(update={"files": manifest.files | {name: other}})
        folder = tmp_path / "changed"
        folder.mkdir(exist_ok=True)
        write_manifest(folder, changed)
        assert read_manifest(folder).seal != seal, name


def test_a_version_published_meanwhile_is_not_the_one_that_answered(tmp_path: Path) -> None:
    for phase in (Phase.SEARCHING, Phase.READING, Phase.WRITING):
        index_dir = write_articles(tmp_path / phase, ARTICLES)
        build(index_dir)
        found = made(ask(index_dir, publish_after=phase))
        version = found["index"]["version"]
        assert version == (2 if phase is Phase.SEARCHING else 1)
        assert found["index"]["seal"] == read_manifest(version_path(index_dir, version)).seal
        texts = {article["article_id"]: article["text"] for article in found["articles"]}
        assert found["citations"]
        for citation in found["citations"]:
            text = texts[citation["article_id"]]
            assert text[citation["start"] : citation["end"]] == citation["quote"]
