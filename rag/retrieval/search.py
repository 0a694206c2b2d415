"""Search: candidates from the vectors and the words, a close look at the best, hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.article import Article
from rag.embedding import Embedder, Vectors
from rag.errors import QuestionError
from rag.index.opened import OpenIndex
from rag.readers import normalise
from rag.retrieval.filter import Filter
from rag.retrieval.hit import Hit, Reprint, Retrieved
from rag.retrieval.passages import Passage, passages
from rag.retrieval.reranking import Reranker
from rag.retrieval.scoring import Scored, best_first, first_look, score_chunk
from rag.retrieval.terms import QuestionTerms

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
) -> list[list[Retrieved]]:
    """The k best passages for each question.

    Args:
        index: An open index.
        embedder: The model that made it.
        questions: Any text; syntax characters have no meaning.
        k: Hits wanted, at least 1.
        filter: Which articles may be found; evaluated inside the search.
        reranker: Reads the best chunks again, together with the question.

    Returns:
        For each question its hits, best first; empty when nothing passes the filter.

    Raises:
        QuestionError: an empty question.
    """
    for question in questions:
        check_question(question)
    if not questions:
        return []
    questions = [normalise(question) for question in questions]  # as the articles are
    vectors = embedder.embed_queries(questions)
    return [
        search(index, question, vector, k=k, filter=filter, reranker=reranker)
        for question, vector in zip(questions, vectors, strict=True)
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
    question: str,
    vector: Vectors,
    *,
    k: int,
    filter: Filter | None = None,
    reranker: Reranker | None = None,
) -> list[Retrieved]:
    """Like `retrieve`, for one question whose vector (shape (dimension,)) is known."""
    terms = QuestionTerms(question, index.lexical)
    lexical = _candidates(index, terms, vector, max(N_CANDIDATES, 2 * k), filter or Filter())
    close = dict(list(lexical.items())[: max(N_CLOSE, 2 * k)])
    chunks = index.catalog.chunks(sorted(close))
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
        ranked = _reranked(reranker, question, ranked[: max(N_RERANKED, 2 * k)])
    found = passages(ranked, k)
    return [_retrieved(rank, passage, articles) for rank, passage in enumerate(found, start=1)]


def _candidates(
    index: OpenIndex, terms: QuestionTerms, vector: Vectors, n: int, filter: Filter
) -> dict[int, float]:
    """Candidates, the likeliest first, each with its `lexical` (see `HitScores`)."""
    allowed = None if filter.passes_all else index.chunk_ids_where(**filter.conditions)
    dense = _dense(index, vector, n, allowed)
    where = index.lexical.filter(**filter.conditions)
    found = dict(index.lexical.search(list(terms.weights), n, where=where))
    # What one of the two found is looked up in the other: a part that is missing is not 0.
    missing = [chunk_id for chunk_id in dense if chunk_id not in found]
    only = index.lexical.filter(chunk_ids=missing)
    found |= dict(index.lexical.search(list(terms.weights), len(missing), where=only))
    unseen = np.array(sorted(found.keys() - dense.keys()), dtype=np.int64)
    dense |= _dense(index, vector, len(unseen), unseen)
    most = terms.most_bm25 or 1.0
    lexical = {chunk_id: min(1.0, found.get(chunk_id, 0.0) / most) for chunk_id in dense}
    order = sorted(dense, key=lambda chunk_id: (-first_look(dense[chunk_id], lexical[chunk_id]),
                                                chunk_id))  # fmt: skip
    return {chunk_id: lexical[chunk_id] for chunk_id in order}


def _dense(
    index: OpenIndex, vector: Vectors, n: int, allowed: NDArray[np.int64] | None
) -> dict[int, float]:
    ids, cosines = index.vectors.search(vector[np.newaxis], n, allowed=allowed)
    pairs = zip(ids[0].tolist(), cosines[0].tolist(), strict=True)
    return {chunk_id: cosine for chunk_id, cosine in pairs if chunk_id >= 0}


def _reranked(reranker: Reranker, question: str, ranked: Sequence[Scored]) -> list[Scored]:
    texts = [f"{item.title}\n{item.text}" if item.title else item.text for item in ranked]
    return best_first(
        [
            item.reranked(float(score))
            for item, score in zip(ranked, reranker.scores(question, texts), strict=True)
        ]
    )


def _retrieved(rank: int, passage: Passage, articles: Mapping[int, Article]) -> Retrieved:
    found = passage.joined()
    article = articles[found.chunk.article]
    start, end = found.chunk.sentences[found.best_sentence].tolist()
    hit = Hit(
        rank=rank,
        score=found.score,
        scores=found.scores,
        **_source(article),
        start=found.chunk.start,
        end=found.chunk.end,
        text=article.text[found.chunk.start : found.chunk.end],
        sentence_start=start,
        sentence_end=end,
        reprints=tuple(
            Reprint(
                **_source(articles[twin.chunk.article]), start=twin.chunk.start, end=twin.chunk.end
            )
            for twin in passage.reprints
        ),
    )
    return Retrieved(hit, article, found.chunk, found.sentence_cosines)


def _source(article: Article) -> dict[str, Any]:
    return {
        "article_id": article.article_id,
        "title": article.title,
        "published": article.published,
        "source": article.source,
        "url": article.url,
        "path": article.path,
    }
