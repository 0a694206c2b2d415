"""What of a sentence must stand in its sources: names, numbers, and whether it says no."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text.numbers import find_numbers
from rag.text.paragraphs import unwrapped

_NAME = re.compile(r"\b[^\W\d_a-z][\w’'-]*", re.UNICODE)
_TOKEN = re.compile(r"\w[\w’'-]*")
_NEGATIONS = frozenset(
    "not no never neither nor without none nobody nothing cannot hardly".split()  # noqa: SIM905
)
# No negations, though they look like it.
_NOT_NEGATIVE = re.compile(
    r"\b(?:not (?:only|just|least)|no (?:fewer|less|more) than|no doubt|none other)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;:—–]\s|\s-\s|\b(?:but|although|though|while|whereas|and)\b")


def tokens(text: str) -> list[str]:
    """Words as written."""
    return _TOKEN.findall(text)


def words(text: str) -> set[str]:
    """Words in small letters, without possessive endings."""
    return {plain(word) for word in tokens(text)}


def plain(word: str) -> str:
    """A word in small letters, without a possessive ending and points."""
    word = word.lower().replace("’", "'")
    return word.removesuffix("'s").rstrip("'-").replace(".", "")


def names(sentence: str) -> set[str]:
    """Words with a capital, but not the first, which has one anyway."""
    return {plain(match.group()) for match in _NAME.finditer(sentence) if match.start() > 0}


def numbers(text: str) -> set[tuple[float, bool]]:
    """Values, each with whether it is a share."""
    return {number.key for number in find_numbers(text)}


def claimed_numbers(sentence: str) -> set[tuple[float, bool]]:
    """Those that need support: "one" seldom counts anything."""
    found = find_numbers(sentence)
    return {n.key for n in found if sentence[n.start : n.end].lower() != "one"}


def negated(text: str) -> bool:
    """Whether a text says that something is not so."""
    text = _NOT_NEGATIVE.sub(" ", text)
    found = words(text)
    return bool(found & _NEGATIONS) or any(word.endswith("n't") for word in found)


def clauses(sentence: str) -> Iterator[str]:
    """The parts of a sentence that each say something of their own, roughly."""
    start = 0
    for match in _CLAUSE_END.finditer(sentence):
        yield sentence[start : match.end()]
        start = match.end()
    yield sentence[start:]


def squeeze(text: str) -> str:
    """A text with spaces and quotation marks made alike."""
    text = re.sub(r"[’‘`]", "'", unwrapped(text))
    return re.sub(r"[“”„«»]", '"', text)
