"""A checked answer as HTML: its sentences, how far to trust it, where sources differ."""

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
from rag.page import following, remark, styles
from rag.page.markup import byline, full_day, headline, number, text
from rag.page.passages import place_of, quotes
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
    "toll": "Reported on different days",
}
_DIFFER = "The sources differ"
# Sentences of the answer that say the same.
_LEADS = (f"{_DIFFER}: ", "Reported earlier: ", "Reported on different days: ")
# From which confidence on an answer is called so.
_TRUST = (
    (0.75, "Well supported."),
    (0.5, "Supported; read the sources before you use it."),
    (0.0, "Doubtful; read the sources."),
)
WITHHELD = "Not shown as fact: what the model wrote without full support"
LEFT_OUT = "left out: meant for a machine, not for readers"


def checked(turn: int, answer: Answer, *, beside: str = "", address: str = "") -> str:
    """The answer with all that belongs to it.

    Args:
        turn: Number of its turn within the conversation.
        answer: The answer.
        beside: HTML of how it was asked.
        address: Where it opens again; empty for nowhere.
    """
    cited = {citation.number: citation for citation in answer.citations}
    if answer.status is AnswerStatus.NO_ANSWER:
        body = f'<p class="unstated">{text(answer.text)}</p>'
    else:
        body = _said(answer, cited)
    return (
        f'<div class="answer {answer.status}">{body}{_how(answer)}{beside}'
        f"{_disagreements(answer, cited)}{_actions(turn, answer, address)}"
        f"{_withheld(answer.withheld)}{_left_out(answer)}</div>"
    )


def _said(answer: Answer, cited: dict[int, Citation]) -> str:
    """What the answer says: running text, a list of its items, or columns by publisher."""
    # Behind its items a broad answer tells where sources differ, which has a box of its own.
    told = answer.sentences[: len(answer.items)] if answer.items else sentences(answer)
    said = [_sentence(answer.index, one, cited) for one in told]
    if not answer.items:
        return f'<p class="sentences">{" ".join(said)}</p>'
    if answer.kind is Kind.COMPARE and (columns := _columns(answer, said, cited)):
        return columns
    items = "".join(
        f"<li value={n}{f' data-day={item.day}' if item.day else ''}>{one}</li>"
        for n, (one, item) in enumerate(zip(said, answer.items, strict=True), start=1)
    )
    # Numbered where a picture has the numbers.
    picture = timeline_svg(answer, choosing=True)
    if not picture:
        return f'<ul class="items">{items}</ul>'
    return (
        f'<div class="dated">{picture}<p class="chosen-days" role="status"><span>'
        f"{number(len(said), 'item')}. Choose a dot, or drag along the line, to see only"
        ' those days.</span> <button type="button" class="all-items" hidden>All items</button></p>'
        f'<ol class="items">{items}</ol></div>'
    )


def _columns(answer: Answer, said: Sequence[str], cited: dict[int, Citation]) -> str:
    """A comparison side by side: a column for each publisher; nothing if there is only one."""
    columns: dict[str, list[str]] = {}
    for item, one in zip(answer.items, said, strict=True):
        first = cited[item.citations[0]]
        columns.setdefault(first.source or headline(first), []).append(one)
    if len(columns) < 2:
        return ""
    made = "".join(
        f"<section><h3>{text(name)}</h3><ul>{''.join(f'<li>{one}</li>' for one in inside)}</ul>"
        "</section>"
        for name, inside in columns.items()
    )
    return f'<div class="columns items">{made}</div>'


def sentences(answer: Answer) -> list[AnswerSentence]:
    """The sentences of the answer but those that only repeat its disagreements."""
    told = set()
    for one in answer.disagreements:
        numbers = tuple(claim.citation for claim in one.claims)
        told |= {numbers, numbers[1:]} if one.kind == "toll" else {numbers}
    return [
        sentence
        for sentence in answer.sentences
        if not (sentence.text.startswith(_LEADS) and sentence.citations in told)
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


def heading(disagreement: Disagreement) -> str:
    """What stands above what its sources say."""
    if disagreement.kind == "toll":
        return point(disagreement)
    return f"{_DIFFER}: {point(disagreement).lower()}"


def point(disagreement: Disagreement) -> str:
    """What it is about, in words, and in which order it is told."""
    dated = all(claim.published for claim in disagreement.claims)
    return f"{_POINTS[disagreement.kind]}{', the newest first' if dated else ''}"


def status_word(sentence: AnswerSentence) -> str:
    """How well the sources support a sentence, in words."""
    return _STATUS_WORDS[sentence.status][0]


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
        f'<button type="button" class="cite" {place_of(index, citation).attribute}'
        f' aria-label="{text(label)} Open the article." title="{text(headline(citation))}">'
        f"{citation.number}</button>"
    )


