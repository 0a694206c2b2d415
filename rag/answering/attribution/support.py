"""Which source sentences support a sentence, decided by code.

Nothing the language model says about its sources is trusted. A sentence is supported by source
sentences that together hold its words, and every number and name in it; otherwise it is not
shown as fact.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from rag.answering.attribution.faithful import (
    exact,
    grounded,
    made_real,
    speaker_dropped,
    told,
    turned_round,
)
from rag.answering.attribution.figures_held import figures_stand_with_names
from rag.answering.evidence import Evidence, same_statement
from rag.text.analysed import Analysed
from rag.text.names import plain, squeeze, tokens

SUPPORTED_SHARE = 0.7
"""Share of a sentence's words that must stand in its sources (or in the question)."""
PARTLY_SHARE = 0.4
GROUNDED_SHARE = 0.5
"""Share of a sentence's words, those of the question too, that its sources must hold at least."""
HELD_SHARE = 0.75
"""The same for a sentence that stands as supported."""
FRAGMENT_HELD_SHARE = 0.6
"""The same of the words of question and answer together, where the answer is a few words."""
_FRAGMENT_TERMS = 4
TOLD_SHARE = 0.4
"""Share of the words of a whole sentence that its source sentences must hold without title and
surroundings."""
MAX_SOURCES = 3
"""Sentences that together support one, at most."""
MAX_FURTHER = 2
"""Articles cited besides, because they say the same by themselves."""
BEARING_COSINE = 0.3
"""Cosine with the question from which a sentence bears on it though it shares no word with it."""
_MIN_VERBATIM = 20  # characters

_LIST = r"\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*"
_BRACKETS = re.compile(rf"\s*(?:\[{_LIST}\]|【{_LIST}】)(?=[\s.,;:!?\[【(]|$)")
_MARK = re.compile(rf"\s*(?:\[{_LIST}\]|【{_LIST}】|\({_LIST}\))(?=[\s.,;:!?\[【(]|$)")


class Status(StrEnum):
    """How a sentence of an answer stands to the sources.

    Values:
        quoted: It stands there word for word.
        supported: Its words, numbers and names stand in the cited spans.
        partly: Some of its words do, or a source only reports it; not shown as fact.
        unsupported: No source supports it; not shown.
    """

    QUOTED = "quoted"
    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What supports a sentence.

    Attributes:
        status: How well.
        sources: The source sentences that support it together, the most important first.
        further: Sentences of other articles that each support it alone; no reprints.
        share: Share of the sentence's words that stand in the sources or in the question, [0, 1].
    """

    status: Status
    sources: tuple[Evidence, ...]
    share: float
    further: tuple[Evidence, ...] = ()

    @property
    def is_quoted(self) -> bool:
        """Whether it stands in a source word for word."""
        return self.status is Status.QUOTED


def strip_marks(text: str, *, of_source: bool = False) -> str:
    """A text without what looks like citation marks, such as `[2]` or `(1, 3)`.

    Numbers in parentheses of four digits (years) and those inside words stay.

    Args:
        text: What a model wrote, or a source.
        of_source: Whether it is a source's: then what stands in parentheses is its own, such as an
            age or votes.
    """
    return (_BRACKETS if of_source else _MARK).sub("", text)


def attribute(sentence: str, question: Analysed, evidence: Sequence[Evidence]) -> Attribution:
    """Find the source sentences that support a sentence.

    Args:
        sentence: Without citation marks.
        question: Its words need no support: an answer repeats them.
        evidence: Source sentences, best first.
    """
    read = Analysed(sentence, question.analyzer)
    evidence = _bearing(question, evidence)
    all_terms = read.content_terms
    wanted = [term for term in all_terms if term not in question.terms]
    source = _verbatim(sentence, evidence)
    alone = [] if source else _alone(read, question, evidence, wanted)
    if alone:
        status = Status.SUPPORTED
        share = _held_share(all_terms, question.terms | alone[0].headed.terms)
        return Attribution(status, (alone[0],), share, _of_others(alone[0], alone[1:]))
    sources = [source] if source else _cover(read, wanted, evidence)
    together = question.terms.union(*(source.headed.terms for source in sources))
    share = _held_share(all_terms, together)
    new_share = sum(term in together for term in wanted) / len(wanted) if wanted else 1.0
    if source and _whole(sentence, source):
        if source.quotation is not None:  # alone it would be nobody's
            return Attribution(Status.PARTLY, (source,), 1.0)
        found = Attribution(Status.QUOTED, (source,), 1.0)
    elif (
        not sources
        or min(share, new_share) < PARTLY_SHARE
        or grounded(all_terms, sources) < GROUNDED_SHARE
        or not _says_something(read, question, wanted)
    ):
        return Attribution(Status.UNSUPPORTED, (), share)
    elif (
        min(share, new_share) < SUPPORTED_SHARE
        or not _held(read, question, sources)
        or not _told(all_terms, wanted, sources)
        or not exact(read, question, sources)
        or not figures_stand_with_names(read, question, sources)
        or turned_round(read, sources, wanted)
        or made_real(read, question, sources, wanted)
        or speaker_dropped(read, question, sources, wanted)
    ):
        return Attribution(Status.PARTLY, tuple(sources), share)
    else:
        status = Status.QUOTED if source else Status.SUPPORTED
        found = Attribution(status, tuple(sources), share)
    if len(found.sources) > 1 or not source:
        return found
    others = _alone(read, question, evidence, wanted)
    return Attribution(found.status, found.sources, found.share, _of_others(source, others))


def _bearing(question: Analysed, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The source sentences that have to do with the question.

    A word that only stands somewhere in an article answers nothing.
    """
    asked = set(question.content_terms)
    return [
        item
        for item in evidence
        if item.cosine >= BEARING_COSINE or not asked.isdisjoint(item.read.terms)
    ]


