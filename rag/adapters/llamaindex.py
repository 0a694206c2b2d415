"""A retriever for LlamaIndex.

RagRetriever(index="news", k=5).retrieve("What did Healey urge in Israel?")
"""

from __future__ import annotations

import asyncio
from typing import Any

from rag.adapters.found import check_library, document_id, find, metadata, name_of
from rag.engine import Rag
from rag.retrieval import Filter
from rag.settings import Settings

check_library("llama_index.core", "llama-index-core")

from llama_index.core.retrievers import BaseRetriever  # noqa: E402 it is asked for first
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode  # noqa: E402


class RagRetriever(BaseRetriever):
    """Finds the passages of an index that bear on a question.

    What is said about a passage is kept from prompts and embeddings, but for its title, day and
    publisher.

    Args:
        index: Name of the index.
        k: Passages wanted.
        filter: What the search is narrowed to.
        settings: None takes them from `rag.toml` and the environment.
        engine: An open one, to be searched instead of `index`.
        options: Of LlamaIndex's own `BaseRetriever`.
    """

    def __init__(
        self,
        index: str = "seeds",
        k: int = 5,
        *,
        filter: Filter | None = None,
        settings: Settings | None = None,
        engine: Rag | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._index, self._k, self._filter = index, k, filter
        self._rag_settings, self._engine = settings, engine

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = find(
            query_bundle.query_str,
            k=self._k,
            engine=self._engine,
            index=self._index,
            filter=self._filter,
            settings=self._rag_settings,
        )
        name = name_of(self._engine, self._index)
        return [
            NodeWithScore(
                node=_node(hit.text, document_id(hit, name), metadata(hit, name)), score=hit.score
            )
            for hit in hits
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(text: str, id: str, known: dict[str, Any]) -> TextNode:
    unread = [name for name in known if name not in ("title", "published", "source")]
    return TextNode(
        text=text,
        id_=id,
        metadata=known,
        start_char_idx=known["start"],
        end_char_idx=known["end"],
        excluded_llm_metadata_keys=unread,
        excluded_embed_metadata_keys=unread,
    )
