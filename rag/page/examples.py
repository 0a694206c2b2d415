"""Questions to begin with, as a person would ask them: who, when, what did X say about Y.

Each is made from a sentence of an article by patterns of its language, and kept only if a search
for it finds that article. Other languages than those with patterns have none.
"""

from __future__ import annotations

import datetime
import heapq
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from rag import Article, Rag
from rag.page.overview import Row

_MOST = 3
_MOST_ARTICLES = 200
_MOST_TRIES = 12
_MAX_TEXT = 6_000
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w-]*[a-z](?: [A-Z][\w-]*[a-z])*\b")


def questions(rag: Rag, rows: Iterable[Row], n_articles: int = _MOST_ARTICLES) -> list[str]:
    """At most three questions, of different kinds, about articles that a search finds for them.

    Args:
        rag: Whose articles.
        rows: All of them.
        n_articles: How many of the newest are looked at.
    """
    last = heapq.nlargest(n_articles, rows, _newness)
    newest = [one for row in last if (one := rag.article(row.article_id)) is not None]
    found: list[str] = []
    used: set[str] = set()
    asked: set[str] = set()  # names that a question has already
    for make in (_who, _when, _said, _about):
        made = (
            (text, one) for one in newest if one.article_id not in used for text in make(one, rag)
        )
        for question, article in itertools.islice(made, _MOST_TRIES):
            names = set(_NAME.findall(question))
            if names.isdisjoint(asked) and any(
                hit.article_id == article.article_id for hit in rag.search(question, k=2)
            ):
                found.append(question)
                used.add(article.article_id)
                asked |= names
                break
    return found[:_MOST]


def _newness(row: Row) -> tuple[datetime.date, str]:
    return row.published or datetime.date.min, row.article_id


def _who(article: Article, rag: Rag) -> Iterator[str]:
    """Who somebody is, of whom the article says it."""
    for match in rag.index.language.pattern("examples.introduced").finditer(_begin(article)):
        if _is_person(match["person"], article, rag):
            yield rag.index.language.table("examples.questions")["who"].format(**match.groupdict())


def _when(article: Article, rag: Rag) -> Iterator[str]:
    """When something was done, of which a sentence tells the day."""
    for match in rag.index.language.pattern("examples.dated").finditer(_begin(article)):
        parts = match.groupdict()
        if not any(mark in parts["what"] + parts["subject"] for mark in '“”"(),'):
            parts["subject"] = re.sub(r"^(The|A|An)\b", lambda m: m[0].lower(), parts["subject"])
            yield rag.index.language.table("examples.questions")["when"].format(**parts)


def _said(article: Article, rag: Rag) -> Iterator[str]:
    """What somebody said about what the article is about."""
    for match in rag.index.language.pattern("examples.said").finditer(_begin(article)):
        person = match["person"] or match["person2"]
        subject = _subject(article, person, rag)
        if subject and _is_person(person, article, rag):
            words = rag.index.language.table("examples.questions")["said"]
            yield words.format(person=person, subject=subject)


def _about(article: Article, rag: Rag) -> Iterator[str]:
    """What is said about something: where the articles give no more to ask."""
    words = rag.index.language.table("examples.questions").get("about")
    if words and (subject := _subject(article, "", rag)):
        yield words.format(subject=subject)


def _begin(article: Article) -> str:
    return article.text[:_MAX_TEXT]


def _is_person(name: str, article: Article, rag: Rag) -> bool:
    """Whether an article speaks of a name as of a person: by the last word of it, and who acts."""
    if rag.index.language.pattern("examples.no_person").search(name):
        return False
    acts = rag.index.language.pattern("examples.acts").finditer(article.text)
    return name.split()[-1] in {match["before"] or match["after"] for match in acts}


def _subject(article: Article, person: str, rag: Rag) -> str | None:
    """The name that the article has most often, if it has it twice or in its title."""
    names = Counter(
        name
        for name in _NAME.findall(_begin(article))
        if not set(name.split()) & set(person.split())
        and not rag.index.language.pattern("examples.no_subject").search(name)
    )
    for name, count in names.most_common(3):
        if count > 1 or name in article.title:
            return str(name)
    return None
