"""Numbers in a text: digits and words, with what multiplies them.

"4.2 million", "4,200,000" and "four million two hundred thousand" are the same number; "6 %" and
"six percent" are, and are not 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from rag.text.language import Language

# Digits that stand against letters, such as "4x4" or "2004s": bare.
_BARE = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ADDED_FROM = 1_000
"""Words of a smaller scale multiply what stands before them; the others begin a new part."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text.

    Attributes:
        value: Its value.
        percent: Whether it is a share.
        start, end: Where it stands.
    """

    value: float
    percent: bool
    start: int
    end: int

    @property
    def key(self) -> tuple[float, bool]:
        """Equal for the same number however it is written."""
        return self.value, self.percent


class _Grammar(NamedTuple):
    """How a language writes numbers.

    Attributes:
        digits: A number in digits, with its groups `digits`, `scale` and `percent`.
        words: One in words, with its group `percent`; None where there are none.
        small: Words to the numbers below a hundred.
        scales: Words to what they multiply by.
    """

    digits: re.Pattern[str]
    words: re.Pattern[str] | None
    small: dict[str, int]
    scales: dict[str, int]


@cache
def _grammar(language: Language) -> _Grammar:
    small = {word: value for value, word in enumerate(language.listed("numbers.up_to_19"))}
    tens = enumerate(language.listed("numbers.tens"), start=2)
    small |= {word: 10 * value for value, word in tens}
    long, short = language.table("numbers.scales"), language.table("numbers.short_scales")
    scale = "|".join(map(re.escape, long))
    scales = "|".join([*(f"{re.escape(word)}s?" for word in long), *map(re.escape, short)])
    percent = language.source("numbers.percent")
    share = rf"(?P<percent>\s?(?:%|{percent}))?" if percent else r"(?P<percent>\s?%)?"
    digits = re.compile(
        r"(?<![\w.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
        + (rf"(?:[\s-]?(?P<scale>{scales})(?!\w))?" if scales else r"(?P<scale>(?!))?")
        + share,
        re.IGNORECASE,
    )
    words = None
    if small and long:
        one = rf"(?:{'|'.join(map(re.escape, small))}|{scale})"
        article, joined = language.source("numbers.article"), language.source("numbers.and")
        words = re.compile(
            rf"(?<![\w-])(?:(?:{article})\s+(?=(?:{scale})))?{one}"
            rf"(?:(?:[\s-]+|\s+(?:{joined})\s+){one})*(?![\w-]){share}",
            re.IGNORECASE,
        )
    return _Grammar(digits, words, small, {**long, **short})


def find_numbers(text: str, language: Language) -> list[Number]:
    """The numbers of a text, in order."""
    grammar = _grammar(language)
    found = []
    taken: set[int] = set()
    for match in grammar.digits.finditer(text):
        value = float(match["digits"].replace(",", ""))
        scale = (match["scale"] or "").lower()
        value *= grammar.scales.get(scale) or grammar.scales.get(scale.rstrip("s"), 1)
        found.append(Number(value, bool(match["percent"]), *match.span()))
        taken.update(range(*match.span()))
    for match in _BARE.finditer(text):
        if match.start() not in taken:
            found.append(Number(float(match.group()), False, *match.span()))
    for match in grammar.words.finditer(text) if grammar.words else ():
        if match.start() not in taken:
            percent = bool(match["percent"])
            found.append(Number(_value(match.group(), grammar), percent, *match.span()))
    return sorted(found, key=lambda number: number.start)


def _value(words: str, grammar: _Grammar) -> float:
    total, part = 0.0, 0.0
    for word in _LETTERS.findall(words.lower()):
        scale = grammar.scales.get(word)
        if word in grammar.small:
            part += grammar.small[word]
        elif scale is not None and scale < _ADDED_FROM:
            part = (part or 1) * scale
        elif scale is not None:
            total += (part or 1) * scale
            part = 0.0
    return total + part
