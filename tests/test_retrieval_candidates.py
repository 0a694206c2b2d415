"""What every store of candidates must do, and that the local index and Milvus do it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from rag.embedding import Vectors
from rag.index.opened import OpenIndex
from rag.retrieval import Candidates, CandidateStore, Filter
from rag.testing import FakeEmbedder
from rag.text.analysis import analyzer
from tests.support import build, keep_in_milvus, open_index, write_articles

EMBEDDER = FakeEmbedder()
ANALYZER = analyzer("en")
PLACES = ("Osterby", "Lindal", "Sund", "Varde", "Torvik")
ROWS: list[dict[str, Any]] = [
    {
        "id": f"a{number}",
        "title": f"News from {PLACES[number % 5]}",
        "text": f"The harbour of {PLACES[number % 5]} has {number} boats"
        + " and a ferry" * (number % 7 == 0)
        + " for visitors" * (number % 3)
        + ".",
        "source": ("Herald", "Osterby Post", None)[number % 3],
        "desk": ("near", "far")[number % 2],
    }
    | ({} if number % 4 == 0 else {"published": f"2024-01-{1 + number % 28:02}"})
    for number in range(200)
]
FILTERS = [
    Filter(),
    Filter.make(since="2024-01-05", until="2024-01-20"),
    Filter.make(until="2024-01-09", undated=True),
    Filter.make(source=["Herald", "nobody"]),
    Filter.make(where={"desk": "far"}, since="2024-01-03"),
    Filter.make(where={"desk": "nowhere"}),
]
QUESTIONS = ["ferry boats in Osterby", "harbour 77", "zebra", ""]


class BruteForce:
    """The same by plain means: every chunk is scored."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = {number: row for number, row in enumerate(rows, start=1)}
        self._terms = {
            number: ANALYZER.terms(f"{row['title']}\n{row['text']}")
            for number, row in self._rows.items()
        }
        texts = [f"{r['title']}. {r.get('published', '')}\n{r['text']}" for r in rows]
        self._vectors = EMBEDDER.embed_documents(texts)

    @property
    def n_chunks(self) -> int:
        return len(self._rows)

    def document_frequency(self, term: str) -> int:
        return sum(term in terms for terms in self._terms.values())

    def candidates(
        self, terms: Sequence[str], vector: Vectors, filter: Filter, n: int
    ) -> Candidates:
        passing = [number for number, row in self._rows.items() if passes(filter, row)]
        cosines = {number: float(self._vectors[number - 1] @ vector) for number in passing}
        bm25 = {number: self._bm25(terms, number) for number in passing}
        best = sorted(passing, key=lambda number: (-cosines[number], number))[:n]
        best += sorted(filter_positive(bm25), key=lambda number: (-bm25[number], number))[:n]
        ids = sorted(set(best))
        return Candidates(
            np.array(ids, dtype=np.int64),
            np.array([cosines[number] for number in ids], dtype=np.float32),
            np.array([bm25[number] for number in ids], dtype=np.float32),
        )

    def _bm25(self, terms: Sequence[str], number: int) -> float:
        average = sum(map(len, self._terms.values())) / self.n_chunks
        counts = Counter(self._terms[number])
        score = 0.0
        for term in terms:
            df = self.document_frequency(term)
            idf = math.log(1 + (self.n_chunks - df + 0.5) / (df + 0.5))
            length = 0.25 + 0.75 * len(self._terms[number]) / average
            score += idf * counts[term] * 2.2 / (counts[term] + 1.2 * length)
        return score


def filter_positive(scores: dict[int, float]) -> list[int]:
    return [number for number, score in scores.items() if score > 0]


def passes(filter: Filter, row: dict[str, Any]) -> bool:
    day = row.get("published")
    if filter.since or filter.until:
        since, until = str(filter.since or "0001-01-01"), str(filter.until or "9999-12-31")
        if not (since <= day <= until if day else filter.undated):
            return False
    if filter.source and row["source"] not in filter.source:
        return False
    return all(str(row.get(key)) == value for key, value in filter.where.items())


