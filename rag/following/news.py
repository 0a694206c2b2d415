"""What is new in an index, and which of it fits a question."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.embedding import Embedder
from rag.following.followed import Followed, News
from rag.index.columns import article_key
from rag.index.opened import OpenIndex
from rag.retrieval import Hit, retrieve

Kind = Literal["new story", "new version"]
_N_HITS = 100  # of a question at first; more where all of them fit


@dataclass(frozen=True, slots=True)
class Fresh:
    """What an index has that was not looked at before.

    Attributes:
        articles: Numbers of the articles whose id is new.
        contents: By number the content hash of these, and of those whose content is new.
        keys: Of all of it, to be recognised the next time: two for each article, one of its id
            and one of its content.
    """

    articles: frozenset[int]
    contents: Mapping[int, str]
    keys: Set[int]


def fresh(index: OpenIndex, seen: NDArray[np.int64]) -> Fresh:
    """What is new.

    Args:
        index: What is looked at.
        seen: Keys of what was looked at before.
    """
    known = set(seen.tolist())
    articles: set[int] = set()
    contents: dict[int, str] = {}
    keys: set[int] = set()
    for number, (article_id, digest) in index.catalog.contents().items():
        own, content = article_key(article_id), article_key(f"{article_id}\0{digest}")
        if own not in known:
            articles.add(number)
            keys.add(own)
        if content not in known:
            contents[number] = digest
            keys.add(content)
    return Fresh(frozenset(articles), contents, keys)


def news_for(
    question: Followed,
    index: OpenIndex,
    embedder: Embedder,
    new: Fresh,
    found: datetime.datetime,
) -> Iterator[News]:
    """The new stories that fit a question, the best first; their numbers are yet to be given.

    Args:
        question: What is followed.
        index: What is looked at.
        embedder: The model that made it.
        new: What is new in it.
        found: The time now.
    """
    numbers = sorted(new.contents if question.versions else new.articles)
    only = index.catalog.chunk_ids_in(numbers)
    told: set[str] = set()
    for hit in _fitting(question, index, embedder, only):
        if hit.story in told or hit.superseded_by:
            continue
        number = index.catalog.number(hit.article_id)
        assert number is not None, "an article that was found is there"
        members = index.catalog.columns.place(number).members
        kind: Kind = "new story" if new.articles.issuperset(members) else "new version"
        if kind == "new version" and not question.versions:
            continue
        told.add(hit.story)
        told_of = "\0".join((index.name, question.name, hit.article_id, new.contents[number]))
        yield _news(question, index, hit, kind, found, uuid.uuid5(uuid.NAMESPACE_OID, told_of))


def _fitting(
    question: Followed, index: OpenIndex, embedder: Embedder, only: NDArray[np.int64]
) -> Sequence[Hit]:
    """All passages of some chunks that score enough."""
    k = _N_HITS
    while len(only):
        (found,) = retrieve(
            index, embedder, [question.question], k=k, filter=question.filter, only=only
        )
        hits = [one.hit for one in found.passages]
        fitting = [hit for hit in hits if hit.score >= question.min_score]
        if len(fitting) < len(hits) or len(hits) < k:
            return fitting
        k *= 4
    return ()


def _news(
    question: Followed,
    index: OpenIndex,
    hit: Hit,
    kind: Kind,
    found: datetime.datetime,
    id: uuid.UUID,
) -> News:
    start, end = hit.sentence_start, hit.sentence_end
    return News(
        number=0,
        id=id.urn,
        followed=question.name,
        question=question.question,
        index=index.name,
        version=index.version,
        found=found,
        kind=kind,
        story=hit.story,
        **{name: getattr(hit, name) for name in _OF_ARTICLE},
        quote=hit.text[start - hit.start : end - hit.start],
        start=start,
        end=end,
        score=round(hit.score, 4),
    )


_OF_ARTICLE = ("article_id", "title", "published", "source", "url", "path")
