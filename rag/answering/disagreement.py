"""Sources that disagree: different figures, days or claims for the same thing.

Only what the answer itself states is compared, sentence by sentence, with what other articles say:
a figure of the answer with figures of the same unit, its day with the day of a sentence that says
nearly the same, a statement with its denial. Rules for English; what they miss stands in
docs/decisions.md.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.answering.attribution import Attribution
from rag.answering.evidence import Evidence, same_statement
from rag.text.days import resolve
from rag.text.names import clauses, names, negated, plain, squeeze, words
from rag.text.numbers import Number, find_numbers

Kind = Literal["figure", "day", "statement"]
Terms = Callable[[str], list[str]]

MIN_COSINE = {"figure": 0.5, "day": 0.6, "statement": 0.7}
"""Cosine of two sentences below which they do not treat the same thing."""
MIN_COVERAGE_SHARE = 0.6
"""Share of the question's words, of that of the cited sentence, which the other must hold."""
FAR_DAYS = 90
FAR_COSINE = 0.75
"""Articles published that many days apart must be that much alike."""
SAME_VALUE = 0.01
ROUNDED = 0.1
"""Relative difference up to which two figures are the same; if one of them is rounded."""
_MIN_SHARED = 0.6

_ABOUT = re.compile(
    r"(?:about|around|some|roughly|nearly|almost|approximately|close to|more than|over|up to)\s*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:at least|at most|about|around|some|roughly|nearly|almost|approximately|close to"
    r"|more than|fewer than|less than|over|under|up to|only)\s+[$£€¥]?$|[$£€¥]$",
    re.IGNORECASE,
)
_NEXT_WORDS = re.compile(r"(?:[\s-]+[^\W\d_][\w’'-]*){1,3}")
_WORDS_BEFORE = 16
_SMALL_WORDS = re.compile(
    r"(?:\s+(?:the|an?|of|in|on|at|to|by|for|from|with|through|into|over|and|or|as|was|were|is|are"
    r"|had|have|has|who|that|when|their|its|his|her))+$"
)
_CURRENCY = re.compile(r"[$£€¥]|\b(?:dollars?|pounds?|euros?|yen|crowns?|rupees?|francs?)\b", re.I)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
# Words that mean the same beside a figure.
_SAME = [
    frozenset(group.split())
    for group in (
        "dead killed died deaths death fatalities victims lives kill toll",
        "injured wounded hurt injuries casualties",
        "attended attendance crowd turnout spectators fans attending watched gathered marched"
        " protesters demonstrators joined marchers",
        "arrested arrests detained",
        "missing unaccounted",
        "displaced fled homeless evacuated",
    )
]
_GROUP = {word: f"group {number}" for number, group in enumerate(_SAME) for word in group}