@pytest.fixture(scope="module", params=["local index", "Milvus", "brute force"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CandidateStore]:
    if request.param == "brute force":
        yield BruteForce(ROWS)
        return
    index_dir = write_articles(tmp_path_factory.mktemp("candidates"), ROWS)
    if request.param == "Milvus":
        pytest.importorskip("pymilvus", reason="`make cluster` installs it and runs this")
        keep_in_milvus(index_dir)
    build(index_dir, embedder=EMBEDDER)
    with open_index(index_dir) as index:
        yield index


def ask(store: CandidateStore, question: str, filter: Filter, n: int) -> Candidates:
    vector = EMBEDDER.embed_queries([question])[0]
    return store.candidates(ANALYZER.content_terms(question), vector, filter, n)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("filter", FILTERS, ids=str)
def test_proposes_the_best_of_both_with_both_scores(
    store: CandidateStore, question: str, filter: Filter
) -> None:
    expected = ask(BruteForce(ROWS), question, filter, 1_000)
    exact = dict(zip(expected.chunk_ids.tolist(), zip(*expected[1:], strict=True), strict=True))
    found = ask(store, question, filter, 7)
    assert len({len(part) for part in found}) == 1
    assert found.chunk_ids.tolist() == sorted(set(found.chunk_ids.tolist()))
    assert len(found.chunk_ids) <= 14
    assert all(passes(filter, ROWS[number - 1]) for number in found.chunk_ids.tolist())
    for number, cosine, bm25 in zip(*found, strict=True):
        # Vectors are stored in 16 bits, lengths of texts in steps.
        assert exact[int(number)] == pytest.approx((cosine, bm25), abs=0.05)
    for scores, mine in ((expected.cosines, found.cosines), (expected.bm25, found.bm25)):
        best = np.sort(scores[scores > 0] if scores is expected.bm25 else scores)[::-1][:7]
        np.testing.assert_allclose(np.sort(mine)[::-1][: len(best)], best, atol=0.05)


def test_frequencies(store: CandidateStore) -> None:
    assert store.n_chunks == 200
    assert store.document_frequency("osterbi") == 40
    assert store.document_frequency("ferri") == 29
    assert store.document_frequency("zebra") == 0


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIndex]:
    index_dir = write_articles(tmp_path_factory.mktemp("together"), ROWS)
    build(index_dir, embedder=EMBEDDER)
    with open_index(index_dir) as opened:
        yield opened


def listed(found: Candidates) -> list[tuple[int, float, float]]:
    return [
        (int(number), round(float(cosine), 5), float(bm25))
        for number, cosine, bm25 in zip(*found, strict=True)
    ]


@pytest.mark.parametrize("filter", FILTERS, ids=str)
def test_many_questions_at_once_have_the_candidates_of_each(
    index: OpenIndex, filter: Filter
) -> None:
    questions = [*QUESTIONS, *(f"{place} ferry {n}" for n, place in enumerate(PLACES))]
    vectors = EMBEDDER.embed_queries(questions)
    terms = [ANALYZER.content_terms(question) for question in questions]
    together = index.candidates_of(list(zip(terms, vectors, strict=True)), filter, 7)
    alone = [
        index.candidates(own, vector, filter, 7) for own, vector in zip(terms, vectors, strict=True)
    ]
    assert [listed(found) for found in together] == [listed(found) for found in alone]
    assert index.candidates_of([], filter, 7) == []


@pytest.mark.parametrize("filter", FILTERS, ids=str)
def test_among_some_chunks_only_these_are_proposed(index: OpenIndex, filter: Filter) -> None:
    only = np.arange(3, 200, 5)
    rows = [row if n % 5 == 3 else None for n, row in enumerate(ROWS, start=1)]
    expected = [n for n, row in enumerate(rows, start=1) if row and passes(filter, row)]
    (vector,) = EMBEDDER.embed_queries(["ferry boats"])
    terms = ANALYZER.content_terms("ferry boats")
    (found,) = index.candidates_of([(terms, vector)], filter, 1_000, only)
    assert found.chunk_ids.tolist() == expected
