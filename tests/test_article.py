"""The content hash of an article."""

from __future__ import annotations

import datetime

import pytest

from rag.article import Article

ARTICLE = Article(article_id="a", title="T", text="x", metadata={"b": 1, "a": [2]})


def test_hash_ignores_path_and_order_of_metadata() -> None:
    other = ARTICLE.model_copy(update={"path": "elsewhere", "metadata": {"a": [2], "b": 1}})
    assert other.content_hash() == ARTICLE.content_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"article_id": "b"},
        {"text": "y"},
        {"title": "U"},
        {"published": datetime.date(2024, 1, 1)},
        {"source": "S"},
        {"metadata": {"b": 1}},
    ],
)
def test_hash_changes_with_content(change: dict[str, object]) -> None:
    assert ARTICLE.model_copy(update=change).content_hash() != ARTICLE.content_hash()
