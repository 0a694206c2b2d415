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
from functools import cache
from typing import Literal, NamedTuple

from rag.article import Article
from rag.text.days import resolve
from rag.text.language import Language
from rag.text.names import plain, words
from rag.text.numbers import find_numbers
from rag.text.periods import Period

PremiseKind = Literal["year", "day", "role", "ordinal", "superlative", "event", "amount", "name"]
STRICT: tuple[PremiseKind, ...] = ("year", "day", "role", "ordinal", "superlative", "event")
"""Kinds that must hold where the source stands; names and amounts may stand further off."""
_TOLD_AFTER = datetime.timedelta(21)
"""Articles published that long after an event still tell it as news."""
_NEAR_CHARACTERS = 600
_CLOSE_CHARACTERS = 400
_EVENT_CHARACTERS = 200
_LEAD_CHARACTERS = 800
"""The beginning of an article, which says what all of it is about."""

_MIN_STEM = 5
"""Letters that are left of a name without its ending."""

_YEAR = re.compile(r"(?<![\d.,$£€])(?:1[5-9]|20)\d\d(?![\d%]|s\b|[,.]\d)")
# "Huguenot-descended", "French-language": the name is what stands before.
_COMPOUND = re.compile(r"(?<=[^\W\d_]{4})-[a-z].*$")
_PART = r"(?:(?:[A-Z]\.)+|[A-Z][\w’'&-]*)"


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


class _Words(NamedTuple):
    """The words of a language that make premises.

    Attributes:
        roles: Each name of a role to all names of it.
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
    """

    roles: dict[str, tuple[str, ...]]
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


@cache
def _words_of(language: Language) -> _Words:
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
    return _Words(
        roles=roles,
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
    )


def _any_of(words_and_ends: str) -> re.Pattern[str]:
    """A pattern of words; one with a star may go on."""
    each = [re.escape(word).replace(r"\*", r"\w*") for word in words_and_ends.split()]
    return re.compile(rf"\b(?:{'|'.join(each)})\b", re.IGNORECASE)


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
    for match in _YEAR.finditer(question):
        if match.start() not in dated and match.start() >= asked_from:
            year = int(match.group())
            first, last = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
            found.append(Premise("year", match.group(), first, last))
    rules = _words_of(language)
    found += [
        Premise("role", match.group())
        for match in _all(rules.role, question, asked_from)
        # "President Trump" names somebody; "the president of France" asks for a role.
        if not re.match(r"\s+[A-Z]", question[match.end() :])
        and not question[match.end() :].startswith(("’s ", "'s "))
    ]
    told = {match.group(): match for match in re.finditer(r"[a-z][a-z-]+", question[asked_from:])}
    found += [Premise("event", word) for word in told if word in rules.events]
    superlatives = [m.group() for m in _all(rules.superlative, question, asked_from)]
    found += [Premise("superlative", text) for text in superlatives]
    ordinals = [m for m in _all(rules.ordinal, question, asked_from) if m.start() not in dated]
    found += [Premise("ordinal", match.group()) for match in ordinals]
    counted = {match.start() for match in ordinals}
    found += [
        Premise("amount", question[number.start : number.end])
        for number in find_numbers(question, language)
        if number.start not in dated | counted
        and number.start >= asked_from
        and number.value > 2
        and not _YEAR.fullmatch(question[number.start : number.end])
    ]
    found += [
        Premise("name", name)
        for match in _all(rules.name, question)
        if not dated & set(range(*match.span())) and (name := _bare(match.group(), rules, small))
    ]
    return found


def _all(pattern: re.Pattern[str] | None, question: str, start: int = 0) -> Iterator[re.Match[str]]:
    return pattern.finditer(question, start) if pattern else iter(())


def _bare(name: str, rules: _Words, small: Set[str]) -> str:
    """A name without the words of a question before it; empty if nothing of a name is left."""
    parts = [_COMPOUND.sub("", part) for part in name.split()]
    while parts and (plain(parts[0]) in rules.asking or plain(parts[0]) in small):
        parts = parts[1:]
    return " ".join(parts) if _name_words(" ".join(parts), rules) else ""


def _name_words(name: str, rules: _Words) -> list[str]:
    parts = name.replace("&", " ").split()
    return [word for word in map(plain, parts) if word and word not in rules.free]


