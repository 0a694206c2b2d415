"""Sources that disagree: different figures, days or claims for the same thing.

Only what the answer itself states is compared, sentence by sentence, with what other articles say:
a figure with figures that count the same, where one is asked for or where it counts people who were
killed, hurt or arrested; a day, where one is asked for, with the day of a sentence that
says nearly the same; a statement with its denial. Two sentences on one subject mostly tell other
things of it, so the rules rather miss than invent; see docs/decisions.md.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rag.answering.attribution import Attribution
from rag.answering.evidence import Evidence, same_statement
from rag.text.analysed import Analysed
from rag.text.language import Language
from rag.text.names import names, plain, squeeze, words
from rag.text.numbers import Number

Kind = Literal["figure", "day", "statement"]

MIN_COSINE = {"figure": 0.5, "day": 0.7, "statement": 0.8}
"""Cosine of two sentences below which they do not treat the same thing."""
UNASKED_COSINE, UNASKED_DAYS = 0.6, 14
"""The same for a figure that is not asked for; and so many days their articles may lie apart."""
MIN_COVERAGE_SHARE = 0.5
"""Share of the question's words, of that of the cited sentence, which the other must hold."""
FAR_DAYS = 90
FAR_COSINE = 0.75
"""Articles published that many days apart must be that much alike."""
SAME_VALUE = 0.01
ROUNDED = 0.1
"""Relative difference up to which two figures are the same; if one of them is rounded."""
_MIN_SHARED = 0.75
"""Share of a statement's words that its denial must have."""
_MIN_DENIED = 4
"""Words that a denial must have to deny something."""
_MIN_SAME_SUM = 0.35
"""The same for sums and shares, which count nothing."""
_MIN_SAME_EVENT = 0.5
"""Share of a sentence's words that another must have to give another day for the same thing."""

_NEXT_WORDS = re.compile(r"(?:[\s-]+[^\W\d_][\w’'-]*){1,3}")
_WORDS_BEFORE = 16
_TOLL_CHARACTERS = 100
_CURRENCY_SIGN = re.compile(r"[$£€¥]")
_SIGN_BEFORE = re.compile(r"[$£€¥]$")
_PART = re.compile(r"\s+of (?:the|those|them|these)\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_SIZE = re.compile(r"-[^\W\d_]")
_MOST_TIMES = 20
_HOUR = re.compile(r"\s*[ap]\.?m\b|:\d\d", re.IGNORECASE)


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
            for kind, ours, theirs in _differences(question, sentence, source, others):
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
    question: Analysed, sentence: Analysed, source: Evidence, others: Sequence[Evidence]
) -> Iterator[tuple[Kind, Statement, list[Statement]]]:
    for number in _claimed(sentence, source):
        theirs = [
            Statement(other, _phrase(other.read, differing))
            for other in _one_per_article(others)
            if (differing := _other_value(question, source, number, other)) is not None
        ]
        if theirs:
            yield "figure", Statement(source, _phrase(source.read, number)), theirs
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
            and _shared(source.read, other.read) >= _MIN_SAME_EVENT
            and (theirs_day := _day(other)) is not None
            and theirs_day[1] != day[1]
        ]
        if said:
            yield "day", Statement(source, *day), said
    denials = [
        Statement(other, " ".join(other.text.split()))
        for other in _one_per_article(others)
        if _cosine(source, other) >= MIN_COSINE["statement"] and _denies(source, other)
    ]
    if denials:
        yield "statement", Statement(source, " ".join(source.text.split())), denials


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
    ours, theirs = _named(source), _named(other)
    if (ours and theirs and not ours & theirs) or not (asked & _words(source) <= _words(other)):
        return False
    here, there = _places(source), _places(other)
    if here and there and not here & there:  # so many in Haiti, so many in Jamaica
        return False
    years, other_years = _years(source), _years(other)
    return not (years and other_years) or bool(years & other_years)


def _years(item: Evidence) -> set[str]:
    """The years that a sentence names; the one of its article where it names none."""
    published = item.article.published
    return set(_YEAR.findall(item.text)) or ({str(published.year)} if published else set())


