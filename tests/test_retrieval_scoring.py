"""Scores: words, phrases and the whole, against plain computations of the same."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.opened import OpenIndex
from rag.retrieval import Filter, HitScores, combine, retrieve
from rag.retrieval.scoring import score_chunk
from rag.retrieval.search import N_CLOSE
from rag.retrieval.terms import MAX_TERMS, QuestionTerms
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, open_index, write_articles

EMBEDDER = FakeEmbedder()
PLACES = ("Osterby", "Lindal", "Varde", "Holm", "Sund")
THINGS = ("bridge", "ferry", "museum", "school", "harbour", "library", "market")


def many_articles(n: int) -> list[dict[str, Any]]:
    rows = []
    for number in range(n):
        place, thing = PLACES[number % 5], THINGS[number % 7]
        rows.append(
            {
                "id": f"a{number}",
                "title": f"{place} {thing} number {number}",
                "text": f"The {thing} in {place} has {number} visitors. It cost {number * 7}.",
                "published": f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}",
                "source": "Rare Gazette" if number % 1000 == 999 else "Daily Post",
                "desk": "far" if number % 30 == 0 else "near",
            }
        )
    return rows


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIndex]:
    index_dir = write_articles(tmp_path_factory.mktemp("small"), ARTICLES)
    build(index_dir)
    with open_index(index_dir) as opened:
        yield opened


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIndex]:
    index_dir = write_articles(tmp_path_factory.mktemp("large"), many_articles(3000))
    build(index_dir)
    with open_index(index_dir) as opened:
        yield opened


# Words


def test_weights_are_the_idf_of_bm25(small: OpenIndex) -> None:
    terms = QuestionTerms("What does the bridge in Osterby cost?", small, small.analyzer)
    frequencies = {"bridg": 1, "osterbi": 2, "cost": 1}
    assert terms.weights == pytest.approx(
        {term: math.log(1 + (3 - df + 0.5) / (df + 0.5)) for term, df in frequencies.items()}
    )


def test_words_held_by_each_sentence_and_by_all(small: OpenIndex) -> None:
    terms = QuestionTerms("Osterby bridge cost", small, small.analyzer)
    weight, total = terms.weights, sum(terms.weights.values())
    held = terms.look_in("A bridge", ["Costs rise.", "Osterby waits.", ""])
    assert held.by_sentence == pytest.approx(
        [
            (weight["bridg"] + weight["cost"]) / total,
            (weight["bridg"] + weight["osterbi"]) / total,
            weight["bridg"] / total,
        ]
    )
    assert held.together == pytest.approx(1.0)


def test_phrases_are_pairs_of_neighbours(small: OpenIndex) -> None:
    terms = QuestionTerms("harbour bridge repairs", small, small.analyzer)
    w = terms.weights
    one, other = w["harbour"] + w["bridg"], w["bridg"] + w["repair"]

    def phrases(*sentences: str) -> float:
        return terms.look_in("", sentences).phrases

    assert phrases("the harbour bridge") == pytest.approx(one / (one + other))
    assert phrases("repairs of the bridge in the harbour") == 0.0
    assert phrases("Harbour bridge repairs!") == pytest.approx(1.0)
    assert phrases("bridge of the repairs") == pytest.approx(other / (one + other))  # stop words


@pytest.mark.parametrize("question", ["the of and", "?!", "🚢", ""])
def test_questions_without_content_words(small: OpenIndex, question: str) -> None:
    held = QuestionTerms(question, small, small.analyzer).look_in(
        "Of the", ["The end and the start."]
    )
    assert 0.0 <= held.together <= 1.0
    assert held.phrases == 0.0


def test_the_rarest_words_of_a_long_question_count(small: OpenIndex) -> None:
    question = " ".join([*(f"word{number}" for number in range(200)), "osterby"])
    terms = QuestionTerms(question, small, small.analyzer)
    assert len(terms.weights) == MAX_TERMS
    assert "osterbi" not in terms.weights  # the others stand nowhere, which is rarer


@given(st.text(), st.lists(st.text(), max_size=3), st.text())
def test_shares_are_shares(question: str, sentences: list[str], title: str) -> None:
    class Words:
        n_chunks = 10

        def terms(self, text: str) -> list[str]:
            return re.findall(r"\w+", text.lower())

        content_terms = terms

        def document_frequency(self, term: str) -> int:
            return len(term) % 10

    held = QuestionTerms(question, Words(), Words()).look_in(title, sentences)  # type: ignore[arg-type]
    assert all(0.0 <= share <= 1.0 for share in [*held.by_sentence, held.together, held.phrases])


# The whole


def test_combine_is_a_weighted_mean() -> None:
    ones = HitScores(
        dense=1.0, sentence=1.0, lexical=1.0, sentence_words=1.0, words=1.0, phrases=1.0
    )
    assert combine(ones) == pytest.approx(1.0)
    low = HitScores(dense=-1.0, sentence=-1.0, lexical=0.0)
    assert combine(low) == 0.0
    for name in ("dense", "sentence", "sentence_words", "words", "phrases"):
        assert combine(ones.model_copy(update={name: 0.5})) < combine(ones)


def test_ranking_equals_brute_force(large: OpenIndex) -> None:
    """Every chunk scored from its text by plain means; few enough pass that all are looked at."""
    filter = Filter.make(where={"desk": "far"}, since="2024-01-01", until="2024-01-20")
    question = "How many visitors has the harbour museum in Lindal?"
    vector = EMBEDDER.embed_queries([question])[0]
    terms = QuestionTerms(question, large, large.analyzer)
    expected = []
    for row in many_articles(3000):
        if row["desk"] != "far" or not "2024-01-01" <= row["published"] <= "2024-01-20":
            continue
        sentences = re.findall(r"[^.]+\.", row["text"])
        embedded = EMBEDDER.embed_documents([sentence.strip() for sentence in sentences])
        chunk = EMBEDDER.embed_documents([f"{row['title']}. {row['published']}\n{row['text']}"])[0]
        words = [set(large.analyzer.terms(f"{row['title']} {text}")) for text in sentences]
        total = sum(terms.weights.values())
        shares = [sum(w for t, w in terms.weights.items() if t in held) / total for held in words]
        both = sum(w for t, w in terms.weights.items() if t in words[0] | words[1]) / total
        sequence = large.analyzer.content_terms(row["text"])
        asked = list(pairwise(large.analyzer.content_terms(question)))
        weight = {pair: terms.weights[pair[0]] + terms.weights[pair[1]] for pair in asked}
        found = sum(w for pair, w in weight.items() if pair in set(pairwise(sequence)))
        best = max(
            2 / 3 * float(row_vector @ vector) + 1 / 3 * share
            for row_vector, share in zip(embedded, shares, strict=True)
        )
        score = 0.19 * float(chunk @ vector) + 0.46 * best + 0.23 * both
        expected.append((score + 0.12 * found / sum(weight.values()), row["id"]))
    assert 10 < len(expected) <= N_CLOSE
    expected.sort(key=lambda pair: -pair[0])
    found_hits = [
        item.hit for item in retrieve(large, EMBEDDER, [question], k=5, filter=filter)[0].passages
    ]
    np.testing.assert_allclose(
        [hit.score for hit in found_hits], [score for score, _ in expected[:5]], atol=2e-3
    )  # vectors are stored in 16 bits
    scores = {article_id: score for score, article_id in expected}
    assert [scores[hit.article_id] for hit in found_hits] == pytest.approx(
        [score for score, _ in expected[:5]], abs=2e-3
    )


def test_a_filter_that_leaves_a_thousandth(large: OpenIndex) -> None:
    found = retrieve(
        large, EMBEDDER, ["the school"], k=5, filter=Filter.make(source="Rare Gazette")
    )[0].passages
    assert {item.hit.article_id for item in found} == {"a999", "a1999", "a2999"}


def test_scores_do_not_depend_on_what_else_is_found(large: OpenIndex) -> None:
    question = "How many visitors has the library in Sund?"
    alone = retrieve(large, EMBEDDER, [question], k=3, filter=Filter.make(where={"desk": "far"}))[
        0
    ].passages
    among = retrieve(large, EMBEDDER, [question], k=1000)[0].passages
    scores = {item.hit.article_id: item.hit.score for item in among}
    for item in alone:
        if item.hit.article_id in scores:
            assert scores[item.hit.article_id] == pytest.approx(item.hit.score)


def test_fewer_hits_are_the_first_of_more(large: OpenIndex) -> None:
    question = "the market of Varde cost 77"
    by_k = {k: [item.hit for item in retrieve(large, EMBEDDER, [question], k=k)[0].passages]
            for k in (1, 3, 10)}  # fmt: skip
    assert by_k[1] == by_k[10][:1]
    assert by_k[3] == by_k[10][:3]


def test_best_sentence_holds_the_words_and_the_meaning(small: OpenIndex) -> None:
    question = "What would the work cost?"
    vector = EMBEDDER.embed_queries([question])[0]
    terms = QuestionTerms(question, small, small.analyzer)
    chunk = next(iter(small.catalog.chunks([small.vectors.ids.tolist()[0]]).values()))
    article = small.catalog.articles([chunk.article])[chunk.article]
    scored = score_chunk(chunk, article.text, article.title, terms, vector, 0.5)
    start, end = chunk.sentences[scored.best_sentence].tolist()
    assert article.text[start:end].endswith("cost 4.2 million crowns.")
    assert scored.scores.lexical == 0.5
