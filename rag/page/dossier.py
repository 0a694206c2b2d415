"""A dossier: one answer as a file that can be checked without the page.

It holds the cited articles whole: each quote is `text[start:end]` of one of them, and each text
has its sha256, so both can be recomputed by anyone. The seal is that of the whole index version.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rag import Answer, AnswerItem, AnswerSentence, Article, Claim
from rag.page.markup import byline, days_meant, full_day, headline, meant, number, original, text
from rag.page.picture import timeline_svg
from rag.page.reply import disagreements, point, status_word, wording

_STYLE = Path(__file__).with_name("dossier.css")
_COLUMNS = (
    "number", "day", "text", "status", "quote", "title", "source", "published", "url", "path",
    "page", "article", "start", "end", "sha256 of the text", "seal of the index",
)  # fmt: skip
_NOT_SHOWN = (
    "Not part of the answer: what the language model wrote and the sources do not fully support"
)
_CHECK = (
    "text[start:end] == quote, and sha256(text in UTF-8) == text_sha256; the seal is that of the"
    " version's manifest.json, which lists the sha256 of each of its files"
)


def as_dict(answer: Answer, articles: Iterable[Article], index_seal: str) -> dict[str, Any]:
    """Everything the dossier says, for JSON.

    Args:
        answer: The answer.
        articles: The articles that it cites.
        index_seal: Seal of the index version that was asked: sha256 of its manifest, which lists
            that of every file.
    """
    return {
        "question": answer.question,
        "searched": answer.searched,
        "answer": answer.text,
        "status": str(answer.status),
        "confidence": answer.confidence,
        "sentences": [sentence.model_dump(mode="json") for sentence in answer.sentences],
        "note": answer.note,
        "disagreements": [one.model_dump(mode="json") for one in answer.disagreements],
        "withheld": {
            "meaning": _NOT_SHOWN,
            "sentences": [{"text": one.text, "status": str(one.status)} for one in answer.withheld],
        },
        "citations": [citation.model_dump(mode="json") for citation in answer.citations],
        "articles": [
            {
                **article.model_dump(mode="json"),
                "text_sha256": text_sha256(article),
                "content_hash": article.content_hash(),
            }
            for article in articles
        ],
        "left_out": [one.model_dump(mode="json") for one in answer.left_out],
        "nearest": [] if answer.citations else [hit.model_dump(mode="json") for hit in answer.hits],
        "index": {"name": answer.index, "version": answer.version, "seal": index_seal},
        "model": answer.model,
        "check": _CHECK,
    }


def as_json(answer: Answer, articles: Iterable[Article], index_seal: str) -> str:
    """The dossier as JSON."""
    return json.dumps(as_dict(answer, articles, index_seal), ensure_ascii=False, indent=2) + "\n"


def as_markdown(answer: Answer, articles: Iterable[Article], index_seal: str) -> str:
    """The dossier as Markdown. Texts stand in code blocks, where nothing in them has a meaning."""
    hashes = {article.article_id: text_sha256(article) for article in articles}
    parts = ["# Question", fenced(answer.question), "## Answer", fenced(wording(answer))]
    if answer.note:
        parts += ["## Note", fenced(answer.note)]
    for one in disagreements(answer):
        said = "\n".join(_claim(claim, answer) for claim in one.claims)
        parts += [f"## The sources differ: {point(one).lower()}", fenced(said)]
    for citation in answer.citations:
        facts = {
            "title": citation.title,
            "source": citation.source,
            "published": citation.published,
            "url": citation.url,
            "path": citation.path,
            "page": citation.page,
            "article": citation.article_id,
            "days": "; ".join(map(meant, citation.dates)),
            "span": f"{citation.start}-{citation.end}",
            "sha256 of the text": hashes.get(citation.article_id),
        }
        known = "\n".join(f"{name}: {value}" for name, value in facts.items() if value)
        parts += [f"## Citation {citation.number}", fenced(citation.quote), fenced(known)]
    if answer.withheld:
        said = "\n".join(f"[{status_word(one)}] {one.text}" for one in answer.withheld)
        parts += [f"## {_NOT_SHOWN}", fenced(said)]
    provenance = (
        f"status: {answer.status}\nconfidence: {_sure(answer)}\nindex: {answer.index},"
        f" version {answer.version}, seal {index_seal}\nmodel: {answer.model or 'none'}"
    )
    return "\n\n".join([*parts, "## Made from", fenced(provenance)]) + "\n"


def as_csv(answer: Answer, articles: Iterable[Article], index_seal: str) -> str:
    """The answer as a table: a row for each citation of each of its sentences or items.

    Args:
        answer: The answer.
        articles: The articles that it cites; only what it cites of them is told.
        index_seal: Of the index version, in each row.
    """
    hashes = {article.article_id: text_sha256(article) for article in articles}
    cited = {citation.number: citation for citation in answer.citations}
    rows: Sequence[AnswerItem | AnswerSentence] = answer.items or answer.sentences
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for place, said in enumerate(rows, start=1):
        day = said.day if isinstance(said, AnswerItem) else None
        for c in (cited[n] for n in said.citations):
            row = (
                place, day, said.text, said.status, c.quote, c.title, c.source, c.published, c.url,
                c.path, c.page, c.article_id, c.start, c.end, hashes.get(c.article_id), index_seal,
            )  # fmt: skip
            writer.writerow([_cell(value) for value in row])
    return table.getvalue()


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: articles may begin with "="."""
    words = "" if value is None else str(value)
    return f"'{words}" if words.startswith(("=", "+", "-", "@", "\t", "\r")) else words


