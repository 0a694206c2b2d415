"""Figures of two sentences: whether they count the same thing, and whether they differ.

What a figure counts is read from the words beside it. Days, years, ages, sizes, rates and parts of
another figure count nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from rag.answering.evidence import Evidence
from rag.text.analysed import Analysed
from rag.text.language import Language
from rag.text.names import plain
from rag.text.numbers import Number

SAME_VALUE = 0.01
ROUNDED = 0.1
"""Relative difference up to which two figures are the same; if one of them is rounded."""
ANSWERS_SHARE = 0.75
"""Share of a question's words that a sentence and its title hold that answers it by its figure."""
_MIN_SAME_SUM = 0.35
"""Share of a sentence's words that another must have to give another sum, which counts nothing."""
_NEXT_WORDS = re.compile(r"(?:[\s-]+[^\W\d_][\w’'-]*){1,3}")
_WORDS_BEFORE = 16
_TOLL_CHARACTERS = 100
_CURRENCY_SIGN = re.compile(r"[$£€¥]")
_SIGN_BEFORE = re.compile(r"[$£€¥]$")
PART = re.compile(r"\s+of (?:the|those|them|these)\b", re.IGNORECASE)
_SIZE = re.compile(r"-[^\W\d_]")
_MOST_TIMES = 20
_HOUR = re.compile(r"\s*[ap]\.?m\b|:\d\d", re.IGNORECASE)
_GENERAL = frozenset(("money", "percent"))
YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
UNASKED_COSINE, UNASKED_DAYS = 0.6, 14
"""Cosine of two sentences from which one may correct a figure of the other that is not asked for;
and so many days their articles may lie apart."""


def claimed(sentence: Analysed, source: Evidence) -> Iterator[Number]:
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
        is_date(sentence, number)
        or text[number.start : number.end].lower() in language.words("numbers.uncounted")
        or PART.match(text, number.end) is not None
        or _SIZE.match(text, number.end) is not None
        or language.pattern("disagreement.away").match(text, number.end) is not None
        or language.pattern("disagreement.aged").search(text[: number.start]) is not None
    )


def is_date(sentence: Analysed, number: Number) -> bool:
    """Whether a number is a year, a day of a month or a time of day."""
    text = sentence.text
    written = text[number.start : number.end]
    if YEAR.fullmatch(written) or _HOUR.match(text, number.end):
        return True
    beside = text[max(0, number.start - 12) : number.end + 12]
    month = sentence.language.pattern("disagreement.month")
    return number.value <= 31 and month.search(beside) is not None


def with_bounds(sentence: Analysed, sources: Sequence[Evidence]) -> str:
    """A sentence of the answer with "more than" and its like before figures, as in the sources.

    Args:
        sentence: What the model wrote.
        sources: What supports it. A figure that one of them gives without such a word stays.
    """
    text, lead = sentence.text, sentence.language.pattern("disagreement.lead")
    for number in reversed(sentence.numbers):
        before = text[: number.start]
        if is_date(sentence, number) or lead.search(before):
            continue
        bounds = {
            bound[0].strip(" $£€¥").lower() if bound else ""
            for source in sources
            for theirs in source.read.numbers
            if theirs.key == number.key
            for bound in [lead.search(source.read.text[: theirs.start])]
        }
        if len(bounds) != 1 or not (bound := bounds.pop()) or bound == "only":
            continue
        at = len(before.rstrip("$£€¥"))
        rest = text[at:]
        if not before.strip(" $£€¥"):
            bound, rest = bound.capitalize(), rest[:1].lower() + rest[1:]
        text = f"{text[:at]}{bound} {rest}"
    return text


def other_value(
    question: Analysed, source: Evidence, number: Number, other: Evidence
) -> Number | None:
    """The figure that another sentence gives for the same thing, if it is another one."""
    asked = question.language.pattern("disagreement.asks_figure").search(question.text)
    unit = unit_of(source.read, number)
    if asked:
        # "How many people were killed" is not answered by how many were arrested.
        beside = question.text[asked.end() :]
        wanted = groups_in(beside, question.language) or set(
            question.analyzer.content_terms(beside)
        )
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
        and unit & (theirs := unit_of(other.read, candidate))
        and (
            not unit & theirs <= _GENERAL
            or shared(source.read, other.read) >= _MIN_SAME_SUM
            or (asked and _both_answer(question, source, other))
        )
        and ("money" in unit) == ("money" in theirs)
        and ("money" in theirs or _comes_near(number, candidate))
        and _is_rate(source.read, number) == _is_rate(other.read, candidate)
    ]
    if not same_unit or any(
        _same_value(source.read, number, other.read, candidate) for candidate in same_unit
    ):
        return None
    return max(same_unit, key=lambda c: len(unit & unit_of(other.read, c)))


def counts_people(sentence: Analysed, number: Number) -> bool:
    """Whether a figure counts the dead, the hurt, the arrested or the like."""
    return not _harm(sentence.language).isdisjoint(unit_of(sentence, number))


