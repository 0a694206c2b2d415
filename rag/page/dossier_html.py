"""A dossier as one HTML file: no script, nothing loaded from anywhere."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag import Answer, Article
from rag.page.dossier_parts import NOT_SHOWN, Part, claim_line, sure, text_sha256
from rag.page.markup import byline, days_meant, headline, number, original, text
from rag.page.picture import timeline_svg
from rag.page.reply import disagreements, heading, status_word, wording

_STYLE = Path(__file__).with_name("dossier.css")


def as_html(answer: Answer, articles: Iterable[Article], index_seal: str) -> str:
    """The dossier as one HTML file: no script, nothing loaded from anywhere."""
    return page([Part(answer, tuple(articles), index_seal)])


def page(parts: Sequence[Part]) -> str:
    """Several answers as one such file."""
    questions = [part.answer.question for part in parts]
    more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
    body = "".join(
        _part(part, f"{n}-" if len(parts) > 1 else "") for n, part in enumerate(parts, start=1)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(questions[0])}{more}</title><style>{_STYLE.read_text()}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _part(part: Part, prefix: str) -> str:
    answer, cited = part.answer, part.articles
    quotes = "".join(
        f'<li value="{c.number}"><blockquote><a href="#quote-{prefix}{c.number}">'
        f"{text(c.quote)}</a></blockquote>{days_meant(c.dates)}<p>{text(headline(c))} ·"
        f" {byline(c.published, c.source)} · characters {c.start}–{c.end}</p></li>"
        for c in answer.citations
    )
    return (
        f"<h1>{text(answer.question)}</h1>"
        f'{timeline_svg(answer)}<p class="answer">{text(wording(answer))}</p>{_note(answer)}'
        f"{_disagreements(answer)}<ol>{quotes}</ol>{_withheld(answer)}"
        f"<h2>{number(len(cited), 'article')} cited</h2>"
        f"{''.join(_article(article, answer, prefix) for article in cited)}"
        f"<h2>Made from</h2><dl>{_provenance(answer, part.index_seal)}</dl>"
    )


def _note(answer: Answer) -> str:
    return f"<p>{text(answer.note)}</p>" if answer.note else ""


def _disagreements(answer: Answer) -> str:
    return "".join(
        f"<section><h2>{heading(one)}</h2><ul>"
        + "".join(f"<li>{text(claim_line(claim, answer))}</li>" for claim in one.claims)
        + "</ul></section>"
        for one in disagreements(answer)
    )


def _withheld(answer: Answer) -> str:
    if not answer.withheld:
        return ""
    items = "".join(
        f"<li><strong>{status_word(one)}:</strong> {text(one.text)}</li>" for one in answer.withheld
    )
    return f"<details><summary>{NOT_SHOWN}</summary><ul>{items}</ul></details>"


def _article(article: Article, answer: Answer, prefix: str) -> str:
    spans = sorted(
        (c.start, c.end, c.number) for c in answer.citations if c.article_id == article.article_id
    )
    body, at = "", 0
    for start, end, n in spans:
        first = max(start, at)  # spans may overlap: the later one begins where the first ends
        body += text(article.text[at:first])
        body += f'<mark id="quote-{prefix}{n}"><sup>{n}</sup>{text(article.text[first:end])}</mark>'
        at = max(at, end)
    body += text(article.text[at:])
    return (
        f"<article><h3>{text(headline(article))}</h3>"
        f"<p>{byline(article.published, article.source, article.author)} {original(article.url)}"
        f'</p><p class="hash">sha256 of the text: <code>{text_sha256(article)}</code></p>'
        f'<div class="text">{body}</div></article>'
    )


def _provenance(answer: Answer, index_seal: str) -> str:
    facts = {
        "Asked on": answer.asked_on or "not known",
        "Saved on": datetime.date.today(),
        "Status": answer.status,
        "Confidence": sure(answer),
        "Searched for": answer.searched,
        "Index": f"{answer.index}, version {answer.version}",
        "Seal of that version": index_seal,
        "Language model": answer.model or "none",
    }
    return "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in facts.items())