@dataclass(frozen=True, slots=True)
class Statement:
    """What a source says on the point of a disagreement.

    Attributes:
        source: The source sentence.
        text: The words on the point, verbatim.
        day: The day that they mean.
    """

    source: Evidence
    text: str
    day: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two or more sources that differ on one point.

    Attributes:
        kind: What they differ in.
        statements: What each says, the newest first.
    """

    kind: Kind
    statements: tuple[Statement, ...]


def find_conflicts(
    question: str,
    kept: Sequence[tuple[str, Attribution]],
    evidence: Sequence[Evidence],
    content_terms: Terms,
) -> list[Conflict]:
    """Where other sources contradict the sentences of an answer.

    Args:
        question: A source that lacks a name of it treats something else.
        kept: Sentences of the answer with what supports them.
        evidence: Every sentence of the hits, best first.
        content_terms: Stemmed words of a text without stop words.
    """
    found: list[Conflict] = []
    asked = names(question)
    used: set[frozenset[tuple[str, int]]] = set()
    for sentence, attribution in kept:
        articles = {s.article.article_id for s in (*attribution.sources, *attribution.further)}
        for source in attribution.sources:
            others = [
                other
                for other in evidence
                if other.article.article_id not in articles and _comparable(source, other, asked)
            ]
            for kind, ours, theirs in _differences(sentence, source, others, content_terms):
                conflict = Conflict(kind, _newest_first([ours, *theirs]))
                key = frozenset(
                    (said.source.article.article_id, said.source.start)
                    for said in conflict.statements
                )
                if key not in used:
                    used.add(key)
                    found.append(conflict)
    return found


def _differences(
    sentence: str, source: Evidence, others: Sequence[Evidence], content_terms: Terms
) -> Iterator[tuple[Kind, Statement, list[Statement]]]:
    for number in _claimed(sentence, source):
        theirs = [
            Statement(other, _phrase(other.text, differing))
            for other in _one_per_article(others)
            if (differing := _other_value(source, number, other, content_terms)) is not None
        ]
        if theirs:
            yield "figure", Statement(source, _phrase(source.text, number)), theirs
    day = _day(source)
    if day and squeeze(day[0]).lower() in squeeze(sentence).lower():
        said = [
            Statement(other, *theirs_day)
            for other in _one_per_article(others)
            if _cosine(source, other) >= MIN_COSINE["day"]
            and (theirs_day := _day(other)) is not None
            and theirs_day[1] != day[1]
        ]
        if said:
            yield "day", Statement(source, *day), said
    denials = [
        Statement(other, " ".join(other.text.split()))
        for other in _one_per_article(others)
        if _cosine(source, other) >= MIN_COSINE["statement"]
        and _denies(source, other, content_terms)
    ]
    if denials:
        yield "statement", Statement(source, " ".join(source.text.split())), denials


def _comparable(source: Evidence, other: Evidence, asked: set[str]) -> bool:
    """Whether two sentences of different articles may treat the same thing."""
    if other.coverage < MIN_COVERAGE_SHARE * source.coverage or same_statement(source, other):
        return False
    least = MIN_COSINE["figure"]
    one, two = source.article.published, other.article.published
    if one and two and abs((one - two).days) > FAR_DAYS:
        least = FAR_COSINE
    if _cosine(source, other) < least:
        return False
    ours, theirs = _named(source), _named(other)
    if (ours and theirs and not ours & theirs) or not (asked & _words(source) <= _words(other)):
        return False
    years, other_years = (set(_YEAR.findall(item.text)) for item in (source, other))
    return not (years and other_years) or bool(years & other_years)


def _named(item: Evidence) -> set[str]:
    return names(item.article.title) | names(item.text)


def _words(item: Evidence) -> set[str]:
    return words(f"{item.article.title} {item.text}")


def _cosine(one: Evidence, other: Evidence) -> float:
    return float(one.vector @ other.vector)


def _claimed(sentence: str, source: Evidence) -> Iterator[Number]:
    """The figures of a source sentence that the answer repeats; years and days are none."""
    stated = {number.key for number in find_numbers(sentence)}
    for number in find_numbers(source.text):
        if number.key in stated and not _is_date(source.text, number):
            yield number


def _is_date(text: str, number: Number) -> bool:
    written = text[number.start : number.end]
    if _YEAR.fullmatch(written):
        return True
    beside = text[max(0, number.start - 12) : number.end + 12].lower()
    return number.value <= 31 and bool(
        re.search(r"\b(?:january|february|march|april|may|june|july|august|september|october"
                  r"|november|december)\b", beside)
    )  # fmt: skip


def _other_value(
    source: Evidence, number: Number, other: Evidence, content_terms: Terms
) -> Number | None:
    """The figure that another sentence gives for the same thing, if it is another one."""
    unit = _unit(source.text, number, content_terms)
    same_unit = [
        candidate
        for candidate in find_numbers(other.text)
        if not _is_date(other.text, candidate)
        and candidate.percent == number.percent
        and unit & _unit(other.text, candidate, content_terms)
    ]
    if not same_unit or any(
        _same_value(source.text, number, other.text, candidate) for candidate in same_unit
    ):
        return None
    return max(same_unit, key=lambda c: len(unit & _unit(other.text, c, content_terms)))


def _same_value(text: str, number: Number, other_text: str, other: Number) -> bool:
    rounded = _ABOUT.search(text[: number.start]) or _ABOUT.search(other_text[: other.start])
    most = max(abs(number.value), abs(other.value))
    return abs(number.value - other.value) <= (ROUNDED if rounded else SAME_VALUE) * most


def _unit(text: str, number: Number, content_terms: Terms) -> set[str]:
    """What a figure counts: the words after it, verbs of harm beside it, a currency, percent."""
    after = _NEXT_WORDS.match(text[number.end :])
    # "The death toll … has risen to 18.": with nothing after it, what counts stands before.
    before = text[max(0, number.start - 25) if after else 0 : number.start]
    beside = f"{before} {after.group() if after else ''}"
    unit = {_GROUP.get(plain(word), "") for word in beside.split()}
    unit |= set(content_terms(after.group())) if after else set()
    near = text[max(0, number.start - 2) : number.end + 12]
    unit |= {"money"} if _CURRENCY.search(near) else set()
    unit |= {"percent"} if number.percent else set()
    return unit - {""}


def _phrase(text: str, number: Number) -> str:
    """A figure with the words around it that say what it counts, verbatim."""
    after = _NEXT_WORDS.match(text[number.end :])
    if after is None:  # "The death toll … has risen to 18"
        return " ".join(text[: number.end].split()[-_WORDS_BEFORE:])
    lead = _LEAD.search(text[: number.start])
    start = lead.start() if lead else number.start
    phrase = " ".join(text[start : number.end + after.end()].split())
    return _SMALL_WORDS.sub("", phrase)


def _day(item: Evidence) -> tuple[str, datetime.date] | None:
    """The day that a sentence names, if it names exactly one."""
    if item.article.published is None:
        return None
    found = resolve(item.article.text, item.start, item.end, item.article.published)
    exact = [phrase for phrase in found if phrase.first == phrase.last]
    return (exact[0].text, exact[0].first) if len(exact) == 1 else None


def _denies(source: Evidence, other: Evidence, content_terms: Terms) -> bool:
    """Whether one of two sentences says no to what the other states."""
    if negated(source.text) == negated(other.text):
        return False
    ours = set(content_terms(source.text))
    for clause in clauses(other.text) if negated(other.text) else [other.text]:
        theirs = set(content_terms(clause))
        most = min(len(ours), len(theirs))
        if most >= 3 and len(ours & theirs) >= _MIN_SHARED * most:
            return True
    return False


def _one_per_article(others: Sequence[Evidence]) -> Iterator[Evidence]:
    """Every sentence, but of those that say the same only the first: a reprint is no source."""
    kept: list[Evidence] = []
    for other in others:
        if not any(same_statement(other, before) for before in kept):
            kept.append(other)
            yield other


def _newest_first(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """One statement of each article; undated ones last."""
    by_article: dict[str, Statement] = {}
    for statement in statements:
        by_article.setdefault(statement.source.article.article_id, statement)
    first_day = datetime.date.min
    return tuple(
        sorted(by_article.values(), key=lambda s: s.source.article.published or first_day,
               reverse=True)
    )  # fmt: skip
