"""Sentences: spans `[start, end)` of an article's text.

The boundaries within a paragraph come from nupunkt (Punkt, trained on law and general prose; right
on "Gen. Smith", "U.S. He", "J. K. Rowling", "9 a.m."). Its systematic errors on news are mended
here by rules that each name an example; `rag.text.paragraphs` tells what lines mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text.paragraphs import Paragraphs, Span

_FIRST_WORD = re.compile(r"\S{1,200}")  # bounded: a text may be one long word
_LONG_WORD = re.compile(r"\S{500,}")
# Without one of these before its last character, a paragraph is one sentence.
_MARK = re.compile(r"[.!?…。！？．｡؟।॥۔]")

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
    r"Sens?|Reps?|Govs?|Gens|Profs|Drs|Rev|Hon)\.$"
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
        together cover every character that is not white space, the marks of quoted lines (`> `)
        left out. Headings are sentences too.
    """
    paragraphs = Paragraphs(text)
    return [span for around in paragraphs.spans for span in sentences_of(paragraphs, around)]


def sentences_of(paragraphs: Paragraphs, around: Span) -> list[Span]:
    """The sentences of one paragraph; see `split`.

    Args:
        paragraphs: Of the text.
        around: One of its spans.
    """
    paragraph = paragraphs.plain[around.start : around.end]
    spans: list[Span] = []
    last = 0
    for cut in [*_cuts(paragraph), len(paragraph)]:
        part = paragraph[last:cut]
        if part.strip():
            left = around.start + last + len(part) - len(part.lstrip())
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
