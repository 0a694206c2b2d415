"""A turn of the conversation: a question with what was found, written and checked, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag import AlsoIn, Answer, Article, Hit
from rag.page import reply
from rag.page.article import Place
from rag.page.markup import byline, headline, message, number, text


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
    searched = ""
    if turn.answer is not None and turn.answer.searched.strip() != turn.question.strip():
        meant = "".join(
            f"Did you mean “{text(one.meant)}” by “{text(one.written)}”? "
            for one in turn.answer.corrections
        )
        searched = f'<p class="searched">{meant}Searched for: {text(turn.answer.searched)}</p>'
    busy = "true" if turn.running else "false"
    return (
        f'<article class="turn {turn.phase}" data-turn="{turn.number}" aria-busy="{busy}">'
        f'<h2 class="question">{text(turn.question)}</h2>{searched}'
        f'<div class="reply">{_reply(turn)}</div>{_evidence(turn)}</article>'
    )


def _reply(turn: Turn) -> str:
    if turn.answer is not None:
        return reply.checked(turn.number, turn.answer)
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
    hits = turn.answer.hits if turn.answer is not None else turn.hits
    if not hits:
        if turn.phase in (Phase.OPENING, Phase.SEARCHING, Phase.FAILED):
            return ""
        return message("empty", "No article passes these filters. Widen the days or the sources.")
    items = "".join(_hit(turn.index, hit) for hit in hits)
    found = number(len(hits), "passage")
    return (
        f'<section class="evidence"><h3>{found} found</h3><ol class="hits">{items}</ol></section>'
    )


def _hit(index: str, hit: Hit) -> str:
    start, end = hit.sentence_start - hit.start, hit.sentence_end - hit.start
    best = hit.text[start:end]
    place = Place(
        index=index,
        article_id=hit.article_id,
        start=hit.sentence_start,
        end=hit.sentence_end,
        quote=best,
    ).attribute
    return (
        f'<li><button type="button" class="hit" {place}>'
        f'<span class="title">{text(headline(hit))}</span>'
        f'<span class="byline">{byline(hit.published, hit.source)}</span>'
        f'<span class="best">{text(" ".join(best.split()))}</span></button>'
        f"{_also_in(index, hit)}</li>"
    )


def _also_in(index: str, hit: Hit) -> str:
    """Where else the same stands: one origin, not several witnesses."""
    told = ""
    if hit.superseded_by:
        newest = Place(index=index, article_id=hit.superseded_by, start=0, end=0)
        told = (
            '<p class="reprints">No longer in the newest version of the article: '
            f'<button type="button" class="reprint" {newest.attribute}>'
            f"{text(hit.superseded_by)}</button></p>"
        )
    if not hit.also_in:
        return told
    links = ", ".join(
        f'<button type="button" class="reprint" {place.attribute}>'
        f"{text(other.source or other.title or other.article_id)}</button>{_beside(other)}"
        for other in hit.also_in
        for place in [
            Place(
                index=index,
                article_id=other.article_id,
                start=other.start or 0,
                end=other.end or 0,
            )
        ]
    )
    return f'{told}<p class="reprints">Also in: {links}</p>'


def _beside(other: AlsoIn) -> str:
    """What the other article is, where it is not merely a reprint."""
    return "" if other.relation == "reprint" else f" ({text(other.relation)})"
