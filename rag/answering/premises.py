"""Premises: what a question takes for granted, held against what is cited.

"Who won the 2010 World Cup?" is not answered by a sentence about 1993, and the chief executive is
not the chairman. A sentence may serve as support only if what stands around it (its paragraph, the
title, the day of its article) bears out the years, days, roles, ordinals, amounts and names of the
question. Rules for English.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.article import Article
from rag.text.days import resolve
from rag.text.names import plain, words
from rag.text.numbers import find_numbers
from rag.text.periods import Period

PremiseKind = Literal["year", "day", "role", "ordinal", "amount", "name"]
STRICT: tuple[PremiseKind, ...] = ("year", "day", "role", "ordinal")
"""Kinds that must hold where the source stands; names and amounts may stand further off."""
_TOLD_AFTER = datetime.timedelta(21)
"""Articles published that long after an event still tell it as news."""
_NEAR_CHARACTERS = 600
_CLOSE_CHARACTERS = 400
_LEAD_CHARACTERS = 800
"""The beginning of an article, which says what all of it is about."""

_YEAR = re.compile(r"(?<![\d.,$£€])(?:1[5-9]|20)\d\d(?![\d,%]|\.\d)")
_PART = r"(?:(?:[A-Z]\.)+|[A-Z][\w’'&-]*)"
_NAME = re.compile(rf"(?<![\w’'.]){_PART}(?:\s+(?:of\s+(?:the\s+)?|the\s+)?{_PART})*")
# Names of one role, and of no other.
_ROLES = (
    "chairman|chairwoman|chairperson|chair", "ceo|chief executive", "president", "vice president",
    "prime minister|premier", "chancellor", "foreign minister|foreign secretary",
    "finance minister", "defence secretary|defence minister|defense secretary|defense minister"
    "|secretary of defense",
    "captain|skipper", "coach|manager", "mayor", "governor", "speaker", "attorney general",
    "secretary general|secretary-general", "chief financial officer|cfo", "king", "queen", "pope",
    "justice", "judge", "secretary of state", "police chief|chief of police",
    "fire chief|fire department chief", "general manager", "goalkeeper", "best actor",
    "best actress", "supporting actor", "supporting actress",
    "deputy", "founder|co-founder", "director", "owner", "editor", "runner-up",
)  # fmt: skip
_ROLE = {role: group.split("|") for group in _ROLES for role in group.split("|")}
_ROLE_WORD = re.compile(
    rf"\b(?:{'|'.join(re.escape(role) for role in sorted(_ROLE, key=len, reverse=True))})\b", re.I
)
_ORDINALS = "second third fourth fifth sixth seventh eighth ninth tenth".split()  # noqa: SIM905
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)}|\d{{1,3}}(?:nd|rd|th|st))\b", re.IGNORECASE)
_ORDINAL_FIGURE = {word: f"{n}" for n, word in enumerate(_ORDINALS, start=2)}
# The same thing under other names, as news writes them.
_ALIASES = (
    "us u.s usa america american americans states", "uk u.k britain british", "eu european",
    "un u.n nations", "france french", "spain spanish", "germany german", "netherlands dutch",
    "china chinese", "wales welsh", "ireland irish", "denmark danish", "sweden swedish",
    "switzerland swiss", "turkey turkish", "poland polish", "greece greek", "iraq iraqi",
    "ukraine ukrainian kyiv", "russia russian kremlin", "israel israeli", "scotland scottish",
    "england english", "mexico mexican", "gop republican republicans", "democrat democrats "
    "democratic", "nyc york", "la angeles", "fed reserve", "doj justice", "congress house senate",
)  # fmt: skip
_ALIAS = {word: frozenset(group.split()) for group in _ALIASES for word in group.split()}
_ASKING = frozenset(
    """
    which who what when where why how whose whom did does do is are was were has have had the a an
    in on at of for to from by with and or but if i it he she they this that these those
    """.split()  # noqa: SIM905
)
_FREE = _ASKING | frozenset(
    """
    president prime minister mr mrs ms dr sir lord
    senator governor secretary former new first last name one two according january february march
    april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday
    """.split()  # noqa: SIM905
)


# Last words of names that many have in common.
_GENERIC = frozenset(
    """
    court house museum university college river ocean sea lake department agency party prize cup
    open award awards games league school hospital park airport bank union city state states county
    island islands street center centre fire act day week year series championship festival church
    army navy police office council committee administration association company group times post
    news bridge tower hotel airlines airways motors bowl derby summit accord agreement bill law
    """.split()  # noqa: SIM905
)


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


def read_premises(question: str, periods: Sequence[Period], asked_from: int = 0) -> list[Premise]:
    """What a question takes for granted.

    Args:
        question: The question.
        periods: Those that it names (`rag.text.periods`).
        asked_from: Where the sentence begins that asks; of what is told before only names count.
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
    found += [
        Premise("role", match.group())
        for match in _ROLE_WORD.finditer(question, asked_from)
        # "President Trump" names somebody; "the president of France" asks for a role.
        if not re.match(r"\s+[A-Z]", question[match.end() :])
        and not question[match.end() :].startswith(("’s ", "'s "))
    ]
    found += [Premise("ordinal", match.group()) for match in _ORDINAL.finditer(question, asked_from)
              if match.start() not in dated]  # fmt: skip
    found += [
        Premise("amount", question[number.start : number.end])
        for number in find_numbers(question)
        if number.start not in dated
        and number.start >= asked_from
        and number.value > 2
        and not _ORDINAL.match(question, number.start)
        and not _YEAR.fullmatch(question[number.start : number.end])
    ]
    found += [
        Premise("name", name)
        for match in _NAME.finditer(question)
        if not dated & set(range(*match.span())) and (name := _bare(match.group()))
    ]
    return found


