"""What every adapter must say of what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rag import Rag

QUERY = "ferry strike raise"
MISSING = "not in this environment; tools/adapters.sh runs this test in one that has it"


def check_documents(engine: Rag, documents: list[tuple[str, str, Mapping[str, Any]]]) -> None:
    """Hold (id, text, metadata) of each document against what the engine itself finds."""
    hits = engine.search(QUERY, k=len(documents))
    assert len(documents) == len(hits) == 3
    assert documents[0][2]["article_id"] == "ferry"
    for (id_, text, known), hit in zip(documents, hits, strict=True):
        article = engine.article(known["article_id"])
        assert article is not None
        assert id_ == f"news/{hit.article_id}/{hit.start}-{hit.end}"
        assert article.text[known["start"] : known["end"]] == text == hit.text
        sentence = article.text[known["sentence_start"] : known["sentence_end"]]
        assert sentence in text
        assert known["published"] == (hit.published.isoformat() if hit.published else None)
        assert known["score"] == hit.score
        assert (known["rank"], known["title"]) == (hit.rank, hit.title)
        assert (known["index"], known["source"]) == ("news", hit.source)
        assert all(not isinstance(value, dict | list) for value in known.values())  # stores refuse
