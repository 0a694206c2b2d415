"""Sentences: spans `[start, end)` of an article's text.

The boundaries within a line come from nupunkt (Punkt, trained on law and general prose; right on
"Gen. Smith", "U.S. He", "J. K. Rowling", "9 a.m."). Its systematic errors on news are mended here
by rules that each name an example; what lines mean (headings, hard-wrapped paragraphs) is ours.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """Offsets `[start, end)` in characters of a text."""

    start: int
    end: int


_LINE = re.compile(r"[^\n]+")
_LINE_ENDS_SENTENCE = re.compile(r"[.!?…。！？؟।][\"'”’»)\]」』]*\s*$")
_FIRST_WORD = re.compile(r"\S{1,200}")  # bounded: a text may be one long word
_LONG_WORD = re.compile(r"\S{500,}")
# Without one of these before its last character, a paragraph is one sentence.
_MARK = re.compile(r"[.!?…。！？．｡؟।॥۔]")
MIN_WRAPPED_WIDTH, MAX_WRAPPED_WIDTH = 50, 120
MIN_WRAPPED_LINES = 4

# Boundaries that nupunkt leaves out. It takes words such as "tax." and "month." for abbreviations
# ("this tax. Mr Boateng said"), also before a closing quotation mark ("a win.\" England have").
_AFTER_MARK = re.compile(r"[.!?]([\"”’')\]]*+)\s++(?=[\"“‘'(\[]?[A-Z])")
_LAST_WORD = re.compile(r"(?<![\w.])\w++$")
# A missing space: "dial down the tension.He left"; looked for only where it may be.
_MARK_IN_WORD = re.compile(r"[.!?][\"”’]?[A-Z]")
_NO_SPACE = re.compile(r"(?<![\w.])[a-z]{3,}[.!?][\"”’]?(?=[A-Z][a-z]*\s)")
# Scripts that set no space or marks of their own: "A。B！", "مرحبا؟ نعم".
_OTHER_SCRIPTS = re.compile(r"[。！？．｡]+[」』”’）)\"']*|[؟।॥۔]+[\"'”’»)]*(?=\s)")
# References after the full stop: "string theory.:212-219 He", "the game.[5][6] He".
_REFERENCE = re.compile(
    r"[.!?][\"”’')]*(?::\d[\d,–-]*|(?:\[[^\[\]]{1,40}\])+)\s+(?=[\"“‘'(\[]?[A-Z])"
)

# Boundaries that nupunkt sets wrongly.
_CLOSING = re.compile(r"[\"'”’»)\]」』]+")
_GOES_ON = re.compile(r"[,;:)\]%”’»]|[.!?](?![\w.])")
_TITLE_BEFORE = re.compile(
    r"(?<!\w)(?:Lt|Maj|Brig|Col|Capt|Sgt|Cpl|Cmdr|Cdr|Adm|Gen|Supt|Insp|Prof|Dr|Mr|Mrs|Ms|Messrs|"
    r"Sen|Rep|Gov|Rev|Hon)\.$"
)
_NUMBER_ONLY = re.compile(r"[(\[]?(?:\d{1,3}|[A-Za-z])[.)\]]+")

_ABBREVIATIONS = re.compile(
    r"vs|approx|est|dept|nos?|pp|vols?|figs?|ca|eds?|op|cit|viz|max|min|jr|sr|ave|ft|mt|hon|asst|"
    r"prof|[dm]r|mr?s|st|etc|al|inc|ltd|co|corp|bros|cf|incl|resp|tel|ext|messrs|capt|supt|insp|"
    r"sept|pres|govt|assn|univ|assoc|brig|cmdr|comdr|lieut|atty|reps|sens|gens|govs|profs|revd|"
    r"calif|colo|conn|mass|mich|minn|miss|mont|okla|penn|tenn|wash|ariz|tues|thurs?",
    re.IGNORECASE,
)


def split(text: str) -> list[Span]:
    """Sentences of a text.

    Returns:
        Ordered spans that do not overlap, are not empty, have no white space at either end, and
        together cover every character that is not white space. Headings are sentences too.
    """
    spans: list[Span] = []
    for start, end in _paragraphs(text):
        paragraph = text[start:end]
        last = 0
        for cut in [*_cuts(paragraph), len(paragraph)]:
            part = paragraph[last:cut]
            if part.strip():
                left = start + last + len(part) - len(part.lstrip())
                spans.append(Span(left, left + len(part.strip())))
            last = cut
    return spans


def _cuts(paragraph: str) -> Iterator[int]:
    """Offsets in a paragraph where one sentence ends and the next begins, in order."""
    from nupunkt import sent_spans

    if not _MARK.search(paragraph, 0, len(paragraph) - 1):
        return
    # nupunkt takes quadratic time in the length of a word.
    bounded = _LONG_WORD.sub(lambda match: "x" * len(match[0]), paragraph)
    cuts = {_behind_closing(paragraph, end) for _, end in sent_spans(bounded)}
    if _MARK_IN_WORD.search(paragraph):
        cuts.update(match.end() for match in _NO_SPACE.finditer(paragraph))
    if not paragraph.isascii():
        cuts.update(match.end() for match in _OTHER_SCRIPTS.finditer(paragraph))
    cuts.update(match.end() for match in _REFERENCE.finditer(paragraph))
    behind = 0
    for match in _AFTER_MARK.finditer(paragraph):
        if match.end() not in cuts and _ends_word(paragraph, behind, match):
            cuts.add(match.end())
        behind = match.end()
    last = 0
    for cut in sorted(cuts):
        if 0 < cut < len(paragraph) and _is_boundary(paragraph, last, cut):
            yield cut
            last = cut


def _ends_word(paragraph: str, behind: int, mark: re.Match[str]) -> bool:
    """Whether the mark stands behind a word that is no abbreviation; `behind` bounds the search."""
    start = paragraph.rfind(" ", behind, mark.start()) + 1 or behind
    found = _LAST_WORD.search(paragraph, start, mark.start())
    if found is None:
        return False
    word = found[0]
    ordinary = len(word) > 3 or (len(word) > 1 and (word.islower() or word.isupper()))
    return bool(mark[1]) or (ordinary and not _ABBREVIATIONS.fullmatch(word))


def _behind_closing(paragraph: str, cut: int) -> int:
    """The cut behind closing marks: in `join hands."UK defence` the mark closes `hands`."""
    if 0 < cut < len(paragraph) and not paragraph[cut - 1].isspace():
        closing = _CLOSING.match(paragraph, cut)
        return closing.end() if closing else cut
    return cut


def _is_boundary(paragraph: str, last: int, cut: int) -> bool:
    """Whether a sentence really ends at the cut; `last` is the cut before it."""
    following = _FIRST_WORD.search(paragraph, cut)
    if following is None:
        return False
    word = following[0][:40]
    # "Who Wants to be a Millionaire? on Christmas Day"; but "Sales rose. iPod owners".
    if word[0].islower() and word == word.lower():
        return False
    if _GOES_ON.match(word) or (word[0] == "[" and not paragraph[cut - 1].isspace()):
        return False
    before = paragraph[max(last, cut - 40) : cut].strip()
    if _TITLE_BEFORE.search(before, max(0, len(before) - 8)):  # "Lt. Gen. Herzi Halevi"
        return False
    return not _NUMBER_ONLY.fullmatch(before)  # "2. Second item."


def _paragraphs(text: str) -> Iterator[Span]:
    """Stretches that a sentence does not leave: lines, or hard-wrapped lines taken together."""
    lines = [Span(*match.span()) for match in _LINE.finditer(text)]
    width = _wrapped_width(text, lines)
    start = 0
    for number, line in enumerate(lines):
        last = number + 1 == len(lines)
        if last or not _continues(text, line, lines[number + 1], width):
            yield Span(lines[start].start, line.end)
            start = number + 1


def _continues(text: str, line: Span, following: Span, width: int | None) -> bool:
    """Whether the sentence of a line goes on in the line that follows."""
    if following.start != line.end + 1:  # a blank line lies between
        return False
    if width is not None and _is_full(text, line, following, width):
        return True
    ends = _LINE_ENDS_SENTENCE.search(text, max(line.start, line.end - 20), line.end)
    return text[following.start].islower() and not ends


def _is_full(text: str, line: Span, following: Span, width: int) -> bool:
    """Whether the first word of the line that follows would not have fitted into the line."""
    word = _FIRST_WORD.match(text, following.start, following.end)
    return word is not None and line.end - line.start + 1 + len(word[0]) > width


def _wrapped_width(text: str, lines: list[Span]) -> int | None:
    """The width that the text is hard-wrapped to; None if its line ends are meant.

    A wrapped line is one that the next word would not have fitted into. When that holds for four
    lines of five (headings are shorter), the text was wrapped.
    """
    pairs = [
        (line, following)
        for line, following in itertools.pairwise(lines)
        if following.start == line.end + 1
    ]
    if len(pairs) < MIN_WRAPPED_LINES:
        return None
    widths = sorted(line.end - line.start for line, _ in pairs)
    width = widths[len(widths) * 9 // 10]
    if not MIN_WRAPPED_WIDTH <= width <= MAX_WRAPPED_WIDTH:
        return None
    n_full = sum(_is_full(text, line, following, width) for line, following in pairs)
    return width if n_full * 5 >= len(pairs) * 4 else None