def counts_things(sentence: Analysed, question: Analysed) -> bool:
    """Whether a figure of a sentence counts what a question asks how many there are of."""
    asks = question.language.pattern("wanted.asks_count").search(question.text)
    if not asks:
        return False
    things = asks["things"]
    asked = {*question.analyzer.content_terms(things), *groups_in(things, question.language)}
    return any(
        not asked.isdisjoint(unit_of(sentence, number))
        for number in sentence.numbers
        if not is_date(sentence, number)
    )


def _both_answer(question: Analysed, source: Evidence, other: Evidence) -> bool:
    """Whether two sentences hold nearly all words of the question, so that their sums answer it.

    Args:
        question: One that asks for a figure.
        source, other: Sentences of articles.
    """
    asked = question.content_terms
    return all(
        sum(term in one.headed.terms for term in asked) >= ANSWERS_SHARE * len(asked)
        for one in (source, other)
    )


def _comes_near(one: Number, other: Number) -> bool:
    """Whether two figures are of one order: ten who fled and 1,400 who slept are not."""
    least, most = sorted((abs(one.value), abs(other.value)))
    return most <= _MOST_TIMES * max(least, 1)


def _is_rate(sentence: Analysed, number: Number) -> bool:
    """Whether a figure is one for each of something: "$1.34 per pound"."""
    return (
        sentence.language.pattern("disagreement.rate").match(sentence.text, number.end) is not None
    )


def _same_value(sentence: Analysed, number: Number, other_one: Analysed, other: Number) -> bool:
    about = sentence.language.pattern("disagreement.about")
    rounded = any(
        about.search(text.text[: figure.start].rstrip("$£€¥"))
        for text, figure in ((sentence, number), (other_one, other))
    )
    most = max(abs(number.value), abs(other.value))
    return abs(number.value - other.value) <= (ROUNDED if rounded else SAME_VALUE) * most


def unit_of(sentence: Analysed, number: Number) -> set[str]:
    """What a figure counts: the words after it, verbs of harm beside it, a currency, percent."""
    text, language = sentence.text, sentence.language
    after = _NEXT_WORDS.match(text[number.end :])
    counted = _counted(sentence, after.group()) if after else []
    # "The death toll … has risen to 18.": with nothing after it, what counts stands before.
    before = text[max(0, number.start - (25 if counted else _TOLL_CHARACTERS)) : number.start]
    unit = groups_in(f"{before} {after.group() if after else ''}", language)
    unit |= groups_in(_what_befell(text[number.end :], language), language)
    unit |= {term for word in counted for term in sentence.analyzer.content_terms(word)}
    if not counted:  # "magnitude 8.8"
        unit |= set(sentence.analyzer.content_terms(" ".join(before.split()[-2:])))
    near = text[max(0, number.start - 2) : number.end + 12]
    currency = _CURRENCY_SIGN.search(near) or language.pattern("disagreement.currency").search(near)
    unit |= {"money"} if currency else set()
    unit |= {"percent"} if number.percent else set()
    return unit


def _what_befell(after: str, language: Language) -> str:
    """What is told of those whom a figure counts: "people are believed to have died".

    Empty where another clause or figure comes first.
    """
    people = language.pattern("disagreement.befell").match(after)
    return people["what"] if people else ""


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


def groups_in(text: str, language: Language) -> set[str]:
    """The groups of words that mean the same beside a figure, those that stand in a text.

    Of two words in a row the first says what is counted: "missing victims" are not the dead.
    """
    groups = [_same_words(language).get(plain(word), "") for word in text.split()]
    return {own for before, own in pairwise(["", *groups]) if own and before in ("", own)}


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


def phrase(sentence: Analysed, number: Number) -> str:
    """A figure with the words around it that say what it counts, verbatim."""
    text, language = sentence.text, sentence.language
    behind = text[number.end :]
    after = language.pattern("disagreement.befell").match(behind) or _NEXT_WORDS.match(behind)
    if after is None:  # "The death toll … has risen to 18"
        return " ".join(text[: number.end].split()[-_WORDS_BEFORE:])
    before = text[: number.start]
    lead = language.pattern("disagreement.lead").search(before) or _SIGN_BEFORE.search(before)
    start = lead.start() if lead else number.start
    phrase = " ".join(text[start : number.end + after.end()].split())
    return language.pattern("disagreement.small_words").sub("", phrase)


def _is_near(source: Evidence, other: Evidence) -> bool:
    """Whether two articles may tell one event, and two sentences the same of it."""
    one, two = source.article.published, other.article.published
    apart = abs((one - two).days) if one and two else 0
    return apart <= UNASKED_DAYS and float(source.vector @ other.vector) >= UNASKED_COSINE


def shared(one: Analysed, other: Analysed) -> float:
    """Share of the words of the one that the other has, [0, 1]."""
    ours = set(one.content_terms)
    return len(ours.intersection(other.content_terms)) / len(ours) if ours else 0.0