def _how(answer: Answer) -> str:
    """How far to trust the answer, in a label, and what is to be said about how it was made."""
    written = "Written by the model; every sentence checked against the articles."
    made = answer.note or (written if answer.status is AnswerStatus.ANSWERED else "")
    word, meaning = "", written if answer.status is AnswerStatus.ANSWERED else ""
    if answer.status is AnswerStatus.NO_ANSWER:
        word = "Only the closest passages." if answer.closest else ""
    elif answer.confidence is not None:
        word = next(word for least, word in _TRUST if answer.confidence >= least)
        meaning = f"{meaning} {answer.confidence:.0%} of such answers are right.".strip()
        made = answer.note or ""
    elif answer.status is AnswerStatus.EXTRACTED:
        word = "Word for word from the articles."
    elif answer.note:  # which says why there is no confidence
        made = f"{made} {written}"
    title = f' title="{meaning}"' if meaning else ""
    label = f'<strong class="trust"{title}>{word}</strong> ' if word else ""
    note = ' class="note"' if answer.note else ""
    told = f"<span{note}>{text(made)}</span>" if made else ""
    return f'<p class="how">{label}{told}</p>' if label or told else ""


def _disagreements(answer: Answer, cited: dict[int, Citation]) -> str:
    """What sources say against each other, and how tolls rose, each below its heading."""
    told = disagreements(answer)
    tolls = [one for one in told if one.kind == "toll"]
    others = [one for one in told if one.kind != "toll"]
    made = ""
    for title, points in ((_DIFFER, others), (_POINTS["toll"], tolls)):
        lists = "".join(
            ("" if one.kind == "toll" else f"<h4>{point(one)}</h4>")
            + f"<ol>{''.join(_claim(answer.index, claim, cited) for claim in one.claims)}</ol>"
            for one in points
        )
        if lists:
            made += (
                f'<section class="differ" aria-label="{title}"><h3>{title}</h3>{lists}</section>'
            )
    return made


def _claim(index: str, claim: Claim, cited: dict[int, Citation]) -> str:
    citation = cited.get(claim.citation)
    source = (citation.source or headline(citation)) if citation else None
    meaning = f'<span class="days-meant">= {text(full_day(claim.day))}</span>' if claim.day else ""
    return (
        f"<li><q>{text(' '.join(claim.text.split()).strip('“”'))}</q>{meaning}"
        f'<span class="byline">{byline(claim.published, source)}</span>'
        f"{_link(index, citation) if citation else ''}</li>"
    )


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
    passages = quotes(answer.index, answer.left_out, "Left out")
    return f'<details class="withheld"><summary>{told}</summary>{passages}</details>'


def _actions(turn: int, answer: Answer, address: str) -> str:
    styled = "".join(
        f'<button type="button" data-copy="{text(make(answer))}">{name}</button>'
        for name, make in styles.OTHERS.items()
    )
    files = (("html", "HTML"), ("md", "Markdown"), ("csv", "Table (CSV)"), ("json", "JSON"))
    one, whole = (
        "".join(
            f'<button type="button" data-turn="{turn}" data-dossier="{kind}"{scope}>{name}</button>'
            for kind, name in files
        )
        for scope in ("", ' data-whole="true"')
    )
    link = f'<a class="address" href="{text(address)}">Link</a>' if address else ""
    return (
        '<div class="actions" role="group" aria-label="Take away">'
        f'<button type="button" class="copy" data-copy="{text(styles.plain(answer))}">Copy</button>'
        f'<details class="menu"><summary>Copy as</summary><div>{styled}</div></details>'
        '<details class="menu save"><summary>Save</summary><div>'
        f"<p>This answer</p>{one}<p>The whole conversation</p>{whole}"
        '<button type="button" data-print>Print</button></div></details>'
        f"{link}{following.button(turn)}{remark.form(turn)}</div>"
    )
