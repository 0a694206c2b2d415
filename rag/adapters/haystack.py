"""A retriever for Haystack.

    pipeline.add_component("retriever", RagRetriever(index="news", top_k=5))

A pipeline that was written to YAML is read with `allowed_modules=["rag.adapters.haystack"]`:
Haystack makes nothing of modules that it does not know.

Importing it switches Haystack's telemetry off, unless Haystack was imported before.
"""

from __future__ import annotations

from typing import Any

from rag.adapters.found import check_library, document_id, find, metadata, name_of
from rag.engine import Rag
from rag.retrieval import Filter
from rag.settings import Settings, silence_telemetry

check_library("haystack", "haystack-ai")
silence_telemetry()

from haystack import Document, component, default_from_dict, default_to_dict  # noqa: E402 only then


@component
class RagRetriever:
    """Finds the passages of an index that bear on a question.

    Args:
        index: Name of the index.
        top_k: Passages wanted.
        since, until: First and last day of publication, as 2024-08-31.
        source: Only this publisher, or any of these.
        undated: Whether articles without a date pass `since` and `until`.
        settings: None takes them from `rag.toml` and the environment.
        engine: An open one, to be searched instead of `index`; then it cannot be written to YAML.
    """

    def __init__(
        self,
        index: str = "seeds",
        top_k: int = 5,
        since: str | None = None,
        until: str | None = None,
        source: str | list[str] | None = None,
        undated: bool = False,
        settings: Settings | None = None,
        engine: Rag | None = None,
    ) -> None:
        self._given: dict[str, Any] = {
            **{"index": index, "top_k": top_k, "since": since, "until": until},
            **{"source": source, "undated": undated},
        }
        self._filter = Filter.make(since=since, until=until, source=source, undated=undated)
        self._settings, self._engine = settings, engine
        self._index, self._top_k = index, top_k

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` makes it from.

        Raises:
            ValueError: it has an engine or settings of its own, which belong to this process.
        """
        if self._engine is not None or self._settings is not None:
            raise ValueError("a retriever with an engine or settings of its own cannot be written")
        written: dict[str, Any] = default_to_dict(self, **self._given)
        return written

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RagRetriever:
        """One as it was written by `to_dict`."""
        made: RagRetriever = default_from_dict(cls, data)
        return made

    @component.output_types(documents=list[Document])
    def run(self, query: str, top_k: int | None = None) -> dict[str, list[Document]]:
        """The passages, best first, as `documents`."""
        hits = find(
            query,
            k=self._top_k if top_k is None else top_k,
            engine=self._engine,
            index=self._index,
            filter=self._filter,
            settings=self._settings,
        )
        name = name_of(self._engine, self._index)
        documents = [
            Document(
                id=document_id(hit, name),
                content=hit.text,
                meta=metadata(hit, name),
                score=hit.score,
            )
            for hit in hits
        ]
        return {"documents": documents}
