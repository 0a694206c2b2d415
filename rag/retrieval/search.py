"""Search: candidates from the vectors and the words, a close look at the best, hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.article import Article
from rag.embedding import Embedder, Vectors
from rag.errors import QuestionError
from rag.index.candidates import Candidates
from rag.index.filter import Filter
from rag.index.opened import OpenIndex
from rag.readers import normalise
from rag.retrieval.hit import Found, Hit, Retrieved
from rag.retrieval.passages import Passage, passages
from rag.retrieval.reranking import Reranker
from rag.retrieval.scoring import Scored, best_first, first_look, score_chunk
from rag.retrieval.terms import QuestionTerms
from rag.retrieval.told import one_of_each, source_of, told

N_CANDIDATES = 100
"""Chunks taken from the vectors, and as many from the words."""
N_CLOSE = 40
"""Of these, so many are looked at closely."""
N_RERANKED = 20
"""Chunks that a cross-encoder reads."""


def retrieve(
    index: OpenIndex,
    embedder: Embedder,
    questions: Sequence[str],
    *,
    k: int,
    filter: Filter | None = None,
    reranker: Reranker | None = None,
    only: NDArray[np.int64] | None = None,
) -> list[Found]:
    """The k best passages for each question, with the question's terms.

    Args:
        index: An open index.
        embedder: The model that made it.
        questions: Any text; syntax characters have no meaning.
        k: Hits wanted, at least 1.
        filter: Which articles may be found; evaluated inside the search.
        reranker: Reads the best chunks again, together with the question.
        only: Ids of the only chunks that may be found, ascending; None lets every one.

    Returns:
        For each question what was found; no passages when nothing passes the filter.

    Raises:
        QuestionError: an empty question.
    """
    for question in questions:
        check_question(question)
    if not questions:
        return []
    questions = [normalise(question) for question in questions]  # as the articles are
    vectors = embedder.embed_queries(questions)
    terms = [QuestionTerms(question, index, index.analyzer) for question in questions]
    pairs = [(list(one.weights), vector) for one, vector in zip(terms, vectors, strict=True)]
    filter = filter or Filter()
    proposed = index.candidates_of(pairs, filter, _n_candidates(k), only)
    options: dict[str, Any] = {"k": k, "filter": filter, "reranker": reranker, "only": only}
    return [
        search(index, *question, **options, proposed=candidates)
        for *question, candidates in zip(terms, vectors, proposed, strict=True)
    ]


def check_question(question: str) -> None:
    """Refuse a question that is empty.

    Raises:
        QuestionError: it is empty or white space.
    """
    if not question.strip():
        raise QuestionError("the question is empty", mend='rag ask "What did … say?"')


def search(
    index: OpenIndex,
    terms: QuestionTerms,
    vector: Vectors,
    *,
    k: int,
    filter: Filter | None = None,
    reranker: Reranker | None = None,
    only: NDArray[np.int64] | None = None,
    proposed: Candidates | None = None,
) -> Found:
    """Like `retrieve`, for a question whose terms and vector (shape (dimension,)) are known.

    Its first candidates may be known, too: `proposed`.
    """
    filter = filter or Filter()
    close = _closest(index, terms, vector, k, filter, only, proposed)
    chunks = one_of_each(index, index.catalog.chunks(sorted(close)))
    articles = index.catalog.articles(sorted({chunk.article for chunk in chunks.values()}))
    ranked = best_first(
        [
            score_chunk(
                chunk,
                articles[chunk.article].text,
                articles[chunk.article].title,
                terms,
                vector,
                close[chunk_id],
            )
            for chunk_id, chunk in chunks.items()
        ]
    )
    if reranker is not None:
        ranked = _reranked(reranker, terms.question.text, ranked[: max(N_RERANKED, 2 * k)])
    best = enumerate(passages(ranked, k), start=1)
    return Found(terms, tuple(_retrieved(index, *one, articles, filter) for one in best))


def whole_article(index: OpenIndex, terms: QuestionTerms, vector: Vectors, article: int) -> Found:
    """Every passage of one article, best first; see `search`.

    Args:
        index: An open index.
        terms, vector: Of what the article is read for.
        article: Its number.
    """
    (told,) = index.catalog.articles([article]).values()
    chunks = index.catalog.chunks(index.catalog.chunk_ids_of(article)).values()
    ranked = [score_chunk(chunk, told.text, told.title, terms, vector, 0.0) for chunk in chunks]
    best = enumerate(passages(best_first(ranked), len(ranked)), start=1)
    found = [_retrieved(index, *one, {article: told}, Filter()) for one in best]
    # Whoever reads an earlier version wants that one.
    read = {"superseded_by": None}
    return Found(
        terms, tuple(replace(item, hit=item.hit.model_copy(update=read)) for item in found)
    )


def _n_candidates(k: int) -> int:
    return max(N_CANDIDATES, 2 * k)


def _closest(
    index: OpenIndex,
    terms: QuestionTerms,
    vector: Vectors,
    k: int,
    filter: Filter,
    only: NDArray[np.int64] | None,
    proposed: Candidates | None,
) -> dict[int, float]:
    """What is looked at closely, as `_likeliest`: a story that is reprinted everywhere once.

    What repeats an article that is shown instead is passed over, and more is taken in its place.
    """
    n, n_close = _n_candidates(k), max(N_CLOSE, 2 * k)
    while True:
        if proposed is None:
            pair = list(terms.weights), vector
            (proposed,) = index.candidates_of([pair], filter, n, only)
        found = _likeliest(terms, proposed)
        repeated = index.catalog.columns.repeated(list(found))
        shown = index.passing(set(repeated.values()), filter)
        left = [item for item in found.items() if repeated.get(item[0]) not in shown]
        if len(left) >= n_close or len(found) < n:  # then there are no more
            return dict(left[:n_close])
        n, proposed = 4 * n, None


def _likeliest(terms: QuestionTerms, found: Candidates) -> dict[int, float]:
    """Candidates, the likeliest first, each with its `lexical` (see `HitScores`)."""
    most = terms.most_bm25 or 1.0
    rated = [
        (-first_look(cosine, share), chunk_id, share)
        for chunk_id, cosine, bm25 in zip(*(part.tolist() for part in found), strict=True)
        for share in (min(1.0, bm25 / most),)
    ]
    return {chunk_id: share for _, chunk_id, share in sorted(rated)}


def _reranked(reranker: Reranker, question: str, ranked: Sequence[Scored]) -> list[Scored]:
    texts = [f"{item.title}\n{item.text}" if item.title else item.text for item in ranked]
    return best_first(
        [
            item.reranked(float(score))
            for item, score in zip(ranked, reranker.scores(question, texts), strict=True)
        ]
    )


def _retrieved(
    index: OpenIndex,
    rank: int,
    passage: Passage,
    articles: Mapping[int, Article],
    filter: Filter,
) -> Retrieved:
    found = passage.joined()
    article = articles[found.chunk.article]
    start, end = found.chunk.sentences[found.best_sentence].tolist()
    hit = Hit(
        rank=rank,
        score=found.score,
        scores=found.scores,
        **source_of(article),
        page=article.page_at(start),
        start=found.chunk.start,
        end=found.chunk.end,
        text=article.text[found.chunk.start : found.chunk.end],
        sentence_start=start,
        sentence_end=end,
        **told(index, passage, article, (start, end), filter),
    )
    spans = index.catalog.columns.boilerplate_of(found.chunk.article)
    return Retrieved(
        hit,
        article,
        found.chunk,
        found.sentence_cosines,
        found.sentence_words,
        boilerplate=frozenset(start for start, _ in spans),
    )
