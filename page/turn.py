"""A turn of the conversation: a question with what was found, written and checked, as HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from page.markup import byline, message, number, text
from rag import Answer, AnswerSentence, AnswerStatus, Article, Citation, Hit, Status


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
        index_sha256: sha256 of the catalog that was asked.
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
    index_sha256: str = ""
    problem: str | None = None
    mend: str | None = None

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.phase in (Phase.OPENING, Phase.SEARCHING, Phase.READING, Phase.WRITING)


_STATUS_WORDS = {
    Status.QUOTED: ("quoted", "It stands in the article word for word."),
    Status.SUPPORTED: ("supported", "Its words, numbers and names stand in the cited passages."),
    Status.PARTLY: ("partly supported", "Only a part of it stands in the cited passages."),
    Status.UNSUPPORTED: ("not supported", "No article supports it."),
}
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
        searched = f'<p class="searched">Searched for: {text(turn.answer.searched)}</p>'
    busy = "true" if turn.running else "false"
    return (
        f'<article class="turn {turn.phase}" data-turn="{turn.number}" aria-busy="{busy}">'
        f'<h2 class="question">{text(turn.question)}</h2>{searched}'
        f'<div class="reply">{_reply(turn)}</div>{_evidence(turn)}</article>'
    )


def place_data(index: str, article_id: str, start: int, end: int, quote: str | None = None) -> str:
    """The attribute that says which passage a link opens; page.js sends it back."""
    place = {"index": index, "article_id": article_id, "start": start, "end": end, "quote": quote}
    return f'data-place="{text(json.dumps(place, ensure_ascii=False))}"'


def plain(answer: Answer) -> str:
    """The answer with its citations as plain text, for the clipboard."""
    lines = [answer.question, "", answer.text, ""]
    for citation in answer.citations:
        known = (citation.source, citation.published, citation.url or citation.path)
        where = " · ".join(str(part) for part in (_title(citation), *known) if part)
        quote = " ".join(citation.quote.split())
        lines.append(f"[{citation.number}] “{quote}” {where}")
    return "\n".join(lines).rstrip() + "\n"


def _reply(turn: Turn) -> str:
    if turn.answer is not None:
        return _checked(turn.number, turn.answer)
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


def _checked(turn: int, answer: Answer) -> str:
    if answer.status is AnswerStatus.NO_ANSWER:
        said = f'<p class="unstated">{text(answer.text)}</p>'
        if answer.hits:
            said += '<p class="hint">The passages below come nearest.</p>'
        return f'<div class="answer no_answer">{said}{_actions(turn, answer)}</div>'
    cited = {citation.number: citation for citation in answer.citations}
    body = " ".join(_sentence(answer, sentence, cited) for sentence in answer.sentences)
    return (
        f'<div class="answer {answer.status}"><p class="sentences">{body}</p>'
        f"{_how(answer)}{_sources(answer)}{_actions(turn, answer)}</div>"
    )


def _sentence(answer: Answer, sentence: AnswerSentence, cited: dict[int, Citation]) -> str:
    word, meaning = _STATUS_WORDS[sentence.status]
    links = "".join(
        _citation_link(answer.index, cited[n], word) for n in sentence.citations if n in cited
    )
    return (
        f'<span class="sentence {sentence.status}">{text(sentence.text)}'
        f'<span class="marks">{links}<span class="status" title="{meaning}">{word}</span></span>'
        "</span>"
    )


def _citation_link(index: str, citation: Citation, status: str) -> str:
    label = f"Citation {citation.number}, {status}: {_title(citation)}. Open the article."
    return (
        f'<button type="button" class="cite" {_citation_data(index, citation)}'
        f' aria-label="{text(label)}" title="{text(_title(citation))}">{citation.number}</button>'
    )


def _citation_data(index: str, citation: Citation) -> str:
    return place_data(index, citation.article_id, citation.start, citation.end, citation.quote)


def _how(answer: Answer) -> str:
    """How the answer came about, in one line."""
    if answer.status is AnswerStatus.EXTRACTED:
        made = "The sources, word for word: what the model wrote was not supported by them."
    else:
        made = "Written by the model; every sentence checked against the articles."
    share = f"{answer.confidence:.0%} of such answers are right."
    return f'<p class="how">{made} {share}</p>'


def _sources(answer: Answer) -> str:
    items = "".join(
        f'<li value="{citation.number}"><button type="button" class="source"'
        f" {_citation_data(answer.index, citation)}>"
        f'<q class="quote">{text(" ".join(citation.quote.split()).strip("“”"))}</q>'
        f'<span class="title">{text(_title(citation))}</span>'
        f'<span class="byline">{byline(citation.published, citation.source)}</span></button></li>'
        for citation in answer.citations
    )
    return f'<ol class="sources" aria-label="Cited passages">{items}</ol>'


def _actions(turn: int, answer: Answer) -> str:
    files = "".join(
        f'<button type="button" data-turn="{turn}" data-dossier="{kind}">{name}</button>'
        for kind, name in (("html", "HTML"), ("md", "Markdown"), ("json", "JSON"))
    )
    return (
        '<div class="actions" role="group" aria-label="Take away">'
        f'<button type="button" class="copy" data-copy="{text(plain(answer))}">Copy</button>'
        f'<span class="dossier">Dossier: {files}</span></div>'
    )


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
    place = place_data(index, hit.article_id, hit.sentence_start, hit.sentence_end, best)
    return (
        f'<li><button type="button" class="hit" {place}>'
        f'<span class="title">{text(_title(hit))}</span>'
        f'<span class="byline">{byline(hit.published, hit.source)}</span>'
        f'<span class="best">{text(" ".join(best.split()))}</span></button>'
        f"{_reprints(index, hit)}</li>"
    )


def _reprints(index: str, hit: Hit) -> str:
    """Where else the same passage stands: one origin, not several witnesses."""
    if not hit.reprints:
        return ""
    links = ", ".join(
        f'<button type="button" class="reprint"'
        f" {place_data(index, other.article_id, other.start, other.end)}>"
        f"{text(other.source or other.title or other.article_id)}</button>"
        for other in hit.reprints
    )
    return f'<p class="reprints">The same text also in: {links}</p>'


def _title(found: Citation | Hit) -> str:
    return found.title or found.article_id
