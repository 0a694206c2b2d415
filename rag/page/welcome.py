"""The first words: what this is, what it reads, and questions to begin with."""

from __future__ import annotations

from collections.abc import Sequence

from rag.page.markup import number, plain_day, text
from rag.page.overview import Overview


def hello(index: str, found: Overview | None = None) -> str:
    """One line that says what this is, and one that says what it reads, once that is known."""
    return (
        f"<h1>Ask the articles of “{text(index)}”</h1>"
        f"<p>Answers in sentences of {_reads(found)}. Each shows where it stands; what the articles"
        " do not say is not made up.</p>"
    )


def examples(questions: Sequence[str]) -> str:
    """Questions as buttons."""
    if not questions:
        return ""
    buttons = "".join(
        f'<li><button type="button" data-question="{text(one)}">{text(one)}</button></li>'
        for one in questions
    )
    return f"<h2>For example</h2><ul>{buttons}</ul>"


def _reads(found: Overview | None) -> str:
    if found is None:
        return "your own articles"
    words = number(len(found.rows), "article")
    if found.sources:
        words += f" from {number(len(found.sources), 'publisher')}"
    if found.days:
        first, last = min(found.days), max(found.days)
        days = plain_day(first) if first == last else f"{plain_day(first)} to {plain_day(last)}"
        words += f", {days}"
    return words
