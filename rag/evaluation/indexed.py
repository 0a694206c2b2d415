"""The articles of a dataset, and whether the index holds them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rag.article import Article
from rag.errors import DatasetError

Indexed = Callable[[str], Article | None]
"""The article of the index by its id, such as `Rag.article`."""


def check_indexed(article_id: str, text: str | None, indexed: Indexed, source: Path) -> None:
    """Refuse an index that lacks an article, or holds it with another text.

    Args:
        article_id: The article.
        text: Its text after cleaning; None takes any.
        indexed: The article of the index by its id.
        source: File of the dataset that has the article.

    Raises:
        DatasetError: how the index is made to hold it.
    """
    found = indexed(article_id)
    if found is None or text not in (None, found.text):
        state = "lacks" if found is None else "holds with another text"
        raise DatasetError(
            f"the index {state} article {article_id!r} of {source}",
            mend=f'add "{source.resolve()}" to sources in its index.toml and build it',
        )