def _held(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether its sources hold nearly all that a sentence says.

    "Two." says what the question asks: then the words of the question count too.
    """
    terms = sentence.content_terms
    if len(terms) > _FRAGMENT_TERMS or not question.terms.isdisjoint(terms):
        return grounded(terms, sources) >= HELD_SHARE
    return grounded((*question.content_terms, *terms), sources) >= FRAGMENT_HELD_SHARE


def _told(all_terms: Sequence[str], wanted: Sequence[str], sources: Sequence[Evidence]) -> bool:
    """Whether the source sentences themselves tell it.

    Of a few words the heading may have those that the question has. What is new stands in the
    sentence or before it: what a heading tells of one, a sentence below may not tell of another.
    """
    if len(all_terms) > _FRAGMENT_TERMS:
        return told(all_terms, sources) >= TOLD_SHARE
    return all(
        any(term in s.told.terms or term in s.before.terms for s in sources) for term in wanted
    )


def _verbatim(sentence: str, evidence: Sequence[Evidence]) -> Evidence | None:
    """The source sentence in which a sentence stands word for word."""
    bare = squeeze(sentence).lower().strip(" .\"'")
    if len(bare) < _MIN_VERBATIM:
        return None
    return next((item for item in evidence if bare in squeeze(item.text).lower()), None)


def _whole(sentence: str, source: Evidence) -> bool:
    """Whether it is all of the source sentence: a piece may leave out who said it, or "not"."""
    return squeeze(sentence).lower().strip(" .\"'") == squeeze(source.text).lower().strip(" .\"'")


def _says_something(sentence: Analysed, question: Analysed, wanted: Sequence[str]) -> bool:
    """Whether a sentence tells more than the question did.

    A first name put before a name that the question has ("David Lammy" for "Lammy") is no news; a
    name for what the question only calls a party is.
    """
    known = {
        term
        for word, following in pairwise(tokens(sentence.text))
        if word[0].isupper() and following[0].isupper() and plain(following) in question.names
        for term in sentence.analyzer.terms(word)
    }
    return any(term not in known for term in wanted)


def _cover(
    sentence: Analysed, wanted: Sequence[str], evidence: Sequence[Evidence]
) -> list[Evidence]:
    """Few source sentences that together hold the wanted words and figures: greedy set cover.

    Equal covers are decided by what stands in the source sentence itself and not only in its
    heading, then by how much of the whole sentence it holds, and then by the order of the evidence,
    so a sentence that only repeats the question ("no, he did not") is supported by the best one.
    """
    chosen: list[Evidence] = []
    missing: set[object] = {*wanted, *sentence.claimed_values}
    all_terms = set(sentence.content_terms)

    def gain(source: Evidence) -> tuple[int, int, int]:
        if not missing:
            return 0, 0, 0
        held = {*source.headed.terms, *source.headed.values}
        own = {*source.read.terms, *source.read.values}
        return len(missing & held), len(missing & own), len(all_terms & source.headed.terms)

    while len(chosen) < MAX_SOURCES:
        best = max(evidence, key=gain, default=None)
        new = gain(best)[0] if best else 0
        if best is None or (chosen and new < 2) or (missing and not new):
            break
        chosen.append(best)
        missing -= {*best.headed.terms, *best.headed.values}
        if not missing:
            break
    return chosen


def _alone(
    sentence: Analysed, question: Analysed, evidence: Sequence[Evidence], wanted: Sequence[str]
) -> list[Evidence]:
    """The source sentences that each support it alone, those first that hold most of it.

    None where it says nothing that the question did not.
    """
    if not _says_something(sentence, question, wanted):
        return []
    all_terms = sentence.content_terms
    found = [
        item
        for item in evidence
        if _held_share(wanted, item.headed.terms) >= SUPPORTED_SHARE
        and _told(all_terms, wanted, [item])
        and _held(sentence, question, [item])
        and exact(sentence, question, [item])
        and figures_stand_with_names(sentence, question, [item])
        and not turned_round(sentence, [item], wanted)
        and not made_real(sentence, question, [item], wanted)
        and not speaker_dropped(sentence, question, [item], wanted)
    ]
    return sorted(found, key=lambda item: -_holds(item, all_terms, wanted))


def _holds(source: Evidence, all_terms: Sequence[str], wanted: Sequence[str]) -> int:
    """How many of the words stand there; new ones count twice where they do not only head it."""
    return len(source.headed.terms & set(all_terms)) + len(source.told.terms & set(wanted))


def _held_share(terms: Sequence[str], held: Set[str]) -> float:
    """Share of terms that are held, [0, 1]; 1 of none."""
    return sum(term in held for term in terms) / len(terms) if terms else 1.0


def _of_others(source: Evidence, alone: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Sentences of other articles that support it too.

    A reprint is no second source, and an article of another time may tell of another event.
    """
    found: list[Evidence] = []
    for item in alone:
        if len(found) == MAX_FURTHER:
            break
        stories = {other.story for other in (source, *found)}
        if (
            item.story not in stories
            and item.in_window is source.in_window
            and not any(same_statement(item, other) for other in (source, *found))
        ):
            found.append(item)
    return tuple(found)
