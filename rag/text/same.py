"""The same text: when a text says again what another one says.

The one definition for articles (`rag.building.stories`), passages (`rag.retrieval.passages`) and
sentences (`rag.answering.evidence`): most of the runs of words of the one stand in the other.
After Broder, "On the Resemblance and Containment of Documents", 1997.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

RUN_WORDS = 3
"""Words of a run."""
SAME_SHARE = 0.8
"""A text repeats another that holds this share of its runs."""
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_ODD = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio
_LAST = 0xFFFF
_BLOCK = 1 << 16  # characters whose sums are held at once


def word_runs(text: str) -> frozenset[int]:
    """The distinct runs of `RUN_WORDS` words of a text, without case and punctuation.

    Returns:
        A number of 64 bits for each, the same on every machine; a text of fewer words is one run.
    """
    return frozenset(Runs(text).numbers.tolist())


class Runs:
    """The runs of a text in their order.

    Attributes:
        numbers: Shape (n,): a number of 64 bits for each, repeated ones too.
    """

    def __init__(self, text: str) -> None:
        codes = np.frombuffer(_folded(text).encode("utf-32-le", "surrogatepass"), dtype="<u4")
        in_word = np.zeros(len(codes) + 2, dtype=bool)
        in_word[1:-1] = _in_words()[np.minimum(codes, _LAST)]
        edges = np.flatnonzero(in_word[1:] != in_word[:-1])
        self._starts, self._ends = edges[::2], edges[1::2]
        self.numbers = _runs_of(_hashes(codes, self._starts, self._ends))

    def held_by(self, other: Set[int]) -> NDArray[np.bool_]:
        """Which of them another text has: shape (n,)."""
        return np.fromiter(map(other.__contains__, self.numbers.tolist()), bool, len(self.numbers))

    def places(self, start: int, end: int) -> slice:
        """Where in `numbers` the runs of the words stand that lie between two offsets."""
        first, last = (
            np.searchsorted(self._starts, start),
            np.searchsorted(self._ends, end, "right"),
        )
        return slice(int(first), max(int(last) - RUN_WORDS + 1, int(first)))


def _hashes(
    codes: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """A number for each word, that stands from `starts` to `ends`; block by block, to need little.

    A word is a polynomial of its characters, modulo 2**64: sums up to each character, taken apart
    at the words.
    """
    hashes = np.zeros(len(starts), dtype=np.uint64)
    at = 0
    while at < len(starts):
        until = max(int(np.searchsorted(ends, starts[at] + _BLOCK, "right")), at + 1)
        block = codes[starts[at] : ends[until - 1]]
        first, last = starts[at:until] - starts[at], ends[at:until] - starts[at]
        powers, inverses = _powers(max(_BLOCK, 1 << len(block).bit_length()))
        sums = np.zeros(len(block) + 1, dtype=np.uint64)
        np.cumsum(block * powers[: len(block)], out=sums[1:])
        hashes[at:until] = (sums[last] - sums[first]) * inverses[first]
        at = until
    return hashes


def _runs_of(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    n = min(RUN_WORDS, len(words))
    runs = np.zeros(len(words) - n + 1 if n else 0, dtype=np.uint64)
    for at in range(n):
        runs = (runs ^ words[at : at + len(runs)]) * np.uint64(_ODD)
        runs ^= runs >> np.uint64(29)
    return runs


def figures(text: str) -> frozenset[str]:
    """The figures of a text, as they are written."""
    return frozenset(_FIGURE.findall(text))


def share_held(one: Set[object], other: Set[object]) -> float:
    """Share of what the one has that the other has too, [0, 1]; 1 of nothing."""
    return len(one & other) / len(one) if one else 1.0


def repeats(one: Set[object], other: Set[object]) -> bool:
    """Whether a text stands in another; both given by their runs."""
    return share_held(one, other) >= SAME_SHARE


def _folded(text: str) -> str:
    """The text without case, of the same length: what would become longer stays ("ß")."""
    folded = text.casefold()
    if len(folded) == len(text):
        return folded
    return "".join(c if len(c.casefold()) > 1 else c.casefold() for c in text)


@functools.lru_cache(maxsize=2)
def _powers(n: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Powers 0 to n - 1 of a number and of its inverse, modulo 2**64."""
    made = []
    for base in (_ODD, pow(_ODD, -1, 2**64)):
        factors = np.full(n, base, dtype=np.uint64)
        factors[0] = 1
        made.append(np.cumprod(factors, dtype=np.uint64))
    return made[0], made[1]


@functools.cache
def _in_words() -> NDArray[np.bool_]:
    """Which characters words are made of; those above `_LAST` count as it does."""
    letters = np.array([chr(code).isalnum() for code in range(_LAST + 1)])
    letters[_LAST] = True
    return letters
