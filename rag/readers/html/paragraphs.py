"""Paragraphs: the runs of text of a page in reading order, each with what tells what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.readers.html.tree import UNREAD, walk

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "caption",
    ]
)
_UNREAD = frozenset(UNREAD)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"\s+")
_BREAKS = re.compile(r"\n\s*\n")
# A letter of these scripts says about as much as three of a Latin one.
_DENSE = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_N_PLACE = 5
_MAX_CELL = 80  # characters of a cell in a table of data; one that lays out a page holds more

Place = tuple[str, ...]
"""Where in a page: names of the blocks around, the innermost first, each with its class."""


@dataclass(slots=True, eq=False)
class Paragraph:
    """A run of text between two block boundaries.

    Attributes:
        text: White space made single; a line break where the page has `<br>`.
        element: The innermost block element (lxml).
        kind: Name of that element, or `row` for a row of a table of data.
        place: Where it stands.
        n_linked: Characters of it inside links.
        marked: Those of its ancestors that say by their name that they are no part of an article,
            the outermost first.
        key: Its letters and digits, see `letters`.
        size: Its length in characters of a Latin script.
    """

    text: str
    element: Any
    kind: str
    place: Place
    n_linked: int = 0
    marked: tuple[Any, ...] = ()
    key: str = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.key = letters(self.text)
        self.size = len(self.text)
        if not self.text.isascii():
            self.size += 2 * len(_DENSE.findall(self.text))

    @property
    def is_heading(self) -> bool:
        """Whether the page marks it as a heading."""
        return self.kind in _HEADINGS

    @property
    def link_share(self) -> float:
        """Share of it inside links, [0, 1]."""
        return self.n_linked / max(len(self.text), 1)


def letters(text: str) -> str:
    """The letters and digits of a text, without case: the same however it is laid out."""
    return "".join(filter(str.isalnum, text)).casefold()


def name_words(element: Any) -> set[str]:
    """Words that an element's class, id and role are made of, in lower case."""
    given = element.attrib
    names = f"{given.get('class', '')} {given.get('id', '')} {given.get('role', '')}"
    return {word.lower() for word in _NAME_WORDS.findall(names)}


def paragraphs(body: Any, is_outside: Callable[[Any], bool]) -> list[Paragraph]:
    """The paragraphs below an element.

    Args:
        body: An lxml element.
        is_outside: Tells of an element whether it is no part of an article.
    """
    return [part for part in _Walk(is_outside).run(body) if part.key]


class _Walk:
    """One pass over the elements of a page; text gathers until a block begins or ends."""

    def __init__(self, is_outside: Callable[[Any], bool]) -> None:
        self._is_outside = is_outside
        self._text: list[str] = []
        self._n_linked = 0
        self._n_open_links = 0
        self._blocks: list[Any] = []
        self._names: list[str] = []
        self._marked: list[tuple[Any, ...]] = [()]

    def run(self, body: Any) -> Iterator[Paragraph]:
        elements = walk(body)
        for event, element in elements:
            tag = element.tag
            if event == "end":
                if tag in _BLOCKS:
                    yield from self._end_block()
                elif tag == "a":
                    self._n_open_links -= 1
                if element is not body:
                    self._add(element.tail)
                continue
            if tag in _UNREAD:
                elements.skip_subtree()
                continue
            if tag in _BLOCKS:
                yield from self._begin_block(element)
                if tag == "table" and (rows := _rows(element)):
                    for row, text in rows:
                        yield self._paragraph(text, row, "row", 0)
                    elements.skip_subtree()
                    continue
            elif tag == "br":
                self._text.append("\n")
            elif tag == "a":
                self._n_open_links += 1
            self._add(element.text)

    def _begin_block(self, element: Any) -> Iterator[Paragraph]:
        yield from self._flush()
        self._blocks.append(element)
        name = element.attrib.get("class", "")
        self._names.append(f"{element.tag} {_DIGITS.sub('', name)}")
        marked = self._marked[-1]
        self._marked.append((*marked, element) if self._is_outside(element) else marked)

    def _end_block(self) -> Iterator[Paragraph]:
        yield from self._flush()
        self._blocks.pop()
        self._names.pop()
        self._marked.pop()

    def _add(self, text: str | None) -> None:
        if text:
            self._text.append(text if text.isalnum() else _SPACES.sub(" ", text))
            if self._n_open_links:
                self._n_linked += len(text.strip())

    def _flush(self) -> Iterator[Paragraph]:
        if not self._text:
            return
        whole, n_linked = "".join(self._text), self._n_linked
        self._text, self._n_linked = [], 0
        if whole.isspace():
            return
        for piece in _BREAKS.split(whole) if "\n" in whole else [whole]:
            text = "\n".join(line for line in map(_single, piece.split("\n")) if line)
            if text:
                share = round(n_linked * len(piece) / len(whole))
                yield self._paragraph(text, self._blocks[-1], self._blocks[-1].tag, share)

    def _paragraph(self, text: str, element: Any, kind: str, n_linked: int) -> Paragraph:
        place = (kind, *self._names[-2 : -2 - _N_PLACE : -1])
        return Paragraph(text, element, kind, place, n_linked, self._marked[-1])


def _single(text: str) -> str:
    return " ".join(text.split())


def _rows(table: Any) -> list[tuple[Any, str]] | None:
    """Rows of a table of data with their text; None for one that lays out a page."""
    if table.find(".//table") is not None:
        return None
    rows: list[tuple[Any, str]] = []
    n_cells = size = 0
    for row in table.iter("tr"):
        cells = [_single("".join(_cell(cell))) for cell in row.iterchildren("td", "th")]
        n_cells += len(cells)
        size += sum(map(len, cells))
        if any(cells):
            rows.append((row, "\t".join(cells)))
    if len(rows) < 2 or n_cells < 2 * len(rows) or size > _MAX_CELL * n_cells:
        return None
    return rows


def _cell(cell: Any) -> Iterator[str]:
    """Texts of a cell, with a space where a block or a line begins or ends."""
    elements = walk(cell)
    for event, element in elements:
        if element is not cell and (element.tag in _BLOCKS or element.tag == "br"):
            yield " "
        if event == "start" and element.tag in _UNREAD:
            elements.skip_subtree()
        elif event == "start":
            yield element.text or ""
        elif element is not cell:
            yield element.tail or ""
