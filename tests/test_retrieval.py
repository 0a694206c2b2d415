"""Retrieval on a small real index, compared with plain numpy."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rag.engine import Rag
from rag.errors import QuestionError
from rag.index.opened import OpenIndex
from rag.retrieval import Filter, combine, retrieve
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles

EMBEDDER = FakeEmbedder()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIndex]:
    index_dir = write_articles(tmp_path_factory.mktemp("retrieval"), ARTICLES)
    build(index_dir)
    with open_index(index_dir) as opened:
        yield opened


def ids(index: OpenIndex, question: str, **filter: Any) -> list[str]:
    made = Filter.make(**filter)
    found = retrieve(index, EMBEDDER, [question], k=10, filter=made)[0].passages
    return [item.hit.article_id for item in found]


def test_hits_are_exact_spans(index: OpenIndex) -> None:
    found = retrieve(index, EMBEDDER, ["Which raise of their union demands?"], k=3)[0].passages
    hit = found[0].hit
    text = ARTICLES[1]["text"]
    assert (hit.article_id, hit.rank, hit.source) == ("ferry", 1, "Harbour News")
    assert hit.published == datetime.date(2024, 3, 5)
    assert hit.text == text[hit.start : hit.end]
    best = text[hit.sentence_start : hit.sentence_end]
    assert best == "Their union demands a raise of 6 percent."
    assert [item.hit.rank for item in found] == [1, 2, 3]


def test_scores_are_what_numpy_says(index: OpenIndex) -> None:
    question = "How long does the bridge close?"
    vector = EMBEDDER.embed_queries([question])[0]
    for item in retrieve(index, EMBEDDER, [question], k=3)[0].passages:
        scores = item.hit.scores
        assert scores.dense == pytest.approx(float(np.dot(item.chunk.vector, vector)))
        cosines = [float(np.dot(row, vector)) for row in item.chunk.sentence_vectors]
        assert scores.sentence == pytest.approx(max(cosines))
        assert item.hit.score == pytest.approx(combine(scores))
        assert 0.0 <= item.hit.score <= 1.0


def test_vector_search_equals_brute_force(index: OpenIndex) -> None:
    rng = np.random.default_rng(7)
    queries = rng.normal(size=(5, EMBEDDER.identity.dimension)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    chunks = index.catalog.chunks(index.vectors.ids.tolist())
    matrix = np.stack([chunk.vector for chunk in chunks.values()])
    expected = np.array(list(chunks))[np.argsort(-(queries @ matrix.T), axis=1)]
    found, scores = index.vectors.search(queries, len(chunks))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(scores, -np.sort(-(queries @ matrix.T), axis=1), atol=1e-6)


def test_filters_by_day_source_and_field(index: OpenIndex) -> None:
    question = "What happened in Osterby?"
    assert set(ids(index, question)) == {"harbour", "ferry", "museum"}
    assert set(ids(index, question, since="2024-03-02")) == {"ferry"}
    assert set(ids(index, question, until="2024-03-01")) == {"harbour"}
    assert set(ids(index, question, until="2024-03-01", undated=True)) == {"harbour", "museum"}
    assert set(ids(index, question, source="Osterby Post")) == {"harbour", "museum"}
    assert set(ids(index, question, source=["Harbour News", "x"])) == {"ferry"}
    assert ids(index, question, where={"section": "culture"}) == ["museum"]
    assert ids(index, question, where={"section": "culture' OR 1"}) == []
    assert ids(index, question, since="2030-01-01") == []


def test_filter_that_does_not_fit() -> None:
    with pytest.raises(QuestionError, match="since='yesterday'"):
        Filter.make(since="yesterday")
    with pytest.raises(QuestionError, match="after"):
        Filter.make(since="2024-02-01", until="2024-01-01")


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_empty_question(index: OpenIndex, question: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        retrieve(index, EMBEDDER, [question], k=1)


@pytest.mark.parametrize(
    "question",
    [
        "?",
        "the of and",
        'title:bridge AND (text:* OR NOT "x',
        "[2024 TO 2025] +bridge -ferry ^3 ~",
        "мост через гавань",
        "橋はいつ閉まりますか",
        "🚢🌉",
        "bridge " * 1500,
        " ".join(f"word{number}" for number in range(2000)),
        "x" * 10_000,
        "“”«»…—",
        "\u200b\u200d bridge",
        'bridge" OR title:"',
        "text:[* TO *]",
        "{!parser}",
        "/.*/",
        "\ud800",
        "a\x00b\x1b[31m",
    ],
)
def test_any_text_is_a_question(index: OpenIndex, question: str) -> None:
    found = retrieve(index, EMBEDDER, [question], k=2)[0].passages
    assert [item.hit.rank for item in found] == [1, 2]
    assert all(0.0 <= item.hit.score <= 1.0 for item in found)


def test_query_syntax_has_no_meaning(index: OpenIndex) -> None:
    assert ids(index, "NOT bridge")[0] == "harbour"
    assert ids(index, "painting AND bridge -museum")[0] in {"museum", "harbour"}


def test_same_question_same_hits(index: OpenIndex) -> None:
    one = retrieve(index, EMBEDDER, ["Who is the mayor?"], k=3)[0].passages
    two = retrieve(index, EMBEDDER, ["Who is the mayor?"], k=3)[0].passages
    assert [item.hit for item in one] == [item.hit for item in two]


@pytest.mark.parametrize("question", ["the of", "?", "🚢🌉", "x" * 10_000, "\ud800 bridge"])
def test_any_text_can_be_asked(index: OpenIndex, question: str) -> None:
    answer = Rag(index, EMBEDDER, FakeLLM()).ask(question)
    assert answer.status in {"answered", "extracted", "no_answer"}
    answer.model_dump_json()