def _places(item: Evidence) -> set[str]:
    """The places that a sentence names: what has a capital soon behind "in"."""
    where = item.analyzer.language.pattern("disagreement.where")
    return {plain(match.group("place")) for match in where.finditer(item.text)}


def _named(item: Evidence) -> Set[str]:
    return names(item.article.title) | item.read.names


def _words(item: Evidence) -> Set[str]:
    return words(item.article.title) | item.read.words


def _cosine(one: Evidence, other: Evidence) -> float:
    return float(one.vector @ other.vector)


def _claimed(sentence: Analysed, source: Evidence) -> Iterator[Number]:
    """The figures of a source sentence that the answer repeats; years and days are none."""
    for number in source.read.numbers:
        if number.key in sentence.values and not _is_no_total(source.read, number):
            yield number


def _is_no_total(sentence: Analysed, number: Number) -> bool:
    """Whether a figure counts nothing, or not all of it.

    A day, a year, an age, a size ("16-pound"), a stretch of time before something, a part of
    another figure ("nine of the injured"), or a word as any other ("one").
    """
    text, language = sentence.text, sentence.language
    return (
        _is_date(sentence, number)
        or text[number.start : number.end].lower() in language.words("numbers.uncounted")
        or _PART.match(text, number.end) is not None
        or _SIZE.match(text, number.end) is not None
        or language.pattern("disagreement.away").match(text, number.end) is not None
        or language.pattern("disagreement.aged").search(text[: number.start]) is not None
    )


def _is_date(sentence: Analysed, number: Number) -> bool:
    text = sentence.text
    written = text[number.start : number.end]
    if _YEAR.fullmatch(written) or _HOUR.match(text, number.end):
        return True
    beside = text[max(0, number.start - 12) : number.end + 12]
    month = sentence.language.pattern("disagreement.month")
    return number.value <= 31 and month.search(beside) is not None


def _other_value(
    question: Analysed, source: Evidence, number: Number, other: Evidence
) -> Number | None:
    """The figure that another sentence gives for the same thing, if it is another one."""
    asked = question.language.pattern("disagreement.asks_figure").search(question.text)
    unit = _unit(source.read, number)
    if asked:
        # "How many people were killed" is not answered by how many were arrested.
        beside = question.text[asked.end() :]
        wanted = _groups(beside, question.language) or set(question.analyzer.content_terms(beside))
        if "percent" in unit and not question.language.pattern("disagreement.asks_share").search(
            question.text
        ):
            return None
        unit &= wanted | _GENERAL
    elif _is_near(source, other):
        unit &= _harm(question.language)
    else:
        return None
    same_unit = [
        candidate
        for candidate in other.read.numbers
        if not _is_no_total(other.read, candidate)
        and candidate.percent == number.percent
        and unit & (theirs := _unit(other.read, candidate))
        and (not unit & theirs <= _GENERAL or _shared(source.read, other.read) >= _MIN_SAME_SUM)
        and ("money" in unit) == ("money" in theirs)
        and ("money" in theirs or _comes_near(number, candidate))
        and _is_rate(source.read, number) == _is_rate(other.read, candidate)
    ]
    if not same_unit or any(
        _same_value(source.read, number, other.read, candidate) for candidate in same_unit
    ):
        return None
    return max(same_unit, key=lambda c: len(unit & _unit(other.read, c)))


def _comes_near(one: Number, other: Number) -> bool:
    """Whether two figures are of one order: ten who fled and 1,400 who slept are not."""
    least, most = sorted((abs(one.value), abs(other.value)))
    return most <= _MOST_TIMES * max(least, 1)


def _is_rate(sentence: Analysed, number: Number) -> bool:
    """Whether a figure is one for each of something: "$1.34 per pound"."""
    return (
        sentence.language.pattern("disagreement.rate").match(sentence.text, number.end) is not None
    )


