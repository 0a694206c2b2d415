"""An answer with its citations as text to paste: plain, Markdown, or with historians' notes.

Each quote stands in one pair of quotation marks, with title, publisher, day and address; where an
article has no address its source ends there: a path of this machine says nothing elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rag import Answer, Citation
from rag.page.markup import headline, plain_day, quotation, web_address

_MARKS = re.compile(r"\s*((?:\[\d+\])+)")
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~])")


def plain(answer: Answer) -> str:
    """The question, the answer with its marks, and a line for each citation."""
    lines = [answer.question, "", answer.text, ""]
    for one in answer.citations:
        known = (headline(one), one.source, _day(one), web_address(one.url), _page(one))
        where = ", ".join(part for part in known if part)
        lines.append(f"[{one.number}] {quotation(one.quote)} {where}")
    return _ended(lines)


def markdown(answer: Answer) -> str:
    """The same as Markdown: the question as a heading, citations as footnotes with links."""
    said = re.sub(r"\\\[(\d+)\\\]", r"[^\1]", _plain_signs(answer.text))
    lines = [f"## {_plain_signs(' '.join(answer.question.split()))}", "", said, ""]
    for one in answer.citations:
        address = web_address(one.url)
        title = _plain_signs(headline(one))
        linked = f"[{title}](<{address.replace('>', '%3E')}>)" if address else title
        rest = [_plain_signs(one.source or ""), _day(one), _page(one)]
        where = ", ".join(part for part in (linked, *rest) if part)
        lines += [f"[^{one.number}]: {_plain_signs(quotation(one.quote))} {where}", ""]
    return _ended(lines)


def notes(answer: Answer) -> str:
    """The answer with notes as the Chicago Manual of Style (17th ed., 14.191) has those of news.

    Publisher, “Title,” day, page, address. Authors are left out, since a citation does not hold
    them; the quote follows, so that the note can be checked.
    """
    lines = [_MARKS.sub(lambda marks: marks[1], answer.text), ""]
    for one in answer.citations:
        parts = [one.source or "", _title(headline(one)), _american(one), _page(one) or ""]
        first = " ".join(part + ("," if part == one.source else "") for part in parts[:2] if part)
        rest = ", ".join(part for part in (*parts[2:], web_address(one.url) or "") if part)
        lines.append(f"{one.number}. {f'{first} {rest}'.rstrip()}: {quotation(one.quote)}")
    return _ended(lines)


OTHERS: dict[str, Callable[[Answer], str]] = {
    "Markdown": markdown,
    "Notes (Chicago)": notes,
}


def _day(citation: Citation) -> str | None:
    return plain_day(citation.published) if citation.published else None


def _title(words: str) -> str:
    """In quotation marks, with the comma inside, of the inner ones too."""
    inside = quotation(words.rstrip("."))[1:-1]
    if inside.endswith(("?", "!")):
        return f"“{inside}”"
    if inside.endswith("’") and "‘" in inside:
        return f"“{inside[:-1]},’”"
    return f"“{inside},”"


def _american(citation: Citation) -> str:
    """August 2, 2024, as the manual writes days."""
    day = citation.published
    return f"{day:%B} {day.day}, {day.year}" if day else "n.d."


def _page(citation: Citation) -> str | None:
    return f"p. {citation.page}" if citation.page else None


def _plain_signs(words: str) -> str:
    """A text in which nothing means anything in Markdown."""
    return _SIGNS.sub(r"\\\1", words)


def _ended(lines: list[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"
