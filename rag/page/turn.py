"""A turn of the conversation: a question with what was found, written and checked, as HTML."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rag import Answer, AnswerStatus, Article, Hit
from rag.page import conditions, passages, reply
from rag.page.conditions import Asking
from rag.page.markup import message, text


class Phase(StrEnum):
    """How far a turn is."""

    OPENING = "opening"
    SEARCHING = "searching"
    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    STOPPED = "stopped"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, and all that is known of its answer so far.

    Attributes:
        number: From 1, within the conversation.
        question: As asked.
        index: Where it was asked.
        phase: How far it is.
        how: How it was asked beside its words.
        key: What its address calls it, whatever its number becomes.
        conversation: What its address calls the conversation; empty where that is not kept.
        asked_at: When it was asked (UTC).
        hits: What was found.
        draft: What the model has written, not yet checked.
        answer: The checked answer.
        articles: The articles that it cites, as they were then.
        index_seal: Seal of the index version that was asked.
        problem, mend: Why there is none, and what mends that.
    """

    number: int
    question: str
    index: str
    phase: Phase = Phase.OPENING
    how: Asking = field(default_factory=Asking)
    key: str = field(default_factory=lambda: secrets.token_hex(4))
    conversation: str = ""
    asked_at: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    hits: tuple[Hit, ...] = ()
    draft: str = ""
    answer: Answer | None = None
    articles: tuple[Article, ...] = ()
    index_seal: str = ""
    problem: str | None = None
    mend: str | None = None

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.phase in (Phase.OPENING, Phase.SEARCHING, Phase.READING, Phase.WRITING)

    @property
    def address(self) -> str:
        """Where it opens again, in the browser that asked; empty where it is not kept."""
        if not self.conversation:
            return ""
        return f"?conversation={self.conversation}&answer={self.key}"


_PHASE_WORDS = {
    Phase.OPENING: "Opening the index …",
    Phase.SEARCHING: "Searching …",
    Phase.READING: "Reading the passages …",
    Phase.WRITING: "Writing … each sentence is checked when it is complete.",
}


def conversation(turns: Sequence[Turn]) -> str:
    """Several turns, oldest first."""
    return "".join(map(show, turns))


def show(turn: Turn) -> str:
    """One turn."""
    answer = turn.answer
    searched = ""
    if answer is not None and answer.searched.strip().lower() != turn.question.strip().lower():
        searched = conditions.meant(turn.number, answer)
    busy = "true" if turn.running else "false"
    return (
        f'<article class="turn {turn.phase}" data-turn="{turn.number}" data-key="{turn.key}"'
        f' data-address="{text(turn.address)}" aria-busy="{busy}">'
        f'<h2 class="question">{text(turn.question)}</h2>{searched}'
        f'<div class="reply">{_reply(turn)}</div>{_evidence(turn)}</article>'
    )


def _reply(turn: Turn) -> str:
    if turn.answer is not None:
        beside = conditions.show(turn.number, turn.answer, turn.how)
        beside += conditions.widen(turn.number, turn.answer, turn.how)
        return reply.checked(turn.number, turn.answer, beside=beside, address=turn.address)
    if turn.phase is Phase.FAILED:
        return message("error", turn.problem or "It failed.", mend=turn.mend)
    if turn.phase is Phase.BUSY:
        return message(
            "busy", "Too many questions are waiting for the model. Yours was searched; ask it"
            " again in a moment, or read the passages below.",
        )  # fmt: skip
    draft = f'<p class="draft">{text(turn.draft)}</p>' if turn.draft else ""
    if turn.phase is Phase.STOPPED:
        return draft + message("stopped", "Stopped. What stands above is not checked.")
    return f'{draft}<p class="phase" role="status">{_PHASE_WORDS[turn.phase]}</p>'


def _evidence(turn: Turn) -> str:
    answer = turn.answer
    hits = answer.hits if answer is not None else turn.hits
    if not hits:
        if turn.phase in (Phase.OPENING, Phase.SEARCHING, Phase.FAILED, Phase.STOPPED):
            return ""
        return message("empty", "No article passes these filters. Widen the days or the sources.")
    if answer is None:
        return passages.found(turn.index, hits)
    closest = answer.status is AnswerStatus.NO_ANSWER
    cited = answer.closest if closest else answer.citations
    return passages.found(turn.index, hits, cited, closest=closest)