def _bare(name: str) -> str:
    """A name without the words of a question before it; empty if nothing of a name is left."""
    parts = name.split()
    while parts and plain(parts[0]) in _ASKING:
        parts = parts[1:]
    return " ".join(parts) if _name_words(" ".join(parts)) else ""


def _name_words(name: str) -> list[str]:
    parts = name.replace("&", " ").split()
    return [word for word in map(plain, parts) if word and word not in _FREE]


def missing(premises: Sequence[Premise], article: Article, start: int, end: int) -> list[Premise]:
    """The premises that what stands around a span does not bear out.

    Args:
        premises: Of the question.
        article: The article of the span.
        start, end: A sentence of its text.
    """
    if not premises:
        return []
    text = article.text
    sentence = text[start:end]
    near = (
        f"{article.title}\n{text[max(0, start - _NEAR_CHARACTERS) : end + _NEAR_CHARACTERS // 2]}"
    )
    held = words(near)
    lacking = []
    for premise in premises:
        if premise.kind in ("year", "day"):
            ok = _time_held(premise, article, sentence, near, start, end)
        elif premise.kind == "role":
            ok = any(
                re.search(rf"\b{re.escape(role)}s?\b", near, re.IGNORECASE)
                for role in _ROLE[premise.text.lower()]
            )
        elif premise.kind == "ordinal":
            close = text[max(0, start - _CLOSE_CHARACTERS) : end + _CLOSE_CHARACTERS]
            ok = _ordinal_held(premise.text.lower(), f"{article.title} {close}".lower())
        elif premise.kind == "amount":
            wanted = {n.key for n in find_numbers(premise.text)}
            ok = bool(wanted & {n.key for n in find_numbers(near)}) or bool(
                wanted & {n.key for n in find_numbers(text)}
            )
        else:
            ok = _name_held(premise.text, held, article)
        if not ok:
            lacking.append(premise)
    return lacking


def _time_held(
    premise: Premise, article: Article, sentence: str, near: str, start: int, end: int
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
        meant = resolve(article.text, start, end, published)
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
    return _names_day(premise, near)


def _names_day(premise: Premise, near: str) -> bool:
    """Whether the text names the day or month with its name: "on 4 July" for "July 4, 1776"."""
    assert premise.first is not None
    assert premise.last is not None
    month = premise.first.strftime("%B")
    short = month if len(month) < 5 else f"(?:{month}|{month[:3]}\\.?)"
    if premise.first == premise.last:
        day = premise.first.day
        named = rf"\b(?:{short}\s+{day}|{day}(?:st|nd|rd|th)?\s+(?:of\s+)?{short})(?!\d)"
    else:
        named = rf"\b{short}\b"
    return re.search(named, near) is not None


def _ordinal_held(ordinal: str, near: str) -> bool:
    figure = _ORDINAL_FIGURE.get(ordinal) or re.sub(r"\D", "", ordinal)
    word = next((word for word, n in _ORDINAL_FIGURE.items() if n == figure), None)
    forms = [rf"{figure}(?:st|nd|rd|th)", *([word] if word else [])]
    return re.search(rf"\b(?:{'|'.join(forms)})\b", near) is not None


def _name_held(name: str, held: set[str], article: Article) -> bool:
    """Whether a name, or the last part of a person's, stands near, or all of it in the article."""
    wanted = _name_words(name)
    # "Healey" is John Healey; a court is not the Supreme Court.
    alone = wanted[-1] not in _GENERIC and _same(wanted[-1], held)
    if alone or sum(_same(word, held) for word in wanted) * 2 > len(wanted):
        return True
    lead = words(f"{article.source or ''} {article.text[:_LEAD_CHARACTERS]}")
    return all(_same(word, lead | held) for word in wanted)


def _same(word: str, held: set[str]) -> bool:
    """Whether a word, its plural or its adjective ("Israeli" for "Israel") is among others."""
    if word in held or any(alias in held for alias in _ALIAS.get(word, ())):
        return True
    stem = word.rstrip("s")
    if len(stem) < 5:
        return stem in held or f"{stem}s" in held
    return any(other.startswith(stem[:-1] if len(stem) > 6 else stem) for other in held)
