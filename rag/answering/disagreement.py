"""Sources that disagree: different figures, days or claims for the same thing.

Only what the answer itself states is compared, sentence by sentence, with what other articles say:
a figure with figures that count the same, where one is asked for or where it counts people who were
killed, hurt or arrested; a day, where one is asked for, with the day of a sentence that
says nearly the same; a statement with its denial. Two sentences on one subject mostly tell other
things of it, so the rules rather miss than invent; see docs/decisions.md.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from rag.answering.attribution import Attribution
from rag.answering.evidence import Evidence, same_statement
from rag.answering.figures import YEAR, claimed, counts_people, other_value, phrase, shared
from rag.answering.premise_words import premise_words
from rag.text.analysed import Analysed
from rag.text.names import names, plain, squeeze, words

Kind = Literal["figure", "day", "statement"]

MIN_COSINE = {"figure": 0.5, "day": 0.7, "statement": 0.8}
"""Cosine of two sentences below which they do not treat the same thing."""
MIN_COVERAGE_SHARE = 0.5
"""Share of the question's words, of that of the cited sentence, which the other must hold."""
FAR_DAYS = 90
FAR_COSINE = 0.75
"""Articles published that many days apart must be that much alike."""
_SAME_STORY_DAYS = 30
_LEAD_CHARACTERS = 800
_MIN_SHARED = 0.75
"""Share of a statement's words that its denial must have."""
_MIN_DENIED = 4
"""Words that a denial must have to deny something."""
_MIN_SAME_EVENT = 0.5
"""Share of a sentence's words that another must have to give another day for the same thing."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a source says on the point of a disagreement.

    Attributes:
        source: The source sentence.
        text: The words on the point, verbatim.
        day: The day that they mean.
        value: Of the figure.
    """

    source: Evidence
    text: str
    day: datetime.date | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two or more sources that differ on one point.

    Attributes:
        kind: What they differ in.
        statements: What each says, the newest first.
        is_toll: Whether they count the dead, the hurt, the arrested or the like.
    """

    kind: Kind
    statements: tuple[Statement, ...]
    is_toll: bool = False

    @property
    def rises(self) -> bool:
        """Whether it is a toll that rises from day to day: the newest is right, and none differ."""
        newest, *earlier = self.statements
        return (
            self.is_toll
            and bool(earlier)
            and all(
                _published(one) < _published(newest) and (one.value or 0) < (newest.value or 0)
                for one in earlier
            )
        )


def find_conflicts(
    question: Analysed,
    kept: Sequence[tuple[str, Attribution]],
    evidence: Sequence[Evidence],
) -> list[Conflict]:
    """Where other sources contradict the sentences of an answer.

    Args:
        question: A source that lacks a name of it treats something else.
        kept: Sentences of the answer with what supports them.
        evidence: Every sentence of the hits, best first.
    """
    found: list[Conflict] = []
    asked = question.names
    used: set[frozenset[tuple[str, int]]] = set()
    for text, attribution in kept:
        sentence = Analysed(text, question.analyzer)
        stories = {s.story for s in (*attribution.sources, *attribution.further)}
        for source in attribution.sources:
            others = [
                other
                for other in evidence
                if other.story not in stories and _comparable(source, other, asked)
            ]
            for kind, ours, theirs, is_toll in _differences(question, sentence, source, others):
                conflict = Conflict(kind, _newest_first([ours, *theirs]), is_toll)
                key = frozenset(
                    (said.source.article.article_id, said.source.start)
                    for said in conflict.statements
                )
                if key not in used:
                    used.add(key)
                    found.append(conflict)
    return found


def _differences(
    question: Analysed, sentence: Analysed, source: Evidence, others: Sequence[Evidence]
) -> Iterator[tuple[Kind, Statement, list[Statement], bool]]:
    for number in claimed(sentence, source):
        theirs = [
            Statement(other, phrase(other.read, differing), value=differing.value)
            for other in _one_per_article(others)
            if (differing := other_value(question, source, number, other)) is not None
        ]
        if theirs:
            ours = Statement(source, phrase(source.read, number), value=number.value)
            yield "figure", ours, theirs, counts_people(source.read, number)
    day = (
        _day(source)
        if question.language.pattern("disagreement.asks_day").search(question.text)
        else None
    )
    if day and squeeze(day[0]).lower() in squeeze(sentence.text).lower():
        said = [
            Statement(other, *theirs_day)
            for other in _one_per_article(others)
            if _cosine(source, other) >= MIN_COSINE["day"]
            and shared(source.read, other.read) >= _MIN_SAME_EVENT
            and (theirs_day := _day(other)) is not None
            and theirs_day[1] != day[1]
        ]
        if said:
            yield "day", Statement(source, *day), said, False
    denials = [
        Statement(other, " ".join(other.text.split()))
        for other in _one_per_article(others)
        if _cosine(source, other) >= MIN_COSINE["statement"] and _denies(source, other)
    ]
    if denials:
        yield "statement", Statement(source, " ".join(source.text.split())), denials, False


def _comparable(source: Evidence, other: Evidence, asked: Set[str]) -> bool:
    """Whether two sentences of different articles may treat the same thing."""
    if other.coverage < MIN_COVERAGE_SHARE * source.coverage or same_statement(source, other):
        return False
    least = MIN_COSINE["figure"]
    one, two = source.article.published, other.article.published
    if one and two and abs((one - two).days) > FAR_DAYS:
        least = FAR_COSINE
    if _cosine(source, other) < least:
        return False
    ours, theirs = (_named(item) | asked & _words(item) for item in (source, other))
    if ours and theirs and not ours & theirs:
        return False
    if not asked & _words(source) <= _words(other) | _words_before(source, other):
        return False
    # "Travis County: 7 deaths" counts those of a part, though its title has the names asked for.
    if not asked & other.read.words and other.read.names - _words(source) - _calendar(other):
        return False
    here, there = _places(source), _places(other)
    if here and there and not here & there:  # so many in Haiti, so many in Jamaica
        return False
    years, other_years = _years(source), _years(other)
    return not (years and other_years) or bool(years & other_years)


def _years(item: Evidence) -> set[str]:
    """The years that a sentence names; the one of its article where it names none."""
    published = item.article.published
    return set(YEAR.findall(item.text)) or ({str(published.year)} if published else set())


def _places(item: Evidence) -> set[str]:
    """The places that a sentence names: what has a capital soon behind "in"."""
    where = item.analyzer.language.pattern("disagreement.where")
    return {plain(match.group("place")) for match in where.finditer(item.text)}


def _named(item: Evidence) -> Set[str]:
    """The names in a sentence and its title; days are none, and a first word may be any."""
    return (names(item.article.title) | item.read.names) - _calendar(item)


def _calendar(item: Evidence) -> frozenset[str]:
    """Words with a capital that name nothing: days, months, titles."""
    return premise_words(item.analyzer.language).free


def _words(item: Evidence) -> Set[str]:
    return words(item.article.title) | item.read.words


def _words_before(source: Evidence, other: Evidence) -> Set[str]:
    """The words before a sentence and those of its lead, where "the storm" has its name.

    Only of an article of the same days.
    """
    one, two = source.article.published, other.article.published
    if not one or not two or abs((one - two).days) > _SAME_STORY_DAYS:
        return frozenset()
    return other.before.words | words(other.article.text[:_LEAD_CHARACTERS])


def _cosine(one: Evidence, other: Evidence) -> float:
    return float(one.vector @ other.vector)


def _day(item: Evidence) -> tuple[str, datetime.date] | None:
    """The day that a sentence names, if it names exactly one."""
    exact = [phrase for phrase in item.days if phrase.first == phrase.last]
    return (exact[0].text, exact[0].first) if len(exact) == 1 else None


def _denies(source: Evidence, other: Evidence) -> bool:
    """Whether one of two sentences says no to what the other states."""
    if source.read.is_negated == other.read.is_negated:
        return False
    no, yes = (source, other) if source.read.is_negated else (other, source)
    return any(
        clause.is_negated
        and len(clause.content_terms) >= _MIN_DENIED
        and shared(clause, yes.read) >= _MIN_SHARED
        for clause in no.read.clauses
    )


def _one_per_article(others: Sequence[Evidence]) -> Iterator[Evidence]:
    """Every sentence, but of those that say the same only the first: a reprint is no source."""
    kept: list[Evidence] = []
    for other in others:
        if not any(same_statement(other, before) for before in kept):
            kept.append(other)
            yield other


def _newest_first(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """One statement of each story; undated ones last."""
    by_story: dict[str, Statement] = {}
    for statement in statements:
        by_story.setdefault(statement.source.story, statement)
    return tuple(sorted(by_story.values(), key=_published, reverse=True))


def _published(statement: Statement) -> datetime.date:
    return statement.source.article.published or datetime.date.min
