"""A checked answer as HTML: its sentences, where sources differ, what was withheld, its sources."""

from __future__ import annotations

from collections.abc import Sequence

from rag import (
    Answer,
    AnswerSentence,
    AnswerStatus,
    Citation,
    Claim,
    Disagreement,
    Kind,
    Status,
)
from rag.page.article import Place
from rag.page.markup import byline, days_meant, full_day, headline, number, text
from rag.page.picture import timeline_svg

_STATUS_WORDS = {
    Status.QUOTED: ("quoted", "It stands in the article word for word."),
    Status.SUPPORTED: ("supported", "Its words, numbers and names stand in the cited passages."),
    Status.PARTLY: ("partly supported", "Only a part of it stands in the articles."),
    Status.UNSUPPORTED: ("not supported", "No article supports it."),
}
_POINTS = {
    "figure": "On a figure",
    "day": "On a day",
    "statement": "One denies what the other states",
}
# From which confidence on an answer is called so.
_TRUST = (
    (0.75, "Well supported."),
    (0.5, "Supported; read the sources before you use it."),
    (0.0, "Doubtful; read the sources."),
)
_KINDS = {
    Kind.WHEN: "a day",
    Kind.YESNO: "yes or no",
    Kind.WHY: "a reason",
    Kind.LIST: "a list",
    Kind.SUMMARY: "a summary",
    Kind.TIMELINE: "a timeline",
    Kind.COMPARE: "a comparison",
    Kind.DATED: "what was reported in a time",
}
WITHHELD = "Not shown as fact: what the model wrote without full support"
CLOSEST = "Closest passages; none of them is an answer"
LEFT_OUT = "left out: meant for a machine, not for readers"
_DIFFER = "The sources differ: "


def checked(turn: int, answer: Answer) -> str:
    """The answer with all that belongs to it.

    Args:
        turn: Number of its turn within the conversation.
        answer: The answer.
    """
    if answer.status is AnswerStatus.NO_ANSWER:
        body = f'<p class="unstated">{text(answer.text)}</p>'
        if answer.closest:
            body += (
                f'<p class="hint">{CLOSEST}</p>{_passages(answer.index, answer.closest, CLOSEST)}'
            )
    else:
        cited = {citation.number: citation for citation in answer.citations}
        body = (
            f"{_said(answer, cited)}{_how(answer)}{_disagreements(answer, cited)}"
            f"{_passages(answer.index, answer.citations, 'Cited passages')}"
        )
    return (
        f'<div class="answer {answer.status}">{body}{_actions(turn, answer)}'
        f"{_withheld(answer.withheld)}{_left_out(answer)}</div>"
    )


def _said(answer: Answer, cited: dict[int, Citation]) -> str:
    """What the answer says: running text, or a list where it is made of items."""
    said = [_sentence(answer.index, one, cited) for one in sentences(answer)]
    if answer.items:
        items = "".join(f"<li>{one}</li>" for one in said)
        # Numbered where a picture has the numbers.
        tag = "ol" if (picture := timeline_svg(answer)) else "ul"
        return f'{picture}<{tag} class="items">{items}</{tag}>'
    return f'<p class="sentences">{" ".join(said)}</p>'


def sentences(answer: Answer) -> list[AnswerSentence]:
    """The sentences of the answer but those that only repeat its disagreements."""
    told = {tuple(claim.citation for claim in one.claims) for one in answer.disagreements}
    return [
        sentence
        for sentence in answer.sentences
        if not (sentence.text.startswith(_DIFFER) and sentence.citations in told)
    ]


def wording(answer: Answer) -> str:
    """The answer's text with its marks, without what its disagreements say anyhow."""
    if not answer.disagreements:
        return answer.text
    return " ".join(
        f"{sentence.text} {''.join(f'[{number}]' for number in sentence.citations)}"
        for sentence in sentences(answer)
    )


def disagreements(answer: Answer) -> list[Disagreement]:
    """Where its sources differ, each point once: two sentences may be at odds with each other."""
    return list(dict.fromkeys(answer.disagreements))


def point(disagreement: Disagreement) -> str:
    """What it is about, in words, and in which order it is told."""
    dated = all(claim.published for claim in disagreement.claims)
    return f"{_POINTS[disagreement.kind]}{', the newest first' if dated else ''}"


def status_word(sentence: AnswerSentence) -> str:
    """How well the sources support a sentence, in words."""
    return _STATUS_WORDS[sentence.status][0]


def plain(answer: Answer) -> str:
    """The answer with its citations as plain text, for the clipboard."""
    lines = [answer.question, "", answer.text, ""]
    for citation in answer.citations:
        page = f"p. {citation.page}" if citation.page else None
        known = (citation.source, citation.published, citation.url or citation.path, page)
        where = " · ".join(str(part) for part in (headline(citation), *known) if part)
        quote = " ".join(citation.quote.split())
        lines.append(f"[{citation.number}] “{quote}” {where}")
    return "\n".join(lines).rstrip() + "\n"


