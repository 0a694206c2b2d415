"""Premises: what a question takes for granted, held against what is cited.

"Who won the 2010 World Cup?" is not answered by a sentence about 1993, and the chief executive is
not the chairman. A sentence may serve as support only if what stands around it (its paragraph, the
title, the day of its article) bears out the years, days, roles, ordinals, amounts and names of the
question.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from rag.answering.premise_words import YEAR, PremiseWords, name_words, premise_words
from rag.text.language import Language
from rag.text.names import plain
from rag.text.numbers import find_numbers
from rag.text.periods import Period

PremiseKind = Literal[
    "year", "day", "role", "office", "ordinal", "superlative", "event", "score", "amount", "name"
]
STRICT: tuple[PremiseKind, ...] = (
    "year",
    "day",
    "role",
    "office",
    "ordinal",
    "superlative",
    "event",
    "score",
)
"""Kinds that must hold where the source stands; names and amounts may stand further off."""
# "Huguenot-descended", "French-language": the name is what stands before.
SCORE = re.compile(r"(?<![\d.,$£€-])(\d{1,3})\s?[-–]\s?(\d{1,3})(?![\d-]|-?[^\W\d_])")  # "3-1"
_COMPOUND = re.compile(r"(?<=[^\W\d_]{4})-[a-z].*$")


@dataclass(frozen=True, slots=True)
class Premise:
    """Something that a question takes for granted.

    Attributes:
        kind: What it is.
        text: Its words in the question.
        first, last: The days that it means, for a year or a day.
    """

    kind: PremiseKind
    text: str
    first: datetime.date | None = None
    last: datetime.date | None = None


def read_premises(
    question: str,
    periods: Sequence[Period],
    language: Language,
    asked_from: int = 0,
    small: Set[str] = frozenset(),
) -> list[Premise]:
    """What a question takes for granted.

    Args:
        question: The question.
        periods: Those that it names (`rag.text.periods`).
        language: Of the question. Without its rules only years and amounts are looked for: where
            every noun has a capital, names cannot be told.
        asked_from: Where the sentence begins that asks; of what is told before only names count.
        small: Words, in small letters, that have a capital only since a sentence begins with them.
    """
    found: list[Premise] = []
    dated: set[int] = set()
    for period in periods:
        if period.strength != "present":
            dated.update(range(period.start, period.end))
        if period.strength == "event" and period.start >= asked_from:
            whole_year = period.last - period.first > datetime.timedelta(300)
            kind: PremiseKind = "year" if whole_year else "day"
            found.append(Premise(kind, period.text, period.first, period.last))
    for match in YEAR.finditer(question):
        if match.start() not in dated and match.start() >= asked_from:
            year = int(match.group())
            first, last = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
            found.append(Premise("year", match.group(), first, last))
    rules = premise_words(language)
    found += [Premise("role", role) for role in rules.roles_in(question, asked_from)]
    found += [Premise("office", office) for office in rules.offices_in(question)]
    happened = language.pattern("premises.no_event").sub(" ", question[asked_from:])
    told = dict.fromkeys(re.findall(r"[a-z][a-z-]+", happened))
    found += [Premise("event", word) for word in told if word in rules.events]
    superlatives = [m.group() for m in _all(rules.superlative, question, asked_from)]
    found += [Premise("superlative", text) for text in superlatives]
    ordinals = [m for m in _all(rules.ordinal, question, asked_from) if m.start() not in dated]
    found += [Premise("ordinal", match.group()) for match in ordinals]
    scores = [m for m in SCORE.finditer(question, asked_from) if m.start() not in dated]
    found += [Premise("score", match.group()) for match in scores]
    counted = {match.start() for match in ordinals}
    counted.update(place for match in scores for place in range(*match.span()))
    found += [
        Premise("amount", question[number.start : number.end])
        for number in find_numbers(question, language)
        if number.start not in dated | counted
        and number.start >= asked_from
        and number.value > 2
        and not YEAR.fullmatch(question[number.start : number.end])
    ]
    governments = {m.span() for m in language.pattern("premises.government").finditer(question)}
    found += [
        Premise("name", name)
        for match in _all(rules.name, question)
        if match.span() not in governments
        if not dated & set(range(*match.span())) and (name := _bare(match.group(), rules, small))
    ]
    return found


def _all(pattern: re.Pattern[str] | None, question: str, start: int = 0) -> Iterator[re.Match[str]]:
    return pattern.finditer(question, start) if pattern else iter(())


def _bare(name: str, rules: PremiseWords, small: Set[str]) -> str:
    """A name without the words of a question before it; empty if nothing of a name is left."""
    parts = [_COMPOUND.sub("", part) for part in name.split()]
    while parts and (plain(parts[0]) in rules.asking or plain(parts[0]) in small):
        parts = parts[1:]
    return " ".join(parts) if name_words(" ".join(parts), rules) else ""
