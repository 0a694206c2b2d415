"""An engine to search through the adapters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag import Rag
from rag.testing import FakeEmbedder, open_with
from tests.support import ARTICLES, build, write_articles


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    index_dir = write_articles(tmp_path_factory.mktemp("adapters"), ARTICLES)
    build(index_dir)
    with open_with(index_dir, "news", FakeEmbedder()) as opened:
        yield opened
