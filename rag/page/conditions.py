"""How a question was asked beside its words: shown with the answer, and changeable there.

What the question was taken for, which days were searched first, what the search was narrowed to. A
change asks the question again, as another turn: what was answered before stays.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rag import Answer, AnswerStatus, Filter, Kind
from rag.page.markup import plain_day, text

_KINDS = {
    Kind.FACT: "a fact",
    Kind.WHEN: "a day",
    Kind.YESNO: "yes or no",
    Kind.WHY: "a reason",
    Kind.LIST: "a list",
    Kind.SUMMARY: "a summary",
    Kind.TIMELINE: "a timeline",
    Kind.COMPARE: "a comparison",
    Kind.DATED: "what was reported in a time",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """How a question was asked.

    Attributes:
        text: What was handed on in place of the words typed; None where those were.
        filter: What the search was narrowed to.
        kind: What kind of answer was wanted; None lets it be recognised.
        any_time: Whether the time that the question speaks of was not searched first.
    """

    text: str | None = None
    filter: Filter = field(default_factory=Filter)
    kind: Kind | None = None
    any_time: bool = False


class Again(BaseModel):
    """A change that a button of an answer stands for; page.js sends it back.

    Attributes:
        turn: Number of the turn.
        kind: Ask for this instead.
        any_time: Do not search the time that the question speaks of first.
        all_days, all_sources: Without the days, or publishers, that it was narrowed to.
        as_written: Search the words as they were written, without what they were taken for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: int
    kind: Kind | None = None
    any_time: bool = False
    all_days: bool = False
    all_sources: bool = False
    as_written: bool = False

    @property
    def attribute(self) -> str:
        """The attribute of a button that asks so."""
        return f'data-again="{text(self.model_dump_json(exclude_defaults=True))}"'


def changed(how: Asking, question: str, answer: Answer | None, again: Again) -> Asking:
    """How the question is asked again.

    Args:
        how: How it was asked.
        question: As typed.
        answer: What was answered, if anything: its question stands alone.
        again: What is to be otherwise.
    """
    words = how.text or question
    if answer is not None:
        words = answer.searched
        for one in answer.corrections if again.as_written else ():
            words = words.replace(one.meant, f"“{one.written}”")
    filter = how.filter
    if again.all_days:
        filter = filter.model_copy(update={"since": None, "until": None, "undated": False})
    if again.all_sources:
        filter = filter.model_copy(update={"source": ()})
    return replace(
        how,
        text=words,
        filter=filter,
        kind=again.kind or how.kind,
        any_time=how.any_time or again.any_time,
    )


def show(turn: int, answer: Answer, how: Asking) -> str:
    """The conditions of an answer, each with what changes it."""
    others = "".join(
        f'<button type="button" {Again(turn=turn, kind=kind).attribute}>{name}</button>'
        for kind, name in _KINDS.items()
        if kind is not answer.kind
    )
    chips = [
        f'<details class="menu kind"><summary>Asked for {_KINDS[answer.kind]}'
        f'</summary><div role="group" aria-label="Ask it again for">{others}</div></details>'
    ]
    if answer.window:
        chips.append(
            _chip(
                f"Articles {_days(*answer.window)} searched first",
                "Search all times alike",
                Again(turn=turn, any_time=True),
            )
        )
    return (
        '<div class="conditions" role="group" aria-label="How it was asked">'
        f"{''.join(chips)}{narrowed(turn, how.filter)}</div>"
    )


def narrowed(turn: int, filter: Filter) -> str:
    """What the search was narrowed to, each part with a button that asks without it."""
    chips = ""
    if filter.since or filter.until:
        words = f"Only articles {_days(filter.since, filter.until)}"
        words += ", or without a date" if filter.undated else ""
        chips += _chip(words, "Search all days", Again(turn=turn, all_days=True))
    if filter.source:
        words = f"Only by {' or '.join(filter.source)}"
        chips += _chip(words, "Search all sources", Again(turn=turn, all_sources=True))
    return chips


