"""Pages: headers and footers, which stand in the text of a paged file at each page break."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rag.cleaning.edits import Edit

MARGIN_LINES = 2
"""Headers and footers are looked for in so many lines at the top and bottom of a page."""
MIN_PAGES = 3
_MIN_SHARE = 0.4  # of the pages: on fewer, a line may repeat for a reason
_NUMBERS = re.compile(r"\d+")
_LINE = re.compile(r"[^\n]*\S[^\n]*")


def margin_edits(text: str, pages: Sequence[int]) -> list[Edit]:
    """The lines at the top or bottom of most pages, but for their numbers the same there.

    Args:
        text: The text.
        pages: Offset at which each page begins in it.
    """
    margins = [list(_margins(text, span)) for span in _spans(text, pages)]
    margins = [lines for lines in margins if lines]
    if len(margins) < MIN_PAGES:
        return []
    seen: Counter[str] = Counter()
    for lines in margins:
        seen.update({key for _, _, key in lines})
    most = max(MIN_PAGES, _MIN_SHARE * len(margins))
    return [
        Edit(start, end, "page header or footer")
        for lines in margins
        for start, end, key in lines
        if seen[key] >= most
    ]


def _spans(text: str, pages: Sequence[int]) -> Iterator[tuple[int, int]]:
    yield from zip(pages, [*pages[1:], len(text)], strict=True)


def _margins(text: str, span: tuple[int, int]) -> Iterator[tuple[int, int, str]]:
    """Start, end and key of the lines at the top and bottom of a page, none of them twice."""
    lines = [match.span() for match in _LINE.finditer(text, *span)]
    chosen = dict.fromkeys([*lines[:MARGIN_LINES], *lines[-MARGIN_LINES:]])
    for start, end in chosen:
        yield start, end, _NUMBERS.sub("#", " ".join(text[start:end].split()).casefold())
