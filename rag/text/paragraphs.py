"""Paragraphs: the stretches of a text that a sentence does not leave, and its quotations.

A line end in a text may be meant (a heading, the next paragraph) or come from wrapping it to a
width. Which of the two is decided here, once: sentences, quotations and what stands before a
sentence all follow from it. Lines that begin with `>`, as mail and Markdown quote, are joined in
the same way; their marks are layout and no part of a sentence.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby, pairwise
from typing import NamedTuple


class Span(NamedTuple):
    """Offsets `[start, end)` in characters of a text."""

    start: int
    end: int


class Quotation(NamedTuple):
    """A quotation with its marks: offsets `[start, end)`, and whether it is closed."""

    start: int
    end: int
    closed: bool


class _Line(NamedTuple):
    """A line that is not empty.

    Attributes:
        start, end: Its words: without marks of quoting and white space at either end.
        beginning: Where the line begins.
        left: Where its width counts from: behind the marks of quoting.
        depth: How many marks of quoting stand before it.
        follows: Whether the line before it is directly above, and quoted as deeply.
    """

    start: int
    end: int
    beginning: int
    left: int
    depth: int
    follows: bool

    @property
    def width(self) -> int:
        return self.end - self.left


_LINE = re.compile(r"[^\n]+")
_MARKS = re.compile(r"[ \t]*(?:>(?:[ \t]?>)*+(?!\S)[ \t]?)?")
SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]」』]*\s*$")
# What stays together when a line is wrapped: a word; a character where words have no spaces.
_PIECE = re.compile(r"[\u0e00-\u0eff\u2e80-\uabff\uf900-\ufaff\uff00-\uffef]|\S{1,200}")
MIN_WRAPPED_WIDTH = 20
"""Narrower lines are a list, or a poem."""
MIN_WRAPPED_LINES = 2
"""Lines that must end for their width alone before a text counts as wrapped."""
ENOUGH_LINES = 4
"""With so many lines that a small letter follows, no others are asked."""
WRAPPED_SHARE = 0.8
"""Share of the lines asked that must be full."""
MAX_WIDTHS = 10
"""Widths that are tried, the greatest first."""
_OVERHANG = 16  # a line that much longer than the others was not wrapped with them

_QUOTED = re.compile(r"(?:^|(?<=\n))[ \t]*>(?:[ \t]?>)*+(?!\S)")
# "well-\nknown" is one word; "pre-\nand post-war" are two.
_HYPHEN_BREAK = re.compile(
    r"(?<=[^\W\d_]{2}-)[ \t]*\n\s*(?=[^\W\d_])(?!(?:and|or|to|und|oder|bis|et|ou|y|o|e)\s)"
)
_UNSPACED_BREAK = re.compile(r"(?<=[\u3000-\u9fff])[ \t]*\n\s*(?=[\u3000-\u9fff])")
_QUOTATION_MARK = re.compile(r"[“”„«»\"]")
_CLOSED_BY = {"“": '”»"', "„": '”“»"', "«": '”»"', '"': '”»"'}


class Paragraphs:
    """The paragraphs and quotations of a text.

    Attributes:
        text: The text.
        plain: The same with a space for each line break inside a paragraph and for each mark of
            quoting, so that all offsets are those of the text.
        spans: The paragraphs in order: lines, or wrapped lines taken together. No white space and
            no mark of quoting stands at either end.
        blocks: Runs of quoted lines (`> `) within a text that is not quoted as a whole. Lines of
            which each stands for itself are a list, and `>` is its bullet.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        lines = list(_lines(text))
        width = _wrapped_width(text, lines)
        goes_on = [False] + [
            _continues(text, line, following, width) for line, following in pairwise(lines)
        ]
        spans: list[Span] = []
        blanks: list[Span] = []
        for number, line in enumerate(lines):
            if goes_on[number]:
                blanks.append(Span(lines[number - 1].end, line.start))
                spans[-1] = Span(spans[-1].start, line.end)
            else:
                blanks += [Span(line.beginning, line.start)] if line.depth else []
                spans.append(Span(line.start, line.end))
        self.spans = tuple(spans)
        self.blocks = tuple(_blocks(lines, goes_on))
        self.plain = _blanked(text, blanks)
        self._starts = [span.start for span in spans]

    def around(self, at: int) -> Span:
        """The paragraph that holds an offset, or the last one before it; empty if there is none."""
        place = bisect_right(self._starts, at)
        return self.spans[place - 1] if place else Span(0, 0)

    def quotation(self, at: int) -> Quotation | None:
        """The quotation that an offset stands inside of; None if in none.

        One that is not closed ends with its paragraph, or where the next one opens.
        """
        for quotations in (self.blocks, self._marked):
            place = bisect_left(quotations, at, key=lambda quotation: quotation.start) - 1
            if place >= 0 and at < quotations[place].end:
                return quotations[place]
        return None

    @cached_property
    def _marked(self) -> list[Quotation]:
        """What stands between quotation marks, in order."""
        found: list[Quotation] = []
        for start, end in self.spans:
            opened: int | None = None
            for match in _QUOTATION_MARK.finditer(self.text, start, end):
                place, mark = match.start(), match.group()
                if opened is not None and mark in _CLOSED_BY[self.text[opened]]:
                    found.append(Quotation(opened, place + 1, True))
                    opened = None
                elif mark in _CLOSED_BY:
                    if opened is not None:
                        found.append(Quotation(opened, place, False))
                    opened = place
            if opened is not None:
                found.append(Quotation(opened, end, False))
        return found


