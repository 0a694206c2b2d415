"""A dossier: answers as a file that can be checked without the page.

It holds the cited articles whole: each quote is `text[start:end]` of one of them, and each text
has its sha256, so both can be recomputed by anyone. The seal is that of the whole index version.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rag import Answer, AnswerItem, AnswerSentence, Article
from rag.page.dossier_html import as_html, page
from rag.page.dossier_parts import NOT_SHOWN, Part, claim_line, sure, text_sha256
from rag.page.markup import meant
from rag.page.reply import disagreements, heading, status_word, wording

__all__ = ["Part", "as_csv", "as_dict", "as_html", "as_json", "as_markdown", "file", "text_sha256"]

_COLUMNS = (
    "number", "day", "text", "status", "quote", "title", "source", "published", "url", "path",
    "page", "article", "start", "end", "sha256 of the text", "seal of the index",
    "question", "asked on",
)  # fmt: skip
_MAX_NAME = 60
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
        "asked_on": answer.asked_on and answer.asked_on.isoformat(),
        "saved_on": datetime.date.today().isoformat(),
        "searched": answer.searched,
        "answer": answer.text,
        "status": str(answer.status),
        "confidence": answer.confidence,
        "sentences": [sentence.model_dump(mode="json") for sentence in answer.sentences],
        "note": answer.note,
        "disagreements": [one.model_dump(mode="json") for one in answer.disagreements],
        "withheld": {
            "meaning": NOT_SHOWN,
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
        said = "\n".join(claim_line(claim, answer) for claim in one.claims)
        parts += [f"## {heading(one)}", fenced(said)]
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
        parts += [f"## {NOT_SHOWN}", fenced(said)]
    provenance = (
        f"asked on: {answer.asked_on or 'not known'}\nsaved on: {datetime.date.today()}\n"
        f"status: {answer.status}\nconfidence: {sure(answer)}\nindex: {answer.index},"
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
    return _table([Part(answer, tuple(articles), index_seal)])


def _table(parts: Iterable[Part]) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for part in parts:
        writer.writerows([_cell(value) for value in row] for row in _rows(part))
    return table.getvalue()


def _rows(part: Part) -> Iterable[tuple[object, ...]]:
    answer = part.answer
    hashes = {article.article_id: text_sha256(article) for article in part.articles}
    cited = {citation.number: citation for citation in answer.citations}
    told: Sequence[AnswerItem | AnswerSentence] = answer.items or answer.sentences
    for place, said in enumerate(told, start=1):
        day = said.day if isinstance(said, AnswerItem) else None
        for c in (cited[n] for n in said.citations):
            yield (
                place, day, said.text, said.status, c.quote, c.title, c.source, c.published, c.url,
                c.path, c.page, c.article_id, c.start, c.end, hashes.get(c.article_id),
                part.index_seal, answer.question, answer.asked_on,
            )  # fmt: skip


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: articles may begin with "="."""
    words = "" if value is None else str(value)
    return f"'{words}" if words.startswith(("=", "+", "-", "@", "\t", "\r")) else words


def file(kind: str, parts: Sequence[Part]) -> dict[str, str] | None:
    """A dossier of one answer or of several, for a browser to save.

    Args:
        kind: `html`, `md`, `csv` or `json`.
        parts: What it tells, in their order; at least one.

    Returns:
        Its name, which says the first question and today's day, its type and its text; None for
        another kind.
    """
    types = {"html": "text/html", "md": "text/markdown", "csv": "text/csv"}
    types["json"] = "application/json"
    if kind not in types:
        return None
    return {"name": file_name(parts, kind), "type": types[kind], "text": _written(kind, parts)}


def _written(kind: str, parts: Sequence[Part]) -> str:
    if kind == "csv":
        return _table(parts)
    if kind == "html":
        return page(parts)
    given = [(part.answer, part.articles, part.index_seal) for part in parts]
    if kind == "md":
        return "\n".join(as_markdown(*part) for part in given)
    if len(given) == 1:
        return as_json(*given[0])
    made = {"saved_on": datetime.date.today().isoformat(), "answers": [as_dict(*g) for g in given]}
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"


def file_name(parts: Sequence[Part], ending: str) -> str:
    """A name for a dossier: its first question, how many more, and today's day."""
    words = re.sub(r"[^\w]+", "-", parts[0].answer.question.lower()).strip("-_")
    if len(words) > _MAX_NAME:
        words = words[: _MAX_NAME + 1].rpartition("-")[0] or words[:_MAX_NAME]
    more = f"-and-{len(parts) - 1}-more" if len(parts) > 1 else ""
    return f"{words or 'dossier'}{more}-{datetime.date.today()}.{ending}"


def fenced(value: str) -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    runs = [len(run) for run in "".join(c if c == "`" else " " for c in value).split()]
    fence = "`" * max(3, 1 + max(runs, default=0))
    return f"{fence}text\n{value}\n{fence}"
