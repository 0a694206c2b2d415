"""Holding the premises of a question against what stands around a sentence."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rag.answering.premise_words import (
    YEAR,
    PremiseWords,
    name_words,
    premise_words,
    same_name,
)
from rag.answering.premises import Premise, PremiseKind
from rag.article import Article
from rag.text.days import resolve
from rag.text.language import Language
from rag.text.names import words
from rag.text.numbers import find_numbers

_TOLD_AFTER = datetime.timedelta(21)
"""Articles published that long after an event still tell it as news."""
_NEAR_CHARACTERS = 600
_CLOSE_CHARACTERS = 400
_EVENT_CHARACTERS = 200
_YEAR_CHARACTERS = 300
_LEAD_CHARACTERS = 800
"""The beginning of an article, which says what all of it is about."""


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
    place = _Place(article, start, end, language, before_tells)
    return [premise for premise in premises if not _HOLDS[premise.kind](premise, place)]


@dataclass(frozen=True)
class _Place:
    """A sentence with what stands around it; the attributes are those of `missing`."""

    article: Article
    start: int
    end: int
    language: Language
    before_tells: bool

    def around(self, before: int, after: int) -> str:
        """The sentence with so many characters before and behind it."""
        return self.article.text[max(0, self.start - before) : self.end + after]

    def before(self, n_characters: int) -> str:
        """What stands just before the sentence."""
        return self.article.text[max(0, self.start - n_characters) : self.start]

    def behind(self, n_characters: int) -> str:
        """What stands just behind it."""
        return self.article.text[self.end : self.end + n_characters]

    @cached_property
    def sentence(self) -> str:
        """The sentence itself."""
        return self.around(0, 0)

    @cached_property
    def near(self) -> str:
        """The title, and what stands near."""
        return f"{self.article.title}\n{self.around(_NEAR_CHARACTERS, _NEAR_CHARACTERS // 2)}"

    @cached_property
    def near_words(self) -> frozenset[str]:
        """The words of title and surroundings."""
        return frozenset(words(self.near))

    @property
    def rules(self) -> PremiseWords:
        """The words that make premises in its language."""
        return premise_words(self.language)


def _time_held(premise: Premise, place: _Place) -> bool:
    assert premise.first is not None
    assert premise.last is not None
    years = {int(year) for year in YEAR.findall(place.sentence)}
    wanted = set(range(premise.first.year, premise.last.year + 1))
    if premise.kind == "year" and years:
        return bool(years & wanted)
    published = place.article.published
    if published:
        told = premise.first <= published <= premise.last + _TOLD_AFTER
        meant = resolve(place.article.text, place.start, place.end, published, place.language)
        if any(day.first <= premise.last and day.last >= premise.first for day in meant):
            return True
        if told and not years - wanted:
            # An article of that year tells of others too, below a heading or a sentence on one.
            before = YEAR.findall(place.before(_YEAR_CHARACTERS))
            return bool(years) or not before or int(before[-1]) in wanted
    if premise.kind == "year":
        # The year named last before the sentence is that of what it tells; else the next one.
        before = YEAR.findall(f"{place.article.title} {place.before(_NEAR_CHARACTERS)}")
        behind = YEAR.findall(place.behind(_NEAR_CHARACTERS // 2))
        named = before[-1:] or behind[:1]
        return bool(named) and int(named[0]) in wanted
    return _names_day(premise.first, premise.last, place)


def _names_day(first: datetime.date, last: datetime.date, place: _Place) -> bool:
    """Whether the text names the day or month with its name: "on 4 July" for "July 4, 1776"."""
    month = place.language.listed("calendar.months")[first.month - 1].capitalize()
    short = month if len(month) < 5 else f"(?:{month}|{month[:3]}\\.?)"
    if first == last:
        day = first.day
        named = rf"\b(?:{short}\s+{day}|{day}(?:st|nd|rd|th)?\s+(?:of\s+)?{short})(?!\d)"
    else:
        named = rf"\b{short}\b"
    return re.search(named, place.near) is not None


def _role_held(premise: Premise, place: _Place) -> bool:
    return place.rules.role_forms(premise.text).search(place.near) is not None


def _office_held(premise: Premise, place: _Place) -> bool:
    """Whether the article leaves open that this is whose office it is."""
    return place.rules.may_hold(premise.text, place.article.text)


def _event_held(premise: Premise, place: _Place) -> bool:
    told = place.rules.events[premise.text]
    if told.search(place.sentence):
        return True
    # A title that asks tells nothing.
    title = "" if "?" in place.article.title else f"{place.article.title}\n"
    return (
        place.before_tells
        and told.search(f"{title}{place.before(_EVENT_CHARACTERS)}{place.sentence}") is not None
    )


def _superlative_held(premise: Premise, place: _Place) -> bool:
    finest, utmost = place.rules.finest, place.rules.utmost
    asks_best = finest.search(premise.text) and not utmost.search(premise.text)
    return (finest if asks_best else utmost).search(place.sentence) is not None


def _ordinal_held(premise: Premise, place: _Place) -> bool:
    close = f"{place.article.title} {place.around(_CLOSE_CHARACTERS, _CLOSE_CHARACTERS)}"
    return place.rules.ordinal_forms(premise.text).search(close) is not None


def _score_held(premise: Premise, place: _Place) -> bool:
    """Whether the article has the result, from the one side or the other: "3-1", "Lindal 1"."""
    one, two = re.findall(r"\d+", premise.text)
    between = r"(?:\s?[-–/]\s?|\s+to\s+|[^\d.!?]{2,30}\s)"
    told = rf"(?<!\d)(?:{one}{between}{two}|{two}{between}{one})(?!\d)"
    return re.search(told, f"{place.article.title}\n{place.article.text}") is not None


def _amount_held(premise: Premise, place: _Place) -> bool:
    wanted = {number.key for number in find_numbers(premise.text, place.language)}
    return any(
        not wanted.isdisjoint(number.key for number in find_numbers(text, place.language))
        for text in (place.near, place.article.text)
    )


def _name_held(premise: Premise, place: _Place) -> bool:
    """Whether a name, or the last part of a person's, stands near, or all of it in the article."""
    held, rules = place.near_words, place.rules
    wanted = name_words(premise.text, rules)
    ruler = rules.ruler_in(premise.text)
    if ruler and not same_name(ruler, held | words(place.article.text), place.language):
        return False
    # "North Carolina" is not South Carolina.
    if not all(word in held for word in wanted if word in rules.sides):
        return False
    # "Healey" is John Healey; a court is not the Supreme Court.
    if not rules.is_generic(wanted[-1]) and same_name(wanted[-1], held, place.language):
        return True
    own = [word for word in wanted if not rules.is_generic(word)]
    if all(
        sum(same_name(word, held, place.language) for word in part) * 2 > len(part)
        for part in (wanted, own)
        if part
    ):  # a gold medal is not the Congressional Gold Medal
        return True
    lead = words(f"{place.article.source or ''} {place.article.text[:_LEAD_CHARACTERS]}")
    return all(same_name(word, lead | held, place.language) for word in wanted)


_HOLDS: dict[PremiseKind, Callable[[Premise, _Place], bool]] = {
    "year": _time_held,
    "day": _time_held,
    "role": _role_held,
    "office": _office_held,
    "ordinal": _ordinal_held,
    "superlative": _superlative_held,
    "event": _event_held,
    "score": _score_held,
    "amount": _amount_held,
    "name": _name_held,
}
