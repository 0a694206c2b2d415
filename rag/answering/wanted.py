"""What a question wants: somebody, a figure, a length of time. What holds none is no answer.

"Who did they appoint?" is not answered by "They dismissed the head", nor "How many presidents?" by
the two of "two years left". True as such a sentence may be, it must not stand there as the answer.
"""

from __future__ import annotations

import re

from rag.answering.figures import PART, is_date
from rag.text.analysed import Analysed
from rag.text.names import plain, tokens
from rag.text.numbers import Number


def holds_wanted(text: Analysed, question: Analysed) -> bool:
    """Whether a text holds the kind of thing that a question wants; True where that is unclear.

    Args:
        text: Of an answer.
        question: The question. What it says itself is no answer to it.
    """
    language = question.language
    if language.pattern("wanted.asks_who").search(question.text):
        named = {plain(word) for word in tokens(text.text) if word[0].isupper()}
        return bool(
            language.pattern("wanted.people").search(text.text)
            or named - question.words - language.words("premises.asking")
        )
    if language.pattern("wanted.asks_name").search(question.text):
        is_short = len(text.content_terms) <= _NAME_TERMS
        return is_short or language.pattern("wanted.naming").search(text.text) is not None
    if language.pattern("wanted.asks_length").search(question.text):
        return language.pattern("wanted.length").search(text.text) is not None
    if language.pattern("wanted.asks_money").search(question.text):
        return language.pattern("wanted.money").search(text.text) is not None
    if language.pattern("wanted.asks_figure").search(question.text):
        return bool(
            (_figures(text) & counted_values(text, question)) - question.values
            or language.pattern("wanted.quantity").search(text.text)
        )
    return True


def _figures(text: Analysed) -> frozenset[tuple[float, bool]]:
    """Values of its numbers but for times of day, days and years."""
    return frozenset(
        number.key
        for number in text.numbers
        if not is_date(text, number) and text.text[max(0, number.start - 1) : number.start] != ":"
    )


def counted_values(text: Analysed, question: Analysed) -> frozenset[tuple[float, bool]]:
    """Values of the numbers of a text, without those that count another thing than is asked for.

    "Two years left" does not say how many presidents, nor "two of the dead" how many died. Of what
    a number counts only units are known, and ages.

    Args:
        text: Of a source.
        question: The question.
    """
    asked = question.language.pattern("wanted.asks_count").search(question.text)
    if not asked or question.language.pattern("wanted.unit").search(asked["things"]):
        return text.values
    asks_part = question.language.pattern("wanted.asks_part").search(question.text)
    return frozenset(
        number.key
        for number in text.numbers
        if not _measures(text, number)
        and not _is_age(text, number)
        and (asks_part or not PART.match(text.text, number.end))
    )


def _is_age(text: Analysed, number: Number) -> bool:
    """Whether a number stands between commas behind a name: "Lena Holm, 31, said"."""
    return (
        text.text[number.end : number.end + 1] == ","
        and _NAME_BEFORE.search(text.text[: number.start]) is not None
    )


def _measures(text: Analysed, number: Number) -> bool:
    """Whether a unit stands behind a number: "two years", "50-mile", "two more days"."""
    behind = text.text[number.end : number.end + _UNIT_WITHIN]
    match = text.language.pattern("wanted.unit").search(behind)
    return match is not None and _ONE_WORD_BETWEEN.fullmatch(behind[: match.start()]) is not None


_NAME_BEFORE = re.compile(r"[A-Z][\w’'.-]+, $")
_NAME_TERMS = 3  # of an answer that may be nothing but a name
_UNIT_WITHIN = 30
_ONE_WORD_BETWEEN = re.compile(r"[\s-]+(?:[a-z]+[\s-]+)?")
