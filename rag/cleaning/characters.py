"""Characters that are no text: invisible ones, HTML entities and tags."""

from __future__ import annotations

import html
import re
import unicodedata

from rag.cleaning.edits import Edit, without_overlap

# Invisible characters: controls, soft hyphen, zero-width space and joiners that change nothing,
# byte order mark, and those that turn the direction of what follows. U+200C and U+200D stay, they
# spell words and emoji.
_INVISIBLE = re.compile(
    "[\x80-\x9f]|[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b\u2060\ufeff\ufffc\u202a-\u202e\u2066-\u2069]+"
)
# Letters of print that stand for two or three: a search for "first" must find "ﬁrst".
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{2,5}|#[xX][0-9a-fA-F]{2,5});")
_BLOCKS = "p|br|div|h[1-6]|ul|ol|li|table|tr|td|blockquote|figure|figcaption|section|article"
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCKS})(?:\s[^<>]{{0,300}})?/?>", re.IGNORECASE)
_INLINE_TAG = re.compile(
    r"</?(?:a|b|i|u|em|strong|span|img|small)(?:\s[^<>]{0,300})?/?>", re.IGNORECASE
)


def inline_edits(text: str) -> list[Edit]:
    """Invisible characters, entities and tags, in order and without overlap."""
    edits = []
    # Most texts have none; asking for it this way is quicker than looking for each.
    if not text.replace("\n", "").isprintable() or "\ufffc" in text:
        for match in _INVISIBLE.finditer(text):
            edits.append(Edit(*match.span(), "invisible character", _byte_meant(match[0])))
    if not text.isascii():
        edits += [
            Edit(*match.span(), "ligature", unicodedata.normalize("NFKC", match[0]))
            for match in _LIGATURE.finditer(text)
        ]
    if "&" in text:
        for match in _ENTITY.finditer(text):
            meant = html.unescape(match[0])
            # "<" and ">" may be meant as written: an article may show markup.
            if meant == "\xa0" or (len(meant) == 1 and meant.isprintable() and meant not in "<>"):
                edits.append(Edit(*match.span(), "HTML entity", meant))
    if (
        "<" in text and len(_BLOCK_TAG.findall(text)) >= 2
    ):  # one alone may be what the article is about
        edits += [Edit(*m.span(), "HTML tag", "\n") for m in _BLOCK_TAG.finditer(text)]
        edits += [Edit(*m.span(), "HTML tag") for m in _INLINE_TAG.finditer(text)]
    return without_overlap(edits)


def _byte_meant(character: str) -> str:
    """What a control character of Latin-1 stood for if the text was Windows-1252; else nothing."""
    if not "\x80" <= character <= "\x9f":
        return ""
    return character.encode("latin-1").decode("cp1252", "ignore")
