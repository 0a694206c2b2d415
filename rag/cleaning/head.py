"""The head of an article: what its first lines state of title, day, source and author."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from rag.article import Article
from rag.cleaning.debris import MAX_DEBRIS_CHARACTERS, word_lists
from rag.cleaning.edits import Edit, Line
from rag.readers import parse_date

HEAD_LINES = 8
"""Site name, date and by-line are looked for in so many lines with content."""
MAX_TITLE_CHARACTERS = 200
_DATE_PREFIX = re.compile(r"\s*date[:=]?\s{1,3}(\d{4}-\d\d-\d\d)\s+(?=\S)", re.IGNORECASE)
_TIME = r"(?:,? (?:at )?\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?(?: \(?[A-Z]{2,5}\)?)?)?"
_DATE_LINE = re.compile(
    r"(?P<label>(?:first )?published(?: on| at)?|posted(?: on)?|date)?\s?:?\s?"
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"
    r"(?P<date>\d{4}-\d\d-\d\d|\d{1,2}(?:st|nd|rd|th)? [a-z]{3,9}\.?,? \d{4}|"
    r"[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})" + _TIME,
    re.IGNORECASE,
)
_OUTLET_SHAPE = re.compile(
    r"The (?:[A-Z][a-z]+ ){1,3}(?:Post|Times|Herald|Tribune|Gazette|Chronicle|Telegraph|Journal)"
)
_AGENCY_LINE = re.compile(r"[A-Z][^()]{1,60}\((Reuters|AP|AFP|dpa|Xinhua|ANSA|TASS)\) ?[-–—]")
_BY_LINE = re.compile(r"By ([A-Z][^|,.]{2,50}?) ?[|,–—-] ?(?P<source>[A-Z][\w ]{2,40})")


def head_edits(
    text: str, lines: Sequence[Line], article: Article, found: dict[str, Any]
) -> list[Edit]:
    """Put what the first lines state into `found`; lines that only state the source or day go."""
    edits: list[Edit] = []
    published, source = article.published, article.source
    prefix = _DATE_PREFIX.match(text)
    # "Date 2024-08-02 was a Friday" is a sentence.
    sentence = prefix and text[prefix.end()].islower()
    if prefix and not sentence and (day := parse_date(prefix[1])) and published in (None, day):
        published = day
        edits.append(Edit(0, prefix.end(), "date of publication"))
    outlets = word_lists()["outlets"]
    for line in lines[:HEAD_LINES]:
        if len(line.words) > 100:
            source = source or _agency(line.words)
            continue
        name = outlets.get(line.words.casefold())
        if name is None and _OUTLET_SHAPE.fullmatch(line.words):
            name = line.words
        if name and source in (None, name) and line is not lines[-1]:
            source = name
            edits.append(Edit(line.start, line.end, "name of the site"))
            continue
        stated = _DATE_LINE.fullmatch(line.words)
        if stated and (day := parse_date(stated["date"])) and published in (None, day):
            published = day
            if stated["label"]:
                edits.append(Edit(line.start, line.end, "date of publication"))
        by = _BY_LINE.fullmatch(line.words)
        if by and by["source"].casefold() in outlets:
            source = source or outlets[by["source"].casefold()]
            found["author"] = article.author or by[1]
        source = source or _agency(line.words)
    found.update(published=published, source=source)
    return edits


def _agency(words: str) -> str | None:
    """The agency that a dateline names: "LONDON, Aug 2 (Reuters) - …"."""
    dateline = _AGENCY_LINE.match(words[:100])
    return dateline[1] if dateline else None


def headline(text: str) -> str:
    """The first line if it is a headline, else empty; lines with date or author may precede."""
    title, rest = "", text
    for _ in range(HEAD_LINES):
        first, _newline, rest = rest.lstrip().partition("\n")
        title = " ".join(first[:MAX_DEBRIS_CHARACTERS].split())
        if not _DATE_LINE.fullmatch(title) and not _BY_LINE.fullmatch(title):
            break
    body = rest.lstrip()
    if not body or not 3 <= len(title.split()) <= 40 or len(title) > MAX_TITLE_CHARACTERS:
        return ""
    if not (title[0].isalnum() or title[0] in "\"'“‘«") or title[0].islower():
        return ""
    if title.rstrip("\"'”’»)").endswith((".", ",", ";", ":", "…")):
        return ""
    return "" if _is_wrapped(rest) else title


def _is_wrapped(rest: str) -> bool:
    """Whether the first line of a paragraph, of which this is the rest, only ends for its width."""
    if not rest[:1].strip():
        return False
    lines = list(itertools.takewhile(str.strip, rest.split("\n", 12)[:12]))
    n_open = sum(not line.rstrip("\"'”’») ").endswith((".", "!", "?")) for line in lines)
    return lines[0].lstrip()[0].islower() or (len(lines) > 1 and n_open * 2 > len(lines))