def _is_near(source: Evidence, other: Evidence) -> bool:
    """Whether two articles may tell one event, and two sentences the same of it."""
    one, two = source.article.published, other.article.published
    apart = abs((one - two).days) if one and two else 0
    return apart <= UNASKED_DAYS and _cosine(source, other) >= UNASKED_COSINE


def _same_value(sentence: Analysed, number: Number, other_one: Analysed, other: Number) -> bool:
    about = sentence.language.pattern("disagreement.about")
    rounded = any(
        about.search(text.text[: figure.start].rstrip("$£€¥"))
        for text, figure in ((sentence, number), (other_one, other))
    )
    most = max(abs(number.value), abs(other.value))
    return abs(number.value - other.value) <= (ROUNDED if rounded else SAME_VALUE) * most


_GENERAL = frozenset(("money", "percent"))


def _unit(sentence: Analysed, number: Number) -> set[str]:
    """What a figure counts: the words after it, verbs of harm beside it, a currency, percent."""
    text, language = sentence.text, sentence.language
    after = _NEXT_WORDS.match(text[number.end :])
    counted = _counted(sentence, after.group()) if after else []
    # "The death toll … has risen to 18.": with nothing after it, what counts stands before.
    before = text[max(0, number.start - (25 if counted else _TOLL_CHARACTERS)) : number.start]
    unit = _groups(f"{before} {after.group() if after else ''}", language)
    unit |= {term for word in counted for term in sentence.analyzer.content_terms(word)}
    if not counted:  # "magnitude 8.8"
        unit |= set(sentence.analyzer.content_terms(" ".join(before.split()[-2:])))
    near = text[max(0, number.start - 2) : number.end + 12]
    currency = _CURRENCY_SIGN.search(near) or language.pattern("disagreement.currency").search(near)
    unit |= {"money"} if currency else set()
    unit |= {"percent"} if number.percent else set()
    return unit


def _counted(sentence: Analysed, after: str) -> list[str]:
    """The words behind a figure up to the first that counts nothing: "stars" of "stars on the"."""
    words: list[str] = []
    for word in re.split(r"[\s-]+", after.strip(" -")):
        if not sentence.analyzer.content_terms(word) or word.lower() in sentence.language.words(
            "disagreement.joints"
        ):
            break
        words.append(word)
    return words


def _groups(text: str, language: Language) -> set[str]:
    """The groups of words that mean the same beside a figure, those that stand in a text."""
    found = {_same_words(language).get(plain(word), "") for word in text.split()}
    return found - {""}


@cache
def _harm(language: Language) -> frozenset[str]:
    return frozenset(_same_words(language).values())


@cache
def _same_words(language: Language) -> dict[str, str]:
    """Words that mean the same beside a figure, each to what stands for all of them."""
    return {
        word: f"group {number}"
        for number, group in enumerate(language.groups("disagreement.same"))
        for line in group
        for word in line.split()
    }


def _phrase(sentence: Analysed, number: Number) -> str:
    """A figure with the words around it that say what it counts, verbatim."""
    text, language = sentence.text, sentence.language
    after = _NEXT_WORDS.match(text[number.end :])
    if after is None:  # "The death toll … has risen to 18"
        return " ".join(text[: number.end].split()[-_WORDS_BEFORE:])
    before = text[: number.start]
    lead = language.pattern("disagreement.lead").search(before) or _SIGN_BEFORE.search(before)
    start = lead.start() if lead else number.start
    phrase = " ".join(text[start : number.end + after.end()].split())
    return language.pattern("disagreement.small_words").sub("", phrase)


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
        and _shared(clause, yes.read) >= _MIN_SHARED
        for clause in no.read.clauses
    )


def _shared(one: Analysed, other: Analysed) -> float:
    """Share of the words of the one that the other has, [0, 1]."""
    ours = set(one.content_terms)
    return len(ours.intersection(other.content_terms)) / len(ours) if ours else 0.0


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
    first_day = datetime.date.min
    return tuple(
        sorted(by_story.values(), key=lambda s: s.source.article.published or first_day,
               reverse=True)
    )  # fmt: skip
