"""The retriever for LlamaIndex."""

from __future__ import annotations

import asyncio

import pytest

from rag import Filter, Rag
from tests.adapters.documents import MISSING, QUERY, check_documents

pytest.importorskip("llama_index.core", reason=f"llama-index-core is {MISSING}")

from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode

from rag.adapters.llamaindex import RagRetriever


def test_documents(engine: Rag) -> None:
    retriever = RagRetriever(engine=engine, k=3)
    for found in (retriever.retrieve(QUERY), asyncio.run(retriever.aretrieve(QUERY))):
        nodes = [item.node for item in found]
        check_documents(engine, [(one.node_id, one.text, one.metadata) for one in nodes])
        assert [item.score for item in found] == [one.metadata["score"] for one in nodes]
        spans = [(one.start_char_idx, one.end_char_idx) for one in nodes]
        assert spans == [(one.metadata["start"], one.metadata["end"]) for one in nodes]


def test_a_filter_narrows(engine: Rag) -> None:
    retriever = RagRetriever(engine=engine, filter=Filter.make(source="Osterby Post"))
    assert {item.metadata["source"] for item in retriever.retrieve(QUERY)} == {"Osterby Post"}


def test_a_query_engine_reads_the_passages_and_no_offsets(engine: Rag) -> None:
    asked = RetrieverQueryEngine.from_args(RagRetriever(engine=engine, k=1), llm=MockLLM())
    response = asked.query(QUERY)
    (source,) = response.source_nodes
    read = source.node.get_content(MetadataMode.LLM)
    assert "Ferry crews vote on strike" in read
    assert "sentence_start" not in read
    assert source.node.text in str(response)  # that model repeats what it is given
