"""Sentences: spans `[start, end)` of an article's text.

The boundaries within a line come from nupunkt (Punkt, trained on American prose and law); what
lines mean in news (headings, hard-wrapped paragraphs) and a few systematic errors are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """Offsets `[start, end)` in characters of a text."""

    start: int
    end: int


_LINE = re.compile(r"[^\n]+")
_END = re.compile(r"[.!?…。！？؟।:;][\"'”’»)\]」』]*\s*$")
# Marks that end a sentence without a space after them; nupunkt does not know these scripts.
_MORE_ENDS = re.compile(r"[。！？．｡]+[」』”’）)\"']*|[؟।॥۔]+[\"'”’»)]*(?=\s)")
_CLOSING = re.compile(r"[\"'”’»)\]]+(?=\s|$)")
MAX_WRAPPED_WIDTH = 120


def split(text: str) -> list[Span]:
    """Sentences of a text.

    Returns:
        Ordered spans that do not overlap, are not empty, have no white space at either end, and
        together cover every character that is not white space. Headings are sentences too.
    """
    from nupunkt import sent_spans

    spans: list[Span] = []
    for start, end in _paragraphs(text):
        paragraph = text[start:end]
        cuts = {cut for _, cut in sent_spans(paragraph)}
        cuts.update(match.end() for match in _MORE_ENDS.finditer(paragraph))
        last = 0
        for cut in [*sorted(cuts), len(paragraph)]:
            span = _trimmed(text, start + last, start + cut)
            if span.start < span.end:
                spans.append(span)
            last = cut
    return spans


def _paragraphs(text: str) -> Iterator[Span]:
    """Stretches that a sentence does not leave: lines, or hard-wrapped lines taken together."""
    start = end = -1
    for match in _LINE.finditer(text):
        if start >= 0 and not _continues(text, start, end, match):
            yield Span(start, end)
            start = -1
        if start < 0:
            start = match.start()
        end = match.end()
    if start >= 0:
        yield Span(start, end)


def _continues(text: str, start: int, end: int, line: re.Match[str]) -> bool:
    """Whether a line goes on with the sentence of the line before it."""
    if line.start() != end + 1:  # a blank line lies between
        return False
    return text[line.start()].islower() and not _END.search(text[max(start, end - 20) : end])


def _trimmed(text: str, start: int, end: int) -> Span:
    """The span without white space at its ends."""
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return Span(start, max(start, end - (len(part) - len(part.rstrip()))))
