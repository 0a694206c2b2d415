"""The question: what is asked for, about which time, and what it takes for granted.

Read once and carried through the answer. In a language without rules every question asks for a
fact, of no time.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, cached_property

from rag.answering.premises import Premise, read_premises
from rag.answering.sides import named_sources, without_sources
from rag.errors import QuestionError
from rag.index.opened import OpenIndex
from rag.retrieval.capitals import with_capitals, written_small
from rag.retrieval.spelling import Correction, correct_names
from rag.text.days import resolve
from rag.text.detect_language import other_language
from rag.text.language import Language
from rag.text.periods import Period, find_periods


class Kind(StrEnum):
    """What kind of answer a question wants.

    Values:
        fact: One fact; what an unclear question is taken for.
        when: A day.
        yesno: Yes or no, with the sentence that decides.
        why: A reason, or how something came about.
        list: Several things of one kind.
        summary: What happened, in a few sentences.
        timeline: Events by the day they happened.
        compare: What sources or days say, side by side.
        dated: What was reported in a period.
    """

    FACT = "fact"
    WHEN = "when"
    YESNO = "yesno"
    WHY = "why"
    LIST = "list"
    SUMMARY = "summary"
    TIMELINE = "timeline"
    COMPARE = "compare"
    DATED = "dated"


_AHEAD = datetime.timedelta(120)
"""So far ahead a day without its year lies at most in a question of what will be."""
# Not behind initials: "K.P. Sharma Oli".
_LAST_SENTENCE = re.compile(r"(?:.*[a-z\d’'”\")]{2}[.!?][”\"’']?\s+)?(?P<last>\S.*)", re.DOTALL)


def kind_of(question: str, language: Language) -> Kind:
    """The kind of answer that a question wants; `fact` where that is unclear.

    Only its last sentence counts, unless one before it is an order: "A plane crashed. Where?"
    """
    text = question.strip()
    asked = text[_asked_from(text) :]
    for kind, pattern in _rules(language):
        if pattern.search(asked) or (kind is Kind.SUMMARY and pattern.search(text)):
            return kind
    plural, counted = map(language.pattern, ("questions.plural", "questions.counted"))
    if plural.match(asked) and not counted.match(asked):
        return Kind.LIST
    return Kind.FACT


@cache
def _rules(language: Language) -> list[tuple[Kind, re.Pattern[str]]]:
    return [
        (Kind(kind), re.compile(language.filled(pattern, "questions"), re.IGNORECASE))
        for kind, pattern in language.groups("questions.kinds")
    ]


def _asked_from(question: str) -> int:
    """Where the last sentence of a question begins, the one that asks."""
    last = _LAST_SENTENCE.match(question)
    return last.start("last") if last else 0


def kind_named(kind: Kind | str | None) -> Kind | None:
    """A kind as people name it.

    Raises:
        QuestionError: there is none of that name.
    """
    try:
        return None if kind is None else Kind(kind)
    except ValueError as error:
        raise QuestionError(
            f"{kind!r} is no kind of answer", mend=f"name one of: {', '.join(Kind)}"
        ) from error


def day_of(day: datetime.date | str | None) -> datetime.date | None:
    """A day as people write it.

    Raises:
        QuestionError: it is none.
    """
    if not isinstance(day, str):
        return day
    try:
        return datetime.date.fromisoformat(day)
    except ValueError as error:
        raise QuestionError(f"{day!r} is not a day", mend="write days as 2024-08-31") from error


@dataclass(frozen=True)
class Question:
    """A question with all that is read of it once.

    Attributes:
        text: As it is searched, normalised as the articles are.
        language: Whose rules it is read by.
        asked_on: The day on which it is asked.
        kind: What kind of answer it wants.
        uses_window: Whether the time that it speaks of is searched first.
        corrections: Names in `text` that were written otherwise.
        written: As it was written, where that differs from `text`.
        foreign: Another language than the index's that it is in, by its name; empty if it is in
            the index's.
        small: Words with a capital that the index writes without: those that begin a sentence.
        sides: Publishers that a comparison names, two or more, in its order.
        of_article: Whether it is the heading of the one article that is read: then it takes nothing
            for granted that the article would have to bear out.
    """

    text: str
    language: Language
    asked_on: datetime.date
    kind: Kind
    uses_window: bool = True
    corrections: tuple[Correction, ...] = ()
    written: str = ""
    foreign: str = ""
    small: frozenset[str] = frozenset()
    sides: tuple[str, ...] = ()
    of_article: bool = False

    @classmethod
    def read(
        cls,
        text: str,
        language: Language,
        *,
        asked_on: datetime.date | None = None,
        kind: Kind | None = None,
        uses_window: bool = True,
    ) -> Question:
        """A question as it is asked.

        Args:
            text: Normalised (`rag.readers.normalise`).
            language: Of the articles that are asked.
            asked_on: None takes today.
            kind: None lets it be recognised.
            uses_window: Whether the time that it speaks of is searched first.
        """
        asked_on = asked_on or datetime.date.today()
        return cls(text, language, asked_on, kind or kind_of(text, language), uses_window)

    def for_index(self, index: OpenIndex) -> Question:
        """As an index can be asked it: names as the index has them, if it is in its language."""
        if foreign := other_language(self.text, index.manifest.config.language):
            return replace(self, foreign=foreign)
        text, corrections = correct_names(self.text, index)
        text = with_capitals(text, index)
        changed = replace(self, small=written_small(text, index))
        if self.kind is Kind.COMPARE:
            sides = named_sources(text, index.catalog.sources)
            changed = replace(changed, sides=tuple(sides) if len(sides) > 1 else ())
        if text == self.text:
            return changed
        return replace(changed, text=text, corrections=corrections, written=self.text)

    @property
    def searched(self) -> str:
        """What articles are searched for: the question without the publishers that it compares."""
        return without_sources(self.text, self.sides) if self.sides else self.text

    @cached_property
    def periods(self) -> list[Period]:
        """The periods that it names; a day without its year is the next one where it asks ahead."""
        plans = self.language.pattern("periods.plans").search(self.text)
        ahead = _AHEAD if plans and not self.asks_past else datetime.timedelta(0)
        return find_periods(self.text, self.asked_on, self.language, ahead=ahead)

    @cached_property
    def days(self) -> frozenset[datetime.date]:
        """The single days that it names relative to its own: "yesterday", "on Tuesday"."""
        named = resolve(self.text, 0, len(self.text), self.asked_on, self.language)
        return frozenset(phrase.first for phrase in named if phrase.first == phrase.last)

    @cached_property
    def ahead(self) -> str:
        """The words for a time after the day of asking in a question of what happened then.

        What is to come has a past too: "Who was nominated for the 2026 award?"
        """
        if self.language.pattern("questions.to_come").search(self.text):
            return ""
        for period in self.periods:
            if period.strength == "event" and period.first > self.asked_on and self.asks_past:
                return period.text
        decided = self.language.pattern("questions.decided").search(self.text)
        return (
            decided.group("year") if decided and int(decided["year"]) > self.asked_on.year else ""
        )

    @property
    def asks_past(self) -> bool:
        """Whether it asks for what has happened."""
        return self.language.pattern("periods.past").search(self.text) is not None

    @property
    def asks_count_so_far(self) -> bool:
        """Whether it asks for a count that goes on, of which the newest article knows most."""
        return self.kind is Kind.FACT and bool(
            self.language.pattern("wanted.running").search(self.text)
        )

    @property
    def asks_why(self) -> bool:
        """Whether it asks for a reason, and not how something was done."""
        return self.language.pattern("questions.asks_why").search(self.text) is not None

    @cached_property
    def premises(self) -> list[Premise]:
        """What it takes for granted, and a source must bear out."""
        if self.of_article:
            return []
        asked_from = _asked_from(self.text)
        read = read_premises(self.text, self.periods, self.language, asked_from, self.small)
        # Who publishes an article is not named in it.
        return [one for one in read if not (one.kind == "name" and self._is_side(one.text))]

    def _is_side(self, name: str) -> bool:
        return bool(named_sources(name, self.sides))
