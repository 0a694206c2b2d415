"""Lines that come with an article and are none of it: by their place, links and repetition.

What can be told by its words alone goes in cleaning, which lists it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from rag.readers.html.body import LONG
from rag.readers.html.paragraphs import Paragraph, letters

_ALL_LINKED = 0.8  # share of a line inside links
_MAX_LABEL = 40
_MIN_TEASER, _MAX_TEASER = 25, 200
_ENDS = re.compile(r"[.!?…。！？:：;,\"'”’»)\]]\s*$")
_DATED = re.compile(
    r"(?:19|20)\d\d[-/.年]\s?\d\d?|\d\d?[-/.]\d\d?[-/.](?:19|20)\d\d|\b\d\d?(?:st|nd|rd|th|\.|º)?,?"
    r" (?:de |of )?[^\W\d]{3,12}\.?,? (?:de )?(?:19|20)\d\d|[^\W\d]{3,12}\.? \d\d?,? (?:19|20)\d\d"
)
_MAX_DATE_LINE = 100


def without_foreign(
    page: Sequence[Paragraph], chosen: Sequence[Paragraph], titles: set[str]
) -> list[Paragraph]:
    """The chosen paragraphs without those that repeat the title or lead to other articles.

    Args:
        page: All paragraphs of the page.
        chosen: Some of them, in order.
        titles: Titles of the page, in letters only.
    """
    wanted = {id(part) for part in chosen if not _is_foreign(part, titles)}
    done: list[Paragraph] = []
    behind: Paragraph | None = None  # what was left out directly behind the one looked at
    for part in reversed(page):
        if id(part) not in wanted:
            behind = part
            continue
        # A label such as "Don't miss" goes with the links behind it, and so does a heading.
        heads_links = behind is not None and _is_teaser(behind)
        heads_nothing = part.is_heading and not done
        if not heads_nothing and not (heads_links and (part.is_heading or _is_label(part))):
            done.append(part)
            behind = None
    return _each_once(_without_head_lines(done[::-1]))


def _is_foreign(part: Paragraph, titles: set[str]) -> bool:
    if part.key in titles:
        return True
    if part.is_heading and any(
        len(title) >= 15 and part.key.startswith(title) and len(part.key) < len(title) + 30
        for title in titles
    ):
        return True
    return part.link_share >= _ALL_LINKED and len(part.text) < _MAX_TEASER


def _is_teaser(part: Paragraph) -> bool:
    """Whether it is the title of another article, and leads there."""
    return part.link_share >= _ALL_LINKED and _MIN_TEASER <= part.size < _MAX_TEASER


def _is_label(part: Paragraph) -> bool:
    return part.size < _MAX_LABEL and not _ENDS.search(part.text)


def _without_head_lines(parts: list[Paragraph]) -> list[Paragraph]:
    """Without the labels, days and names that stand above the first sentence."""
    first = next((i for i, part in enumerate(parts) if part.size >= LONG), None)
    if first is None:
        return parts
    return [part for i, part in enumerate(parts) if i > first or not is_head_line(part)]


def is_head_line(part: Paragraph) -> bool:
    """Whether a line above an article only says when or under which heading it appeared."""
    return _is_label(part) or (part.size < _MAX_DATE_LINE and bool(_DATED.search(part.text)))


def _each_once(parts: list[Paragraph]) -> list[Paragraph]:
    seen: set[str] = set()
    kept = []
    for part in parts:
        if len(part.key) >= 40 and part.key in seen:
            continue
        seen.add(part.key)
        kept.append(part)
    return kept


def date_line(parts: Sequence[Paragraph], title: str) -> str | None:
    """The day in a line beside the title, as the page writes it; None if there is no such line."""
    key = letters(title)
    at = next((i for i, part in enumerate(parts) if key and part.key == key), None)
    if at is None:
        return None
    behind = itertools.takewhile(lambda part: part.size < LONG, parts[at + 1 : at + 6])
    for part in (*behind, *parts[max(at - 2, 0) : at]):
        found = _DATED.search(part.text) if part.size < _MAX_DATE_LINE else None
        if found is not None:
            return found[0]
    return None
