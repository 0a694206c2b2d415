"""Numbers in a text: digits and words, with what multiplies them.

"4.2 million", "4,200,000" and "four million two hundred thousand" are the same number; "6 %" and
"six percent" are, and are not 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UP_TO_19 = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen"
)
_UNITS = {word: value for value, word in enumerate(_UP_TO_19.split())}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),  # noqa: SIM905
        start=2,
    )
}
_SMALL = _UNITS | _TENS
_SCALES = {
    "dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9,
    "trillion": 10**12, "k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "tn": 10**12,
}  # fmt: skip
_SCALE = r"(?:dozen|hundred|thousand|million|billion|trillion)"
_DIGITS = re.compile(
    r"(?<![\w.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?:[\s-]?(?P<scale>{_SCALE}s?|k|mn?|bn|tn)(?!\w))?"
    r"(?P<percent>\s?(?:%|per\s?cent\b|percent\b))?",
    re.IGNORECASE,
)
# Digits that stand against letters, such as "4x4" or "2004s": bare.
_BARE = re.compile(r"\d+")
_WORD = rf"(?:{'|'.join(_SMALL)}|{_SCALE})"
_WORDS = re.compile(
    rf"(?<![\w-])(?:an?\s+(?={_SCALE}))?{_WORD}(?:(?:[\s-]+|\s+and\s+){_WORD})*(?![\w-])"
    r"(?P<percent>\s?(?:%|per\s?cent\b|percent\b))?",
    re.IGNORECASE,
)


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


def find_numbers(text: str) -> list[Number]:
    """The numbers of a text, in order."""
    found = []
    taken: set[int] = set()
    for match in _DIGITS.finditer(text):
        value = float(match["digits"].replace(",", ""))
        scale = (match["scale"] or "").lower()
        value *= _SCALES.get(scale.rstrip("s") or scale, 1)
        found.append(Number(value, bool(match["percent"]), *match.span()))
        taken.update(range(*match.span()))
    for match in _BARE.finditer(text):
        if match.start() not in taken:
            found.append(Number(float(match.group()), False, *match.span()))
    for match in _WORDS.finditer(text):
        if match.start() not in taken:
            percent = bool(match["percent"])
            found.append(Number(_value(match.group()), percent, *match.span()))
    return sorted(found, key=lambda number: number.start)


def _value(words: str) -> float:
    total, part = 0.0, 0.0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word in _SMALL:
            part += _SMALL[word]
        elif word in ("dozen", "hundred"):
            part = (part or 1) * _SCALES[word]
        elif word in _SCALES:
            total += (part or 1) * _SCALES[word]
            part = 0.0
    return total + part
