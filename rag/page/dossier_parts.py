"""What the forms of a dossier share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rag import Answer, Article, Claim
from rag.page.markup import full_day

NOT_SHOWN = (
    "Not part of the answer: what the language model wrote and the sources do not fully support"
)


@dataclass(frozen=True, slots=True)
class Part:
    """An answer with what makes it checkable.

    Attributes:
        answer: The answer.
        articles: The articles that it cites.
        index_seal: Seal of the index version that was asked.
    """

    answer: Answer
    articles: tuple[Article, ...]
    index_seal: str


def text_sha256(article: Article) -> str:
    """sha256 (hex) of the article's text in UTF-8."""
    return hashlib.sha256(article.text.encode("utf-8", "surrogatepass")).hexdigest()


def claim_line(claim: Claim, answer: Answer) -> str:
    """What a source says, when and where, in a line."""
    source = next((c.source for c in answer.citations if c.number == claim.citation), None)
    meaning = f" = {full_day(claim.day)}" if claim.day else ""
    known = ", ".join(str(part) for part in (source, claim.published or "no date") if part)
    return f"“{claim.text}”{meaning} ({known}) [{claim.citation}]"


def sure(answer: Answer) -> str:
    """The confidence of an answer, or that there is none."""
    return "not known" if answer.confidence is None else f"{answer.confidence:.2f}"
