"""What hits are made of: neighbouring chunks joined, reprints listed with their twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.engine import Rag
from rag.index.rows import StoredChunk
from rag.retrieval import Hit, HitScores, retrieve
from rag.retrieval.passages import MERGE_DEPTH, passages
from rag.retrieval.scoring import Scored
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles

EMBEDDER = FakeEmbedder()


def scored(
    chunk_id: int, article: int, start: int, end: int, score: float, text: str | None = None
) -> Scored:
    vector = np.zeros(4, dtype=np.float32)
    vector[0] = 1.0
    middle = (start + end) // 2
    chunk = StoredChunk(
        chunk_id=chunk_id,
        article=article,
        start=start,
        end=end,
        vector=vector,
        sentences=np.array([[start, middle], [middle, end]], dtype=np.int32),
        sentence_vectors=np.array([[start], [middle]], dtype=np.float32),
    )
    cosines = np.array([0.1, 0.2], dtype=np.float32)
    parts = HitScores(dense=score, sentence=score, lexical=0.0)
    words = text or " ".join(f"w{article}-{place}" for place in range(start, end, 5))
    return Scored(chunk, "", words, parts, score, cosines, np.array([0.5, 0.5]), 1)


def spans(ranked: list[Scored], k: int) -> list[tuple[int, int, int]]:
    found = [passage.joined().chunk for passage in passages(ranked, k)]
    return [(chunk.article, chunk.start, chunk.end) for chunk in found]


def test_neighbours_become_one_passage() -> None:
    ranked = [scored(2, 1, 80, 180, 0.9), scored(9, 2, 0, 50, 0.8), scored(1, 1, 0, 100, 0.7)]
    assert spans(ranked, 5) == [(1, 0, 180), (2, 0, 50)]
    joined = passages(ranked, 5)[0].joined()
    assert (joined.score, joined.chunk.chunk_id) == (0.9, 2)
    # Sentences in the order of the text, each with its own vector; the best one is still the best.
    assert joined.chunk.sentences.tolist() == [[0, 50], [50, 100], [80, 130], [130, 180]]
    assert joined.chunk.sentence_vectors[:, 0].tolist() == [0, 50, 80, 130]
    assert joined.chunk.sentences[joined.best_sentence].tolist() == [130, 180]


def test_a_sentence_that_both_hold_counts_once() -> None:
    ranked = [scored(1, 1, 0, 100, 0.9), scored(2, 1, 50, 150, 0.7)]
    joined = passages(ranked, 5)[0].joined()
    assert joined.chunk.sentences.tolist() == [[0, 50], [50, 100], [100, 150]]


def test_no_more_than_two_chunks_are_joined() -> None:
    ranked = [
        scored(n, 1, 100 * n, 100 * n + 105, score)
        for n, score in ((3, 0.9), (2, 0.8), (4, 0.7), (1, 0.6))
    ]
    assert spans(ranked, 5) == [(1, 200, 405), (1, 400, 505), (1, 100, 205)]


def test_chunks_apart_stay_apart() -> None:
    assert spans([scored(1, 1, 0, 100, 0.9), scored(3, 1, 200, 300, 0.8)], 5) == [
        (1, 0, 100),
        (1, 200, 300),
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 5, 8])
def test_what_a_hit_is_does_not_depend_on_k(k: int) -> None:
    ranked = [scored(2 * n, n, 0, 100, 0.9 - 0.01 * n) for n in range(12)]
    ranked[8] = scored(99, 0, 100, 200, 0.5)  # a neighbour of the first, far down
    assert spans(ranked, k) == spans(ranked, 12)[:k]
    assert spans(ranked, 1) == [(0, 0, 200)]


def test_a_neighbour_too_far_down_is_not_joined() -> None:
    ranked = [scored(2 * n, n, 0, 100, 0.9 - 0.01 * n) for n in range(MERGE_DEPTH + 1)]
    ranked[-1] = scored(99, 0, 100, 200, 0.1)
    assert spans(ranked, 50)[0] == (0, 0, 100)


def test_reprints_take_no_rank() -> None:
    text = "the mayor of Osterby said that the bridge would close in March for nine weeks"
    ranked = [
        scored(1, 1, 0, 80, 0.9, text),
        scored(2, 2, 10, 90, 0.85, text.upper()),
        scored(3, 3, 0, 80, 0.8, text.replace("nine", "ten")),
        scored(4, 4, 0, 80, 0.7, "crews of the ferry vote on a strike and want more money soon"),
    ]
    found = passages(ranked, 5)
    assert [passage.best.chunk.article for passage in found] == [1, 4]
    assert [twin.chunk.article for twin in found[0].reprints] == [2, 3]


def test_the_same_words_twice_in_one_article_are_no_reprint() -> None:
    ranked = [scored(1, 1, 0, 80, 0.9, "a b c d e"), scored(2, 1, 500, 580, 0.8, "a b c d e")]
    assert len(passages(ranked, 5)) == 2


# On a real index


@pytest.fixture
def reprinted(tmp_path: Path) -> Path:
    twin = ARTICLES[0] | {"id": "twin", "source": "Lindal News", "published": "2024-03-02"}
    return write_articles(tmp_path, [*ARTICLES, twin])


def test_a_reprint_is_listed_with_its_twin(reprinted: Path) -> None:
    build(reprinted)
    with open_index(reprinted) as index:
        hits = Rag(index, EMBEDDER, FakeLLM()).search("How long does the bridge close?", k=5)
    assert len(hits) == 3
    (reprint,) = hits[0].also_in
    assert (hits[0].article_id, reprint.article_id) == ("harbour", "twin")
    assert (reprint.relation, reprint.source) == ("reprint", "Lindal News")
    assert (reprint.start, reprint.end) == (hits[0].sentence_start, hits[0].sentence_end)


def test_joined_hits_are_exact_spans(tmp_path: Path) -> None:
    sentences = [
        f"The harbour bridge closed in the year {1900 + n} for repairs." for n in range(60)
    ]
    article = {"id": "long", "title": "Bridge", "text": " ".join(sentences)}
    index_dir = write_articles(tmp_path, [article, *ARTICLES])
    build(index_dir)
    with open_index(index_dir) as index:
        found = retrieve(index, EMBEDDER, ["When was the harbour bridge closed?"], k=5)[0].passages
    assert max(item.hit.end - item.hit.start for item in found) > 1000
    for item in found:
        hit = item.hit
        assert hit.text == item.article.text[hit.start : hit.end]
        assert hit.start <= hit.sentence_start < hit.sentence_end <= hit.end
        assert len(item.chunk.sentences) == len(item.sentence_cosines)
        assert len(item.chunk.sentences) == len(item.chunk.sentence_vectors)
        assert item.chunk.sentences[0][0] == hit.start
        assert item.chunk.sentences[-1][1] == hit.end


# Reranking


class Backwards:
    """Likes best what was ranked last."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def scores(self, question: str, passages: Any) -> NDArray[np.float32]:
        self.read = list(passages)
        return np.linspace(0.1, 0.9, len(self.read), dtype=np.float32)


def test_a_reranker_has_the_last_word(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    with open_index(index_dir) as index:
        plain: list[Hit] = Rag(index, EMBEDDER, FakeLLM()).search("bridge in Osterby", k=3)
        reranker = Backwards()
        turned = Rag(index, EMBEDDER, FakeLLM(), reranker=reranker).search("bridge in Osterby", k=3)
    assert [hit.article_id for hit in turned] == [hit.article_id for hit in plain][::-1]
    assert [hit.rank for hit in turned] == [1, 2, 3]
    assert [hit.score for hit in turned] == pytest.approx([0.9, 0.5, 0.1])
    assert turned[0].scores.reranker == pytest.approx(0.9)
    assert plain[0].scores.reranker is None
    assert reranker.read[0].startswith("Harbour bridge to close for repairs\n")
