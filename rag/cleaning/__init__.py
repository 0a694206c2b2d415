"""Cleaning: from the text as read to the text that citations point into.

What was scraped along with an article goes (menus, adverts, photo credits, repeated captions) and
is reported; what the article says stays. In doubt a piece stays: a needless line costs little, a
lost sentence is an answer lost. A text with nothing to clean comes back identical, character for
character. Rules match whole lines, or a bracketed credit at the end of one, never the inside of a
sentence.

Modules:
    edits       what is removed or replaced, and a text with that done
    characters  invisible characters, HTML entities and tags
    debris      lines and credits that are no part of an article; its words are in debris.toml
    pages       headers and footers of pages
    head        title, day, source and author, where the first lines state them
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from rag.article import Article
from rag.cleaning.characters import inline_edits
from rag.cleaning.debris import line_edits
from rag.cleaning.edits import Edit, Line, applied, in_raw, moved_offsets, with_white_space
from rag.cleaning.head import head_edits, headline
from rag.cleaning.pages import margin_edits

__all__ = ["CleanedArticle", "Removed", "clean"]


class Removed(BaseModel):
    """A piece of the text as read that is not in the cleaned text.

    Attributes:
        start: Offset in the text as read, in characters.
        end: Offset behind it.
        text: The piece itself.
        reason: Why it went.
        replacement: What stands in its place: empty, or what an HTML entity, a wrongly decoded byte
            or a ligature stands for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    end: int
    text: str
    reason: str
    replacement: str = ""


class CleanedArticle(BaseModel):
    """An article with its cleaned text, and what was removed from it.

    Attributes:
        article: With the cleaned text, and title, day and source where the text states them.
        removed: Pieces removed, in order and without overlap: what is between them was kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    article: Article
    removed: tuple[Removed, ...] = ()

    def to_cleaned(self, offset: int) -> int | None:
        """Offset in the cleaned text of a character of the text as read; None if it was removed."""
        shift = 0
        for piece in self.removed:
            if offset < piece.start:
                break
            if offset < piece.end:
                return None
            shift += piece.end - piece.start - len(piece.replacement)
        return offset - shift


def clean(article: Article) -> CleanedArticle:
    """Remove what was scraped along with an article, and find what its head states.

    The title, the day and the source are taken from the text only where the article has none.
    A headline stays in the text; a line that only names the site, or the day, goes.
    """
    raw = article.text
    inline = inline_edits(raw)
    text = applied(raw, inline)
    if unicodedata.is_normalized("NFC", raw) and not unicodedata.is_normalized("NFC", text):
        inline, text = [], raw  # what was kept apart would combine: leave it so
    lines = [Line(m.start(), m.end(), " ".join(m[0].split())) for m in re.finditer(r"[^\n]+", text)]
    lines = [line for line in lines if line.words]
    found: dict[str, Any] = {}
    edits = line_edits(text, lines)
    if article.pages:
        edits += margin_edits(text, moved_offsets(article.pages, inline, len(text)))
    edits += head_edits(text, _outside(lines, edits), article, found)
    edits = with_white_space(text, sorted(edits))
    removed = in_raw(inline, edits)
    cleaned = applied(raw, removed)
    if not article.title and not found.get("title"):
        found["title"] = headline(cleaned)
    if found.get("published") and not article.published:
        found["metadata"] = {**article.metadata, "published_from": "first lines of the text"}
    if article.pages:
        found["pages"] = moved_offsets(article.pages, removed, len(cleaned))
    pieces = tuple(Removed(text=raw[edit.start : edit.end], **edit._asdict()) for edit in removed)
    return CleanedArticle(
        article=article.model_copy(update={"text": cleaned, **found}), removed=pieces
    )


def _outside(lines: Sequence[Line], edits: Iterable[Edit]) -> list[Line]:
    """Lines that do not go."""
    gone = {edit.start for edit in edits}
    return [line for line in lines if line.start not in gone]
