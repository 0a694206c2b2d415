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


def word_runs(text: str) -> frozenset[int]:
    """The distinct runs of `RUN_WORDS` words of a text, without case and punctuation.

    Returns:
        A number of 64 bits for each, the same on every machine; a text of fewer words is one run.
    """
    return frozenset(run_numbers(text).tolist())


def run_numbers(text: str) -> NDArray[np.uint64]:
    """The runs of a text in their order, repeated ones too: shape (n,)."""
    codes = np.frombuffer(text.casefold().encode("utf-32-le", "surrogatepass"), dtype="<u4")
    edges = np.flatnonzero(np.diff(_in_words()[np.minimum(codes, _LAST)], prepend=0, append=0))
    starts, ends = edges[::2], edges[1::2]
    # A word is a polynomial of its characters, modulo 2**64: sums up to each character, taken
    # apart at the words.
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * _powers(_ODD, len(codes)))])
    words = (sums[ends] - sums[starts]) * _powers(pow(_ODD, -1, 2**64), len(codes) + 1)[starts]
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


def _powers(base: int, n: int) -> NDArray[np.uint64]:
    """Powers 0 to n - 1 of a number, modulo 2**64."""
    factors = np.full(n, base, dtype=np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


@functools.cache
def _in_words() -> NDArray[np.int8]:
    """1 for each character that words are made of; those above `_LAST` count as it does."""
    letters = np.array([chr(code).isalnum() for code in range(_LAST + 1)], dtype=np.int8)
    letters[_LAST] = 1
    return letters
