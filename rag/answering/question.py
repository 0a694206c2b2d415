"""The question: what is asked for, about which time, and what it takes for granted.

Read once and carried through the answer. Rules for English.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from rag.answering.premises import Premise, read_premises
from rag.errors import QuestionError
from rag.index.opened import OpenIndex
from rag.retrieval.spelling import Correction, correct_names
from rag.text.language import other_language
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


# Not behind initials: "K.P. Sharma Oli".
_LAST_SENTENCE = re.compile(r"(?:.*[a-z\d’'”\")]{2}[.!?][”\"’']?\s+)?(?P<last>\S.*)", re.DOTALL)
_VERBS = (
    r"did|do|does|were|was|are|is|have|has|had|will|would|can|could|should|may|might|must"
    r"|\w{3,}ed|sold|won|lost|took|made|got|left|met|said|hit|ran|went|came|saw|gave|became"
    r"|began|fell|held|kept|led|paid|put|quit|rose|sent|shut|spent|wrote|cut|built|bought"
)
# "Which supermarket chains and retailers sold": a plural right before what they did.
_PLURAL = re.compile(
    rf"^(?:\w+\s+)?(?:which|what)\s+(?:[\w’'-]+\s+){{0,4}}?(?!(?:has|was|does|his|this)\b)"
    rf"[\w’'-]*[^\Wsui]s\s+"
    rf"(?:(?:and|or)\s+[\w’'-]+s\s+)?(?:{_VERBS})\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"^(?:\w+\s+)?(?:which|what)\s+(?:of\b|one\b|two\b|three\b|four\b|five\b|\d|(?:is|are|was|were)\b)",
    re.IGNORECASE,
)
_RULES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            Kind.TIMELINE,
            r"\btime-?line\b|\bchronolog|\bsequence of events\b|^trace\b|\bunfold(?:ed|s)?\b"
            r"|\bdated steps\b|\bstep by step\b|\bday by day\b|\border of events\b"
            r"|\bwhat happened\b.*\bbetween\b.*\band\b",
        ),
        (
            Kind.SUMMARY,
            r"\bsummar(?:y|i[sz]e)\b|^(?:please\s+)?(?:sum up|recap|outline|describe|brief me)\b"
            r"|^(?:give|write|make)\s+(?:me\s+)?(?:an?\s+)?(?:short\s+|brief\s+)?(?:overview|brief)"
            r"|^(?:tell me|what is known|what do we know)\s+about\b",
        ),
        (
            Kind.COMPARE,
            r"^(?!(?:by )?how (?:many|much|far|long)\b|who\b)"
            r".*\b(?:compare[ds]?|differ(?:s|ed|ences?)?|versus|vs)\b|\bdisagree"
            r"|\b(?:do|does|did) not agree\b|\beach (?:version|side|source|paper|report)\b"
            r"|\bchange(?:d)?\b.*\b(?:between|from)\b.*\b(?:and|to)\b"
            r"|\bwhat (?:did|do|does) .+ say and what (?:did|do|does)\b",
        ),
        (
            Kind.DATED,
            r"\bwhat(?:’s|'s| is| was| has been| were)\s+(?:new|reported|said|announced)\b"
            r"|\bwhat did (?:the )?(?:latest|newest) (?:reports?|articles?|news)\b"
            r"|\bwhat happened (?:on|today|yesterday|this week|since)\b"
            r"|\b(?:the )?(?:latest|news) (?:on|about)\b",
        ),
        (
            Kind.WHEN,
            r"^(?:and\s+)?(?:when\b|since when|until when|on (?:what|which) (?:date|day)"
            r"|(?:what|which) (?:date|day|year|month)\b|in (?:what|which) (?:year|month)\b)",
        ),
        (
            Kind.WHY,
            r"^(?:and\s+)?(?:why\b|how come\b|what (?:made|caused|led|prompted)\b"
            r"|for what reasons?\b"
            r"|what (?:is|was|were|are) the (?:reasons?|causes?)\b"
            r"|how (?:did|do|does|was|were|is|are|can|could|has|have)\b)",
        ),
        (
            Kind.YESNO,
            r"^(?:and\s+)?(?:did|does|do|is|are|was|were|has|have|had|can|could|will|would|should)\b",
        ),
        (
            Kind.LIST,
            r"^(?:please\s+)?(?:list|name|enumerate)\s+(?:all|the|every|some)\b"
            r"|^(?:who|what) (?:are|were) all\b",
        ),
    )
)


def kind_of(question: str) -> Kind:
    """The kind of answer that a question wants; `fact` where that is unclear.

    Only its last sentence counts, unless one before it is an order: "A plane crashed. Where?"
    """
    text = question.strip()
    asked = text[_asked_from(text) :]
    for kind, pattern in _RULES:
        if pattern.search(asked) or (kind is Kind.SUMMARY and pattern.search(text)):
            return kind
    if _PLURAL.match(asked) and not _COUNTED.match(asked):
        return Kind.LIST
    return Kind.FACT


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
        asked_on: The day on which it is asked.
        kind: What kind of answer it wants.
        uses_window: Whether the time that it speaks of is searched first.
        corrections: Names in `text` that were written otherwise.
        written: As it was written, where that differs from `text`.
        language: Another language than the index's that it is in, by its name; empty if it is in
            the index's.
    """

    text: str
    asked_on: datetime.date
    kind: Kind
    uses_window: bool = True
    corrections: tuple[Correction, ...] = ()
    written: str = ""
    language: str = ""

    @classmethod
    def read(
        cls,
        text: str,
        *,
        asked_on: datetime.date | None = None,
        kind: Kind | None = None,
        uses_window: bool = True,
    ) -> Question:
        """A question as it is asked.

        Args:
            text: Normalised (`rag.readers.normalise`).
            asked_on: None takes today.
            kind: None lets it be recognised.
            uses_window: Whether the time that it speaks of is searched first.
        """
        asked_on = asked_on or datetime.date.today()
        return cls(text, asked_on, kind or kind_of(text), uses_window)

    def for_index(self, index: OpenIndex) -> Question:
        """As an index can be asked it: names as the index has them, if it is in its language."""
        if language := other_language(self.text, index.manifest.config.language):
            return replace(self, language=language)
        text, corrections = correct_names(self.text, index)
        if not corrections:
            return self
        return replace(self, text=text, corrections=corrections, written=self.text)

    @cached_property
    def periods(self) -> list[Period]:
        """The periods that it names."""
        return find_periods(self.text, self.asked_on)

    @cached_property
    def premises(self) -> list[Premise]:
        """What it takes for granted, and a source must bear out."""
        return read_premises(self.text, self.periods, _asked_from(self.text))
