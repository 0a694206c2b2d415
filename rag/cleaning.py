"""Cleaning."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from rag.article import Article


class Removed(BaseModel):
    """A piece of the text as read that is not in the cleaned text.

    Attributes:
        start: Offset in the text as read.
        end: End of it.
        text: The piece.
        reason: Why it went.
        replacement: What stands in its place; nearly always empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    end: int
    text: str
    reason: str
    replacement: str = ""


class CleanedArticle(BaseModel):
    """An article with its cleaned text, and what was removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    article: Article
    removed: tuple[Removed, ...] = ()

    def to_cleaned(self, offset: int) -> int | None:
        """Offset in the cleaned text; None if the character was removed."""
        shift = 0
        for piece in self.removed:
            if offset < piece.start:
                break
            if offset < piece.end:
                return None
            shift += piece.end - piece.start - len(piece.replacement)
        return offset - shift


def clean(article: Article) -> CleanedArticle:
    """Clean."""
    return CleanedArticle(article=article)
