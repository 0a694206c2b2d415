"""The retriever for LangChain: LangChain's own tests of retrievers, and ours."""

from __future__ import annotations

from typing import Any

import pytest

from rag import Filter, Rag
from tests.adapters.documents import MISSING, QUERY, check_documents

pytest.importorskip("langchain_tests", reason=f"langchain-tests is {MISSING}")

from langchain_tests.integration_tests import RetrieversIntegrationTests

from rag.adapters.langchain import RagRetriever


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
class TestStandard(RetrieversIntegrationTests):
    """https://docs.langchain.com/oss/python/contributing/standard-tests-langchain"""

    @pytest.fixture(autouse=True)
    def _engine(self, engine: Rag) -> None:
        self._opened = engine

    @property
    def retriever_constructor(self) -> Any:
        return RagRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"engine": self._opened}

    @property
    def retriever_query_example(self) -> str:
        return QUERY


def test_documents(engine: Rag) -> None:
    found = RagRetriever(engine=engine, k=3).invoke(QUERY)
    check_documents(engine, [(item.id, item.page_content, item.metadata) for item in found])


def test_a_filter_narrows(engine: Rag) -> None:
    retriever = RagRetriever(engine=engine, filter=Filter.make(source="Osterby Post"))
    assert {item.metadata["source"] for item in retriever.invoke(QUERY)} == {"Osterby Post"}


def test_it_stands_in_a_chain(engine: Rag) -> None:
    chain = RagRetriever(engine=engine, k=1) | (lambda found: found[0].metadata["article_id"])
    assert chain.invoke(QUERY) == "ferry"
