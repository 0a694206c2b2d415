"""What the retrievers share: searching, and what is said about a passage."""

from __future__ import annotations

import importlib.util
from typing import Any

from rag import api
from rag.engine import Rag
from rag.errors import RagError
from rag.retrieval import Filter, Hit
from rag.settings import Settings


def check_library(module: str, distribution: str) -> None:
    """Make sure that the library of an adapter is installed; it is not imported.

    Raises:
        RagError: it is not.
    """
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # the package that it would stand in
        found = None
    if found is None:
        raise RagError(
            f"this adapter needs {module}, which is not installed",
            mend=f"pip install {distribution}",
        )


def find(
    query: str,
    *,
    k: int,
    engine: Rag | None,
    index: str,
    filter: Filter | None,
    settings: Settings | None,
) -> list[Hit]:
    """The k best passages, best first: of an engine, else of an index that is kept open."""
    if engine is not None:
        return engine.search(query, k=k, filter=filter)
    return api.search(query, index=index, k=k, filter=filter, settings=settings)


def name_of(engine: Rag | None, index: str) -> str:
    """Of the index that is searched."""
    return engine.index.name if engine is not None else index


def document_id(hit: Hit, index: str) -> str:
    """The same for the same passage of the same article."""
    return f"{index}/{hit.article_id}/{hit.start}-{hit.end}"


def metadata(hit: Hit, index: str) -> dict[str, Any]:
    """What is known about a passage, in JSON.

    Returns:
        `index`, `article_id`, `title`, `published` (as 2024-08-31), `source`, `url`, `path`,
        `page`; `start`, `end` and `sentence_start`, `sentence_end`: spans of the passage and of
        its best sentence in the article's text, in characters; `rank` from 1; `score`, higher is
        better, in [0, 1]; `story` and `superseded_by`: see `rag.Hit`. What is not known is None.
    """
    known = hit.model_dump(mode="json", exclude={"text", "scores", "also_in"})
    return {"index": index, **known}