def as_html(answer: Answer, articles: Iterable[Article], index_seal: str) -> str:
    """The dossier as one HTML file: no script, nothing loaded from anywhere."""
    cited = list(articles)
    quotes = "".join(
        f'<li value="{c.number}"><blockquote><a href="#quote-{c.number}">{text(c.quote)}</a>'
        f"</blockquote>{days_meant(c.dates)}<p>{text(headline(c))} ·"
        f" {byline(c.published, c.source)} · characters {c.start}–{c.end}</p></li>"
        for c in answer.citations
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(answer.question)}</title><style>{_STYLE.read_text()}</style></head><body>"
        f"<main><h1>{text(answer.question)}</h1>"
        f'{timeline_svg(answer)}<p class="answer">{text(wording(answer))}</p>{_note(answer)}'
        f"{_disagreements(answer)}<ol>{quotes}</ol>{_withheld(answer)}"
        f"<h2>{number(len(cited), 'article')} cited</h2>"
        f"{''.join(_article(article, answer) for article in cited)}"
        f"<h2>Made from</h2><dl>{_provenance(answer, index_seal)}</dl></main></body></html>\n"
    )


def text_sha256(article: Article) -> str:
    """sha256 (hex) of the article's text in UTF-8."""
    return hashlib.sha256(article.text.encode("utf-8", "surrogatepass")).hexdigest()


def _note(answer: Answer) -> str:
    return f"<p>{text(answer.note)}</p>" if answer.note else ""


def _disagreements(answer: Answer) -> str:
    return "".join(
        f"<section><h2>The sources differ: {point(one).lower()}</h2><ul>"
        + "".join(f"<li>{text(_claim(claim, answer))}</li>" for claim in one.claims)
        + "</ul></section>"
        for one in disagreements(answer)
    )


def _claim(claim: Claim, answer: Answer) -> str:
    """What a source says, when and where, in a line."""
    source = next((c.source for c in answer.citations if c.number == claim.citation), None)
    meaning = f" = {full_day(claim.day)}" if claim.day else ""
    known = ", ".join(str(part) for part in (source, claim.published or "no date") if part)
    return f"“{claim.text}”{meaning} ({known}) [{claim.citation}]"


def _withheld(answer: Answer) -> str:
    if not answer.withheld:
        return ""
    items = "".join(
        f"<li><strong>{status_word(one)}:</strong> {text(one.text)}</li>" for one in answer.withheld
    )
    return f"<details><summary>{_NOT_SHOWN}</summary><ul>{items}</ul></details>"


def _article(article: Article, answer: Answer) -> str:
    spans = sorted(
        (c.start, c.end, c.number) for c in answer.citations if c.article_id == article.article_id
    )
    body, at = "", 0
    for start, end, n in spans:
        first = max(start, at)  # spans may overlap: the later one begins where the first ends
        body += text(article.text[at:first])
        body += f'<mark id="quote-{n}"><sup>{n}</sup>{text(article.text[first:end])}</mark>'
        at = max(at, end)
    body += text(article.text[at:])
    return (
        f"<article><h3>{text(headline(article))}</h3>"
        f"<p>{byline(article.published, article.source, article.author)} {original(article.url)}"
        f'</p><p class="hash">sha256 of the text: <code>{text_sha256(article)}</code></p>'
        f'<div class="text">{body}</div></article>'
    )


def _sure(answer: Answer) -> str:
    return "not known" if answer.confidence is None else f"{answer.confidence:.2f}"


def _provenance(answer: Answer, index_seal: str) -> str:
    facts = {
        "Status": answer.status,
        "Confidence": _sure(answer),
        "Searched for": answer.searched,
        "Index": f"{answer.index}, version {answer.version}",
        "Seal of that version": index_seal,
        "Language model": answer.model or "none",
    }
    return "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in facts.items())


def fenced(value: str) -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    runs = [len(run) for run in "".join(c if c == "`" else " " for c in value).split()]
    fence = "`" * max(3, 1 + max(runs, default=0))
    return f"{fence}text\n{value}\n{fence}"
