"""The retriever for Haystack."""

from __future__ import annotations

import importlib.util
import os

import pytest

from rag import Rag
from tests.adapters.documents import MISSING, QUERY, check_documents

if importlib.util.find_spec("haystack") is None:  # not imported: that would begin its telemetry
    pytest.skip(f"haystack-ai is {MISSING}", allow_module_level=True)

from rag.adapters.haystack import RagRetriever

from haystack import Pipeline  # isort: skip  (the adapter switches its telemetry off)
from haystack.components.builders import PromptBuilder
from haystack.telemetry import _telemetry


def test_documents(engine: Rag) -> None:
    found = RagRetriever(engine=engine, top_k=3).run(QUERY)["documents"]
    check_documents(engine, [(item.id, item.content, item.meta) for item in found])
    assert [item.score for item in found] == [item.meta["score"] for item in found]
    assert len(RagRetriever(engine=engine).run(QUERY, top_k=1)["documents"]) == 1


def test_a_filter_narrows(engine: Rag) -> None:
    found = RagRetriever(engine=engine, source="Osterby Post").run(QUERY)["documents"]
    assert {item.meta["source"] for item in found} == {"Osterby Post"}


def test_it_stands_in_a_pipeline_and_tells_nobody(engine: Rag) -> None:
    pipeline = Pipeline()
    pipeline.add_component("retriever", RagRetriever(engine=engine, top_k=1))
    template = "{% for one in documents %}{{ one.meta.article_id }}{% endfor %}"
    pipeline.add_component("prompt", PromptBuilder(template))
    pipeline.connect("retriever.documents", "prompt.documents")
    assert pipeline.run({"retriever": {"query": QUERY}})["prompt"]["prompt"] == "ferry"
    assert os.environ["HAYSTACK_TELEMETRY_ENABLED"] == "False"
    assert _telemetry.telemetry is None


def test_it_is_written_and_read(engine: Rag) -> None:
    pipeline = Pipeline()
    pipeline.add_component("retriever", RagRetriever("news", top_k=7, since="2024-03-01"))
    read = Pipeline.loads(pipeline.dumps(), allowed_modules=["rag.adapters.haystack"])
    assert read.get_component("retriever").to_dict()["init_parameters"] == {
        "index": "news", "top_k": 7, "since": "2024-03-01", "until": None, "source": None,
        "undated": False,
    }  # fmt: skip
    with pytest.raises(ValueError, match="cannot be written"):
        RagRetriever(engine=engine).to_dict()
