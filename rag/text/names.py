"""What of a sentence must stand in its sources: names, numbers, and whether it says no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from rag.text.language import Language
from rag.text.numbers import find_numbers
from rag.text.paragraphs import unwrapped

# "U.S." is one word, and "U. S." the same.
_INITIALS = r"(?:(?:[A-Z]\.){2,}|[A-Z]\.(?: [A-Z]\.)+(?![A-Z]))"
_NAME = re.compile(rf"\b(?:{_INITIALS}|[^\W\d_a-z][\w’'-]*)", re.UNICODE)
_TOKEN = re.compile(rf"\b{_INITIALS}|\w[\w’'-]*")
_CLAUSE_END = r"[,;:—–]\s|\s-\s"


def tokens(text: str) -> list[str]:
    """Words as written."""
    return _TOKEN.findall(text)


def words(text: str) -> set[str]:
    """Words in small letters, without possessive endings."""
    return {plain(word) for word in tokens(text)}


@lru_cache(50_000)
def plain(word: str) -> str:
    """A word in small letters, without accents, a possessive ending and points."""
    word = _without_accents(word.lower()).replace("’", "'")
    return word.removesuffix("'s").rstrip("'-").replace(".", "").replace(" ", "")


def _without_accents(word: str) -> str:
    """A word as it is typed without accents: "Medellin"; letters of other scripts stay."""
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def names(sentence: str) -> set[str]:
    """Words with a capital, but not the first, which has one anyway."""
    return {name for _, name in named_at(sentence)}


def named_at(sentence: str) -> list[tuple[int, str]]:
    """Each word with a capital but the first, with where it begins."""
    found = _NAME.finditer(sentence)
    return [(match.start(), plain(match.group())) for match in found if match.start() > 0]


def spelled_out(acronym: str, text: str, language: Language) -> str | None:
    """The name in a text that is an acronym in full: "British Broadcasting Corporation" of "BBC".

    Args:
        acronym: Capitals.
        text: Where it is looked for.
        language: Of the text; its small words may stand between, and may count: "Department of
            Defense" is both "DD" and "DOD".

    Returns:
        The first one; None if there is none.
    """
    small = sorted(language.words("names.joints"))
    between = rf"\s+(?:(?:{'|'.join(small)})\s+){{0,2}}" if small else r"\s+"
    last = len(acronym) - 1
    words = [
        "|".join(
            [
                rf"{letter}[\w’'-]{{1,40}}",
                *(word for word in small if 0 < at < last and word[0] == letter.lower()),
            ]
        )
        for at, letter in enumerate(acronym)
    ]
    name = between.join(f"(?:{word})" for word in words)
    found = re.search(rf"\b{name}(?![\w’'-])", text)
    return found[0] if found else None


def claimed_numbers(sentence: str, language: Language) -> set[tuple[float, bool]]:
    """Those that need support: "one" seldom counts anything."""
    uncounted = language.words("numbers.uncounted")
    found = find_numbers(sentence, language)
    return {n.key for n in found if sentence[n.start : n.end].lower() not in uncounted}


def negated(text: str, language: Language) -> bool:
    """Whether a text says that something is not so."""
    text = language.pattern("names.not_negative").sub(" ", text)
    found = words(text)
    if not found.isdisjoint(language.words("names.negations")):
        return True
    endings = language.listed("names.negative_endings")
    return bool(endings) and any(word.endswith(endings) for word in found)


def clauses(sentence: str, language: Language) -> Iterator[str]:
    """The parts of a sentence that each say something of their own, roughly."""
    start = 0
    for match in _clause_end(language).finditer(sentence):
        yield sentence[start : match.end()]
        start = match.end()
    yield sentence[start:]


@cache
def _clause_end(language: Language) -> re.Pattern[str]:
    words = language.source("names.clause_end")
    return re.compile(f"{_CLAUSE_END}|{words}" if words else _CLAUSE_END)


def squeeze(text: str) -> str:
    """A text with spaces and quotation marks made alike."""
    text = re.sub(r"[’‘`]", "'", unwrapped(text))
    return re.sub(r"[“”„«»]", '"', text)
