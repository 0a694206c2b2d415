"""Words that make premises: roles, ordinals, events and names, from the rules of a language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import cache
from itertools import chain
from typing import NamedTuple

from rag.text.language import Language
from rag.text.names import plain, words

YEAR = re.compile(r"(?<![\d.,$£€])(?:1[5-9]|20)\d\d(?![\d%]|s\b|[,.]\d)")
_PART = r"(?:(?:[A-Z]\.)+|[A-Z][\w’'&-]*)"
_PERSON = re.compile(rf"\.?\s+{_PART}(?:\s+{_PART}){{0,2}}")
_NEAR_OFFICE = 60  # characters
_MIN_STEM = 5
"""Letters that are left of a name without its ending."""


class PremiseWords(NamedTuple):
    """The words of a language that make premises.

    Attributes:
        roles: Each name of a role to all names of it.
        alone: Offices that one person has at a time, in one country.
        role, ordinal, name: What is looked for in a question; None where the language says nothing.
        superlative: What asks for the most of its kind.
        utmost, finest: What tells that something is the most or the only one of its kind, and the
            best or the worst.
        events: Each word for something that happens to the words that tell of it.
        ordinals: Each word of an ordinal to its figure.
        aliases: Each word of a name to others for the same thing.
        asking: Words with a capital at the beginning of a question that are no part of a name.
        free: Words that a name may have or not.
        endings: Those that make another word of a name: "Protestantism", "European".
        generic: Last words of names that many have in common.
        sides: Words that tell two names apart: "North Carolina".
        behind: What stands behind the figure of an ordinal, as a pattern.
    """

    roles: dict[str, tuple[str, ...]]
    alone: frozenset[str]
    events: dict[str, re.Pattern[str]]
    role: re.Pattern[str] | None
    ordinals: dict[str, str]
    ordinal: re.Pattern[str] | None
    superlative: re.Pattern[str]
    utmost: re.Pattern[str]
    finest: re.Pattern[str]
    name: re.Pattern[str] | None
    aliases: dict[str, frozenset[str]]
    asking: frozenset[str]
    free: frozenset[str]
    endings: frozenset[str]
    generic: frozenset[str]
    sides: frozenset[str]
    behind: str

    def is_generic(self, word: str) -> bool:
        """Whether a word of a name stands in many names: "schools", "court"."""
        return word in self.generic or word.removesuffix("s") in self.generic

    def roles_in(self, text: str, start: int = 0) -> list[str]:
        """The roles that a text speaks of, from a place on.

        "President Trump" names somebody; "the president of France" speaks of a role.
        """
        found = self.role.finditer(text, start) if self.role else ()
        rests = [(match.group(), text[match.end() :]) for match in found]
        return [
            role
            for role, rest in rests
            if not re.match(r"\.?\s+[A-Z]", rest) and not rest.startswith(("’s ", "'s "))
        ]

    def offices_in(self, text: str) -> list[str]:
        """The offices that a text gives to somebody, of those that one person has at a time.

        "Education secretary Lena Holm": of presidents and mayors there are many.
        """
        return [
            text[role.start() : person.end()]
            for role, person in self._given(text)
            if role[0].lower() in self.alone
        ]

    def may_hold(self, office: str, text: str) -> bool:
        """Whether a text leaves open that somebody has an office.

        Not where it gives the office to another, and never names the person near it.

        Args:
            office: As `offices_in` gives it.
            text: Of an article.
        """
        (asked, person), *_ = self._given(office)
        last = plain(person[0].split()[-1])
        group = self.roles[asked[0].lower()]
        given = any(self.roles[role[0].lower()] == group for role, _ in self._given(text))
        return not given or any(
            last in words(text[max(0, role.start() - _NEAR_OFFICE) : role.end() + _NEAR_OFFICE])
            for role in self.role_forms(asked[0]).finditer(text)
        )

    def _given(self, text: str) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
        """Each office that stands before a name, and the name."""
        for role in self.role.finditer(text) if self.role else ():
            if person := _PERSON.match(text, role.end()):
                yield role, person

    def ruler_in(self, name: str) -> str:
        """The last name of somebody with an office and a country: "King Hussein of Jordan"."""
        role = self.role.match(name) if self.role else None
        person = _PERSON.match(name, role.end()) if role else None
        if person is None or not self.name or not re.match(r"\s+[a-z]", name[person.end() :]):
            return ""
        return plain(person[0].split()[-1])

    def role_forms(self, role: str) -> re.Pattern[str]:
        """A pattern of all names of a role, in any case and number."""
        names = "|".join(map(re.escape, self.roles[role.lower()]))
        return re.compile(rf"\b(?:{names})s?\b", re.IGNORECASE)

    def ordinal_forms(self, ordinal: str) -> re.Pattern[str]:
        """A pattern of an ordinal as a word and as a figure."""
        figure = self.ordinals.get(ordinal.lower()) or re.sub(r"\D", "", ordinal)
        written = [re.escape(word) for word, n in self.ordinals.items() if n == figure]
        return re.compile(
            rf"\b(?:{'|'.join([f'{figure}{self.behind}', *written])})\b", re.IGNORECASE
        )


@cache
def premise_words(language: Language) -> PremiseWords:
    """The words of a language that make premises; nothing where it has no rules."""
    roles = {role: group for group in language.groups("premises.roles") for role in group}
    ordinals = {w: f"{n}" for n, w in enumerate(language.listed("premises.ordinals"), start=2)}
    figure, joint = map(language.source, ("premises.ordinal_figure", "premises.name_joint"))
    longest = "|".join(re.escape(role) for role in sorted(roles, key=len, reverse=True))
    written = "|".join([*map(re.escape, ordinals), rf"\d{{1,3}}{figure}"])
    name = rf"(?<![\w’'.]){_PART}(?:\s+(?:{joint})?{_PART})*"
    names = (" ".join(group).split() for group in language.groups("premises.aliases"))
    asking = language.words("premises.asking")
    calendar = (language.words(f"calendar.{kind}") for kind in ("months", "weekdays"))
    events = {
        word: _any_of(told)
        for asked, told in language.groups("premises.events")
        for word in asked.split()
    }
    return PremiseWords(
        roles=roles,
        alone=frozenset(chain.from_iterable(language.groups("premises.alone"))),
        events=events,
        role=re.compile(rf"\b(?:{longest})\b", re.IGNORECASE) if roles else None,
        ordinals=ordinals,
        ordinal=re.compile(rf"\b(?:{written})\b", re.IGNORECASE) if figure else None,
        superlative=language.pattern("premises.superlative"),
        utmost=language.pattern("premises.utmost"),
        finest=language.pattern("premises.finest"),
        name=re.compile(name) if joint else None,
        aliases={word: frozenset(group) for group in names for word in group},
        asking=asking,
        free=asking.union(language.words("premises.titles"), *calendar),
        endings=language.words("premises.endings"),
        generic=language.words("premises.generic"),
        sides=language.words("premises.sides"),
        behind=figure,
    )


def _any_of(words_and_ends: str) -> re.Pattern[str]:
    """A pattern of words; one with a star may go on."""
    each = [re.escape(word).replace(r"\*", r"\w*") for word in words_and_ends.split()]
    return re.compile(rf"\b(?:{'|'.join(each)})\b", re.IGNORECASE)


def name_words(name: str, rules: PremiseWords) -> list[str]:
    """The words of a name, in small letters, without those that it may have or not."""
    parts = name.replace("&", " ").split()
    return [word for word in map(plain, parts) if word and word not in rules.free]


def same_name(word: str, held: Set[str], language: Language) -> bool:
    """Whether a word of a name is among others, its plural, its adjective or another name for it.

    "Israeli" is "Israel" here.

    Args:
        word, held: As `rag.text.names.plain` gives them.
        language: Whose rules hold.
    """
    rules = premise_words(language)
    if word in held or any(alias in held for alias in rules.aliases.get(word, ())):
        return True
    stem = word.rstrip("s")
    if len(stem) < 5:
        return stem in held or f"{stem}s" in held
    if any(other.startswith(stem[:-1] if len(stem) > 6 else stem) for other in held):
        return True
    return any(
        word.removesuffix(ending) in held
        for ending in rules.endings
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM
    )