def widen(turn: int, answer: Answer | None, how: Asking) -> str:
    """Buttons that ask again of more articles, where nothing was found in those searched."""
    if answer is not None and answer.status is not AnswerStatus.NO_ANSWER:
        return ""
    ways = []
    if how.filter.since or how.filter.until:
        ways.append((Again(turn=turn, all_days=True), "Search all days"))
    if how.filter.source:
        ways.append((Again(turn=turn, all_sources=True), "Search all sources"))
    if answer is not None and answer.window and not how.any_time:
        ways.append((Again(turn=turn, any_time=True), "Search all times"))
    buttons = "".join(
        f'<button type="button" class="again" {again.attribute}>{words}</button>'
        for again, words in ways
    )
    return f'<p class="widen">{buttons}</p>' if buttons else ""


def meant(turn: int, answer: Answer) -> str:
    """What was searched in place of the words typed, and the way back to them."""
    told = "".join(
        f"Did you mean “{text(one.meant)}” by “{text(one.written)}”? " for one in answer.corrections
    )
    back = (
        f' <button type="button" class="again" {Again(turn=turn, as_written=True).attribute}>'
        "No, search it as written</button>"
        if answer.corrections
        else ""
    )
    return f'<p class="searched">{told}Searched for: {text(answer.searched)}{back}</p>'


class Taken(BaseModel):
    """A part of the filter that is taken away; page.js sends it back.

    Attributes:
        part: The days (with whether articles without one pass), a publisher, or all.
        source: Which publisher.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: Literal["days", "undated", "source", "all"]
    source: str = ""


def active(since: str | None, until: str | None, sources: Sequence[str], undated: bool) -> str:
    """What the next question is narrowed to, each part with a way to take it away.

    Args:
        since, until: First and last day, as typed; nothing for none.
        sources: Publishers.
        undated: Whether articles without a date pass the days.

    Returns:
        HTML; empty where every article is searched.
    """
    parts: list[tuple[str, Taken]] = []
    if since or until:
        parts.append((_between(since, until), Taken(part="days")))
        if undated:
            parts.append(("or without a date", Taken(part="undated")))
    parts += [(f"by {source}", Taken(part="source", source=source)) for source in sources]
    chips = "".join(
        f'<span class="chip">{text(words)}<button type="button" data-taken='
        f'"{text(taken.model_dump_json())}" aria-label="Search without: {text(words)}"'
        ' title="Take away">×</button></span>'
        for words, taken in parts
    )
    if len(parts) > 1:
        everything = text(Taken(part="all").model_dump_json())
        chips += f'<button type="button" class="again" data-taken="{everything}">All articles'
        chips += "</button>"
    return f'<p class="active" role="status">Searching only: {chips}</p>' if parts else ""


def _between(since: str | None, until: str | None) -> str:
    """1 August – 31 August 2025; a day that is none as it was typed."""
    first, last = day_typed(since), day_typed(until)
    if first and last:
        if first == last:
            return plain_day(first)
        start = f"{first.day} {first:%B}" if first.year == last.year else plain_day(first)
        return f"{start} – {plain_day(last)}"
    words = [plain_day(day) if day else typed for day, typed in ((first, since), (last, until))]
    return " ".join(
        f"{name} {word}" for name, word in zip(("since", "until"), words, strict=True) if word
    )


def day_typed(value: str | None) -> datetime.date | None:
    """The day that stands in a box; None where none does."""
    try:
        return datetime.date.fromisoformat((value or "")[:10])
    except ValueError:
        return None


def _chip(words: str, undo: str, again: Again) -> str:
    return (
        f'<span class="chip">{text(words)}<button type="button" {again.attribute}'
        f' aria-label="{undo}" title="{undo}">×</button></span>'
    )


def _days(since: datetime.date | None, until: datetime.date | None) -> str:
    if since and until:
        return (
            f"of {plain_day(since)} to {plain_day(until)}"
            if since != until
            else (f"of {plain_day(since)}")
        )
    return f"since {plain_day(since)}" if since else f"until {plain_day(until)}" if until else ""