def _sentence(index: str, sentence: AnswerSentence, cited: dict[int, Citation]) -> str:
    word = status_word(sentence)
    links = "".join(_link(index, cited[n], word) for n in sentence.citations if n in cited)
    return (
        f'<span class="sentence {sentence.status}">{text(sentence.text)}'
        f'<span class="marks">{links}{_status(sentence)}</span></span>'
    )


def _status(sentence: AnswerSentence) -> str:
    word, meaning = _STATUS_WORDS[sentence.status]
    return f'<span class="status" title="{meaning}">{word}</span>'


def _link(index: str, citation: Citation, status: str = "") -> str:
    label = f"Citation {citation.number}{status and f', {status}'}: {headline(citation)}."
    return (
        f'<button type="button" class="cite" {_place(index, citation)}'
        f' aria-label="{text(label)} Open the article." title="{text(headline(citation))}">'
        f"{citation.number}</button>"
    )


def _place(index: str, citation: Citation) -> str:
    return Place(
        index=index,
        article_id=citation.article_id,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        dates=citation.dates,
    ).attribute


def _how(answer: Answer) -> str:
    """How far to trust the answer, and how it came about, in one line."""
    written = "Written by the model; every sentence checked against the articles."
    made = answer.note or written
    label = ""
    if answer.confidence is not None:
        word = next(word for least, word in _TRUST if answer.confidence >= least)
        share = f"{answer.confidence:.0%} of such answers are right."
        label = f'<strong class="trust" title="{share}">{word}</strong> '
    elif answer.status is AnswerStatus.ANSWERED and answer.note:  # which says why
        made = f"{made} {written}"
    note = ' class="note"' if answer.note else ""
    told = ""
    if answer.kind in _KINDS:
        told += f" Asked for {_KINDS[answer.kind]}."
    if answer.window:
        since, until = (full_day(day) for day in answer.window)
        told += f" Articles from {since} to {until} were searched first."
    return f'<p class="how">{label}<span{note}>{text(made)}</span>{text(told)}</p>'


def _disagreements(answer: Answer, cited: dict[int, Citation]) -> str:
    if not answer.disagreements:
        return ""
    points = "".join(
        f"<h4>{point(one)}</h4><ol>"
        f"{''.join(_claim(answer.index, claim, cited) for claim in one.claims)}</ol>"
        for one in disagreements(answer)
    )
    return (
        '<section class="differ" aria-label="The sources differ">'
        f"<h3>The sources differ</h3>{points}</section>"
    )


def _claim(index: str, claim: Claim, cited: dict[int, Citation]) -> str:
    citation = cited.get(claim.citation)
    source = (citation.source or headline(citation)) if citation else None
    meaning = f'<span class="days-meant">= {text(full_day(claim.day))}</span>' if claim.day else ""
    return (
        f"<li><q>{text(' '.join(claim.text.split()).strip('“”'))}</q>{meaning}"
        f'<span class="byline">{byline(claim.published, source)}</span>'
        f"{_link(index, citation) if citation else ''}</li>"
    )


def _passages(index: str, citations: Sequence[Citation], label: str) -> str:
    items = "".join(
        f'<li value="{citation.number}"><button type="button" class="source"'
        f" {_place(index, citation)}>"
        f'<q class="quote">{text(" ".join(citation.quote.split()).strip("“”"))}</q>'
        f"{days_meant(citation.dates)}"
        f'<span class="title">{text(headline(citation))}</span>'
        f'<span class="byline">{byline(citation.published, citation.source)}</span></button></li>'
        for citation in citations
    )
    return f'<ol class="sources" aria-label="{label}">{items}</ol>'


def _withheld(withheld: Sequence[AnswerSentence]) -> str:
    if not withheld:
        return ""
    items = "".join(
        f'<li class="{sentence.status}"><span>{text(sentence.text)}</span> {_status(sentence)}</li>'
        for sentence in withheld
    )
    return f'<details class="withheld"><summary>{WITHHELD}</summary><ul>{items}</ul></details>'


def _left_out(answer: Answer) -> str:
    """What speaks to a machine in the hits: a reader may want to see that, and where."""
    if not answer.left_out:
        return ""
    told = f"{number(len(answer.left_out), 'sentence')} {LEFT_OUT}"
    passages = _passages(answer.index, answer.left_out, "Left out")
    return f'<details class="withheld"><summary>{told}</summary>{passages}</details>'


def _actions(turn: int, answer: Answer) -> str:
    files = "".join(
        f'<button type="button" data-turn="{turn}" data-dossier="{kind}">{name}</button>'
        for kind, name in (("html", "HTML"), ("md", "Markdown"), ("csv", "CSV"), ("json", "JSON"))
    )
    return (
        '<div class="actions" role="group" aria-label="Take away">'
        f'<button type="button" class="copy" data-copy="{text(plain(answer))}">Copy</button>'
        f'<span class="dossier">Dossier: {files}</span></div>'
    )
