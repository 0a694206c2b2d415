"""Told elsewhere: the other articles of a hit's story, which take no rank of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rag.article import Article
from rag.index.columns import Place
from rag.index.filter import Filter
from rag.index.opened import OpenIndex
from rag.index.rows import StoredChunk
from rag.retrieval.hit import AlsoIn, Relation
from rag.retrieval.passages import Passage


def one_of_each(index: OpenIndex, chunks: Mapping[int, StoredChunk]) -> dict[int, StoredChunk]:
    """The chunks, but of several reprints of an article only those of one.

    Needed where the filter leaves out the article itself: then reprints are found, and of those
    the one with most of the chunks is kept.
    """
    repeated = index.catalog.columns.repeated(list(chunks))
    kept: dict[int, int] = {}
    counted = Counter((other, chunks[chunk_id].article) for chunk_id, other in repeated.items())
    for (other, article), _ in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])):
        kept.setdefault(other, article)
    return {
        chunk_id: chunk
        for chunk_id, chunk in chunks.items()
        if chunk_id not in repeated or kept[repeated[chunk_id]] == chunk.article
    }


def told(
    index: OpenIndex, passage: Passage, article: Article, best: tuple[int, int], filter: Filter
) -> dict[str, Any]:
    """The fields of a hit that say where else it is told: `story`, `superseded_by`, `also_in`.

    Args:
        index: Where it was found.
        passage: The passage.
        article: Its article.
        best: Span of the best sentence in the article's text.
        filter: What the search was narrowed to.
    """
    number = passage.best.chunk.article
    story = index.catalog.columns.place(number)
    twins = {twin.chunk.article: twin for twin in passage.reprints}
    others = index.catalog.articles(sorted({*story.members, *twins} - {number}))
    newest = None
    if story.newest != number and index.passing({story.newest}, filter):
        newest = others[story.newest].article_id
    sentence = article.text[best[0] : best[1]]
    also_in = []
    for other, found in others.items():
        start: int | None = found.text.find(sentence)
        end = None if start is None else start + len(sentence)
        if start == -1:
            twin = twins.get(other)
            start, end = (twin.chunk.start, twin.chunk.end) if twin else (None, None)
        relation = _relation(index, number, other, story)
        also_in.append(AlsoIn(**source_of(found), relation=relation, start=start, end=end))
    also_in.sort(key=lambda one: (one.published is None, one.published, one.article_id))
    first = article if story.first == number else others[story.first]
    return {
        "story": first.article_id,
        "superseded_by": newest,
        "also_in": tuple(also_in),
    }


def source_of(article: Article) -> dict[str, Any]:
    """The fields by which hits name an article."""
    return {
        "article_id": article.article_id,
        "title": article.title,
        "published": article.published,
        "source": article.source,
        "url": article.url,
        "path": article.path,
    }


def _relation(index: OpenIndex, own: int, other: int, story: Place) -> Relation:
    if other not in story.members:
        return "same passage"
    newest = index.catalog.columns.newest_of(other)
    if newest == story.newest:  # versions of one article
        return "newer version" if other == newest else "earlier version"
    return "first report" if other in (story.first, story.shown) else "reprint"
