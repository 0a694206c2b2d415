"""Noun phrases of a question: runs of names, and what an article begins."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.chat.words import DETERMINERS, PREPOSITIONS, is_content, is_name, words_of

LOCATIVE = frozenset("in at on near to from into".split())  # noqa: SIM905
ROLE = re.compile(
    r"(?:president|minister|mayor|executive|chairman|chairwoman|chair|secretary|chancellor|governor"
    r"|senator|king|queen|pope|prince|princess|coach|captain|player|actor|actress|singer|author"
    r"|writer|director|founder|owner|manager|leader|spokes\w+|judge|general|officer|man|woman|boy"
    r"|girl|driver|pilot|suspect|shooter|killer|winner|champion|teacher|doctor|scientist|star)"
)
_DAYS = frozenset([*calendar.day_name, *calendar.month_name])
_MIN_PERSON_WORDS = 2


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase with a name or a determiner in a list of words.

    Attributes:
        start, end: Where it stands.
        preposition: The one before it, in small letters; empty if there is none.
        determiner: "the"; empty if there is none.
        named: Whether it has a name or figure.
        words: Its words.
    """

    start: int
    end: int
    preposition: str
    determiner: str
    named: bool
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its words as written."""
        return " ".join(self.words)

    @property
    def is_year(self) -> bool:
        """Whether it is nothing but a year."""
        return re.fullmatch(r"(?:1[5-9]|20)\d\d", self.text) is not None

    @property
    def is_person(self) -> bool:
        """Whether it may be somebody: a name without an article and not of a place, or a role."""
        if self.is_year or self.preposition in LOCATIVE or self.preposition == "of":
            return False
        if self.named and not self.determiner:
            return True
        return any(ROLE.fullmatch(word.lower()) for word in self.words)


def phrases(words: Sequence[str]) -> list[Phrase]:
    """The noun phrases of some words, in order: runs of names, and what a determiner begins."""
    found: list[Phrase] = []
    at = 0
    while at < len(words):
        determined = words[at].lower() in DETERMINERS and at + 1 < len(words)
        start, end = at, at + determined
        if determined:
            while end < len(words) and is_content(words[end]):
                end += 1
        else:
            while end < len(words) and is_name(words[end]):
                end += 1
        if end - start > determined:
            if any(map(is_name, words[start:end])) and _goes_on(words, end):
                end += 1  # "the Bank of England"
                while end < len(words) and is_name(words[end]):
                    end += 1
            before = words[start - 1].lower() if start else ""
            found.append(
                Phrase(
                    start,
                    end,
                    before if before in PREPOSITIONS else "",
                    words[start].lower() if determined else "",
                    any(is_name(word) for word in words[start:end]),
                    tuple(words[start:end]),
                )
            )
        at = max(end, at + 1)
    return found


def _goes_on(words: Sequence[str], end: int) -> bool:
    """Whether a name goes on with "of": but not with a year, "the Oscars of 2025"."""
    return (
        end + 1 < len(words)
        and words[end] == "of"
        and is_name(words[end - 1])
        and words[end + 1][0].isupper()
    )


def names_of_persons(sentences: Sequence[str]) -> list[str]:
    """Names of two words and more that may be somebody's, in order."""
    found: list[str] = []
    for sentence in sentences:
        for phrase in phrases(words_of(sentence)):
            words = list(phrase.words)
            while words and words[0] in _DAYS:  # "On Friday Lena Holm said"
                words = words[1:]
            whole = " ".join(words).removesuffix("'s").removesuffix("’s")
            if (
                phrase.is_person
                and len(words) >= _MIN_PERSON_WORDS
                and all(word[0].isupper() for word in words)
                and whole not in found
            ):
                found.append(whole)
    return found