def missing(
    premises: Sequence[Premise],
    article: Article,
    start: int,
    end: int,
    language: Language,
    *,
    before_tells: bool = True,
) -> list[Premise]:
    """The premises that what stands around a span does not bear out.

    Args:
        premises: Of the question.
        article: The article of the span.
        start, end: A sentence of its text.
        language: Of the article.
        before_tells: Whether the title or what stands before may tell what happened. A day in a
            sentence is that of what the sentence tells.
    """
    if not premises:
        return []
    rules = _words_of(language)
    text = article.text
    sentence = text[start:end]
    near = (
        f"{article.title}\n{text[max(0, start - _NEAR_CHARACTERS) : end + _NEAR_CHARACTERS // 2]}"
    )
    held = words(near)
    lacking = []
    for premise in premises:
        if premise.kind in ("year", "day"):
            ok = _time_held(premise, article, sentence, near, start, end, language)
        elif premise.kind == "role":
            ok = any(
                re.search(rf"\b{re.escape(role)}s?\b", near, re.IGNORECASE)
                for role in rules.roles[premise.text.lower()]
            )
        elif premise.kind == "event":
            # A title that asks tells nothing.
            title = "" if "?" in article.title else f"{article.title}\n"
            before = f"{title}{text[max(0, start - _EVENT_CHARACTERS) : start]}"
            close = f"{before if before_tells else ''}{sentence}"
            ok = rules.events[premise.text].search(close) is not None
        elif premise.kind == "superlative":
            asks_best = rules.finest.search(premise.text) and not rules.utmost.search(premise.text)
            ok = (rules.finest if asks_best else rules.utmost).search(sentence) is not None
        elif premise.kind == "ordinal":
            close = text[max(0, start - _CLOSE_CHARACTERS) : end + _CLOSE_CHARACTERS]
            ok = _ordinal_held(premise.text.lower(), f"{article.title} {close}".lower(), language)
        elif premise.kind == "amount":
            wanted = {n.key for n in find_numbers(premise.text, language)}
            ok = any(
                not wanted.isdisjoint(n.key for n in find_numbers(place, language))
                for place in (near, text)
            )
        else:
            ok = _name_held(premise.text, held, article, rules)
        if not ok:
            lacking.append(premise)
    return lacking


def _time_held(
    premise: Premise,
    article: Article,
    sentence: str,
    near: str,
    start: int,
    end: int,
    language: Language,
) -> bool:
    assert premise.first is not None
    assert premise.last is not None
    years = {int(year) for year in _YEAR.findall(sentence)}
    wanted = set(range(premise.first.year, premise.last.year + 1))
    if premise.kind == "year" and years:
        return bool(years & wanted)
    published = article.published
    if published:
        told = premise.first <= published <= premise.last + _TOLD_AFTER
        meant = resolve(article.text, start, end, published, language)
        if any(day.first <= premise.last and day.last >= premise.first for day in meant):
            return True
        if told and not years - wanted:
            return True
    if premise.kind == "year":
        # The year named last before the sentence is that of what it tells.
        before = _YEAR.findall(
            f"{article.title} {article.text[max(0, start - _NEAR_CHARACTERS) : start]}"
        )
        return bool(before) and int(before[-1]) in wanted
    return _names_day(premise, near, language)


def _names_day(premise: Premise, near: str, language: Language) -> bool:
    """Whether the text names the day or month with its name: "on 4 July" for "July 4, 1776"."""
    assert premise.first is not None
    assert premise.last is not None
    month = language.listed("calendar.months")[premise.first.month - 1].capitalize()
    short = month if len(month) < 5 else f"(?:{month}|{month[:3]}\\.?)"
    if premise.first == premise.last:
        day = premise.first.day
        named = rf"\b(?:{short}\s+{day}|{day}(?:st|nd|rd|th)?\s+(?:of\s+)?{short})(?!\d)"
    else:
        named = rf"\b{short}\b"
    return re.search(named, near) is not None


def _ordinal_held(ordinal: str, near: str, language: Language) -> bool:
    words = _words_of(language).ordinals
    figure = words.get(ordinal) or re.sub(r"\D", "", ordinal)
    word = next((word for word, n in words.items() if n == figure), None)
    behind = language.source("premises.ordinal_figure")
    forms = [f"{figure}{behind}", *([re.escape(word)] if word else [])]
    return re.search(rf"\b(?:{'|'.join(forms)})\b", near) is not None


def _name_held(name: str, held: Set[str], article: Article, rules: _Words) -> bool:
    """Whether a name, or the last part of a person's, stands near, or all of it in the article."""
    wanted = _name_words(name, rules)
    # "Healey" is John Healey; a court is not the Supreme Court.
    alone = wanted[-1] not in rules.generic and _same(wanted[-1], held, rules)
    if alone or sum(_same(word, held, rules) for word in wanted) * 2 > len(wanted):
        return True
    lead = words(f"{article.source or ''} {article.text[:_LEAD_CHARACTERS]}")
    return all(_same(word, lead | held, rules) for word in wanted)


def same_name(word: str, held: Set[str], language: Language) -> bool:
    """Whether a word of a name, its plural, its adjective or another name for it is among others.

    Args:
        word, held: As `rag.text.names.plain` gives them.
        language: Whose rules hold.
    """
    return _same(word, held, _words_of(language))


def _same(word: str, held: Set[str], rules: _Words) -> bool:
    """Whether a word, its plural or its adjective ("Israeli" for "Israel") is among others."""
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
