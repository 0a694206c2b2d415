"""What is kept of a question, and what is told about a new story."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.errors import QuestionError
from rag.retrieval import Filter

MIN_SCORE = 0.45
"""Of 42 broad questions over 2,479 news articles it finds 85 % of the articles that matter, and
half of what it finds matters; .5 finds 71 %, and 62 % of that matters (docs/decisions.md)."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_NO_WORD = re.compile(r"[^a-z0-9]+")

Name = Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]


class Followed(BaseModel):
    """A question that is followed.

    Attributes:
        name: What it is called within its index: small letters, digits and `-`.
        question: A question or words, searched as they are.
        filter: Which articles may be news.
        min_score: Least score of a passage that is news, [0, 1]; see `rag.Hit`.
        versions: Whether a changed article, or a new version of a story, is news too.
        kept: When it was stored. What the index held then is no news.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    question: str
    filter: Filter = Filter()
    min_score: Annotated[float, Field(ge=0, le=1)] = MIN_SCORE
    versions: bool = False
    kept: datetime.datetime


class News(BaseModel):
    """A new story that fits a question.

    Attributes:
        number: Of this piece of news; later ones of the index have higher ones.
        id: The same whenever it is told, `urn:uuid:…`.
        followed: Name of the question.
        question: As it was asked.
        index, version: Where it was found.
        found: When.
        kind: `new story`; or `new version` of one that was known.
        story: `article_id` of the first report of its story.
        article_id, title, published, source, url, path: Of the article that fits best.
        quote: The sentence of it that fits best: article.text[start:end].
        start, end: Its span.
        score: Of the passage; higher is better, in [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    id: str
    followed: str
    question: str
    index: str
    version: int
    found: datetime.datetime
    kind: Literal["new story", "new version"]
    story: str
    article_id: str
    title: str
    published: datetime.date | None
    source: str | None
    url: str | None
    path: str | None
    quote: str
    start: int
    end: int
    score: float


def name_of(question: str) -> str:
    """A name made of the words of a question."""
    words = _NO_WORD.sub("-", question.lower()).strip("-")
    return words[:40].rstrip("-") or "question"


def with_free_name(question: Followed, others: Sequence[Followed]) -> Followed:
    """The question, its name numbered if another one has it; not if it is the same once more."""
    names = {other.name for other in others}
    asked = [(other.question, other.filter) for other in others]
    if question.name not in names or (question.question, question.filter) in asked:
        return question
    numbered = (f"{question.name}-{n}" for n in itertools.count(2))
    free = next(name for name in numbered if name not in names)
    return question.model_copy(update={"name": free})


def check_name(name: str) -> str:
    """The name, unless it is none.

    Raises:
        QuestionError: it is none.
    """
    if not _NAME.fullmatch(name):
        raise QuestionError(
            f"{name!r} is not a name of a question (small letters, digits, '-'; up to 60)",
            mend="give it one with --name",
        )
    return name