def unwrapped(piece: str) -> str:
    """A piece of a text on one line, as it would stand there had nobody wrapped the text.

    Without line breaks, marks of quoted lines, and doubled spaces.
    """
    if "\n" in piece:
        piece = _QUOTED.sub("", piece)
        piece = _HYPHEN_BREAK.sub("", piece)
        piece = _UNSPACED_BREAK.sub("", piece)
    return " ".join(piece.split())


def unmarked(text: str) -> str:
    """A text with spaces in the place of the marks of quoted lines: offsets stay as they are."""
    return _QUOTED.sub(lambda marks: " " * len(marks[0]), text)


def _lines(text: str) -> Iterator[_Line]:
    quoted = _QUOTED.search(text) is not None
    before, depth_before = -1, 0
    for match in _LINE.finditer(text):
        start, end = match.span()
        left, depth = start, 0
        if quoted:
            marks = _MARKS.match(text, start, end)
            if marks and (depth := marks.group().count(">")):
                left = marks.end()
        words = text[left:end]
        bare = words.strip()
        if bare:
            first = left + len(words) - len(words.lstrip())
            follows = start == before + 1 and depth == depth_before
            yield _Line(first, first + len(bare), start, left, depth, follows)
            before, depth_before = end, depth


def _blocks(lines: Sequence[_Line], goes_on: Sequence[bool]) -> Iterator[Quotation]:
    base = min((line.depth for line in lines), default=0)
    for quoted, run in groupby(range(len(lines)), key=lambda number: lines[number].depth > base):
        numbers = list(run)
        joined = any(goes_on[number] for number in numbers)
        listed = any(lines[number].follows and not goes_on[number] for number in numbers)
        if quoted and (joined or not listed):
            yield Quotation(lines[numbers[0]].beginning, lines[numbers[-1]].end, True)


def _continues(text: str, line: _Line, following: _Line, width: int | None) -> bool:
    """Whether the paragraph of a line goes on in the line that follows."""
    if not following.follows:
        return False
    if width is not None and _is_full(text, line, following, width):
        return True
    return text[following.start].islower() and not _ends_sentence(text, line)


def _ends_sentence(text: str, line: _Line) -> bool:
    return SENTENCE_END.search(text, max(line.start, line.end - 20), line.end) is not None


def _is_full(text: str, line: _Line, following: _Line, width: int) -> bool:
    """Whether the first word of the line that follows would not have fitted into the line."""
    if line.width > width + _OVERHANG:
        return False
    piece = _PIECE.match(text, following.start, following.end)
    return piece is not None and line.width + 1 + len(piece[0]) > width


def _wrapped_width(text: str, lines: Sequence[_Line]) -> int | None:
    """The width that the text is hard-wrapped to; None if its line ends are meant.

    A wrapped line is one that the next word would not have fitted into. The lines that end within
    a sentence tell: nearly all of them are full then, up to a few headings. Those that a small
    letter follows are no headings and no list: where there are enough of them, they alone tell.
    The longest of them has the width, unless it is a line of its own kind.
    """
    if len(lines) <= MIN_WRAPPED_LINES:
        return None
    pairs = [pair for pair in pairwise(lines) if pair[1].follows]
    ends = [pair for pair in pairs if not _ends_sentence(text, pair[0])]
    within = [pair for pair in ends if _goes_on_small(text, pair[1])]
    if len(ends) < MIN_WRAPPED_LINES or not within:
        return None
    told_by = within if len(within) >= ENOUGH_LINES else ends
    longest = sorted((line.width for line, _ in within), reverse=True)[: 1 + len(within) // 10]
    for width in list(dict.fromkeys(longest))[:MAX_WIDTHS]:
        if width < MIN_WRAPPED_WIDTH:
            break
        n_full = sum(_is_full(text, line, following, width) for line, following in told_by)
        if n_full >= WRAPPED_SHARE * len(told_by):
            return width
    return None


def _goes_on_small(text: str, line: _Line) -> bool:
    """Whether a line begins with a small letter, or with one of a script that has no others."""
    first = text[line.start]
    return first.isalpha() and not first.isupper()


def _blanked(text: str, blanks: Sequence[Span]) -> str:
    """A text with spaces in the place of spans."""
    if not blanks:
        return text
    parts, last = [], 0
    for start, end in blanks:
        parts += [text[last:start], " " * (end - start)]
        last = end
    return "".join([*parts, text[last:]])
