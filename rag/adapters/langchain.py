"""A retriever for LangChain.

RagRetriever(index="news", k=5).invoke("What did Healey urge in Israel?")
"""

from __future__ import annotations

from typing import Any

from rag.adapters.found import check_library, document_id, find, metadata, name_of
from rag.engine import Rag
from rag.retrieval import Filter
from rag.settings import Settings

check_library("langchain_core", "langchain-core")

from langchain_core.callbacks import CallbackManagerForRetrieverRun  # noqa: E402 it is asked for first
from langchain_core.documents import Document  # noqa: E402
from langchain_core.retrievers import BaseRetriever  # noqa: E402


class RagRetriever(BaseRetriever):
    """Finds the passages of an index that bear on a question.

    Attributes:
        index: Name of the index.
        k: Passages wanted; `invoke(question, k=3)` wants another number once.
        filter: What the search is narrowed to.
        settings: None takes them from `rag.toml` and the environment.
        engine: An open one, to be searched instead of `index`.
    """

    index: str = "seeds"
    k: int = 5
    filter: Filter | None = None
    settings: Settings | None = None
    engine: Rag | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        **_: Any,
    ) -> list[Document]:
        hits = find(
            query,
            k=self.k if k is None else k,
            engine=self.engine,
            index=self.index,
            filter=self.filter,
            settings=self.settings,
        )
        name = name_of(self.engine, self.index)
        return [
            Document(page_content=hit.text, id=document_id(hit, name), metadata=metadata(hit, name))
            for hit in hits
        ]
