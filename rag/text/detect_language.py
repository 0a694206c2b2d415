"""The language of a question, told by its function words or its script.

A question has few words, so what counts are those that ask: one with "wer" and "hat" is German,
however many English names it has, and "Museo de la Revolución" is a name. Language detectors that
weigh letters take names for languages.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources

_WORD = re.compile(r"[^\W\d_]+['’]?")
_QUOTED = re.compile(r"[\"“„«][^\"“”„«»]*[\"”“»]")
_MIN_WORDS = 2
"""Words that only another language has; one is enough if it is long, asks and comes first."""
_LONG = 4
_SCRIPTS = {
    "CYRILLIC": ("Cyrillic", "ru uk bg sr mk be kk"),
    "GREEK": ("Greek", "el"),
    "ARABIC": ("Arabic", "ar fa ur ps"),
    "HEBREW": ("Hebrew", "he yi"),
    "CJK": ("Chinese or Japanese", "zh ja"),
    "HIRAGANA": ("Japanese", "ja"),
    "KATAKANA": ("Japanese", "ja"),
    "HANGUL": ("Korean", "ko"),
    "DEVANAGARI": ("Devanagari", "hi mr ne"),
    "BENGALI": ("Bengali", "bn"),
    "TAMIL": ("Tamil", "ta"),
    "THAI": ("Thai", "th"),
    "GEORGIAN": ("Georgian", "ka"),
    "ARMENIAN": ("Armenian", "hy"),
}


@dataclass(frozen=True, slots=True)
class _Language:
    """A language with its function words; see `detect_language.toml`."""

    name: str
    asks: frozenset[str]
    words: frozenset[str]
    letters: frozenset[str]


@cache
def _languages() -> dict[str, _Language]:
    table = tomllib.loads(
        resources.files(__package__).joinpath("detect_language.toml").read_text("utf-8")
    )
    return {
        code: _Language(
            entry["name"],
            frozenset(entry["asks"].split()),
            frozenset(entry["asks"].split()) | frozenset(entry["others"].split()),
            frozenset(entry.get("letters", "")),
        )
        for code, entry in table.items()
    }


def language_name(code: str) -> str | None:
    """What a language (ISO 639-1 code) is called in English; None for one not known here."""
    found = _languages().get(code)
    return found.name if found else None


def other_language(question: str, own: str) -> str | None:
    """In what other language a question is.

    Args:
        question: As asked.
        own: ISO 639-1 code of the language that it should be in.

    Returns:
        What that language, or its script, is called in English; None if it is in its own, or if
        that cannot be told.
    """
    script = _other_script(question, own)
    if script:
        return script
    ours = _languages().get(own)
    found = [word.replace("’", "'") for word in _WORD.findall(_QUOTED.sub(" ", question))]
    # "La La Land", "Den Haag": a capital within a question is a name's.
    words = [word.lower() for n, word in enumerate(found) if n == 0 or word[0].islower()]
    if not words or ours is None:
        return None
    others = [language for code, language in _languages().items() if code != own]
    evidence = [_evidence(words, question, language, ours) for language in others]
    best = max(range(len(others)), key=lambda n: evidence[n])
    return others[best].name if evidence[best] > 0 else None


def _evidence(words: list[str], question: str, language: _Language, ours: _Language) -> float:
    """How much speaks for a language and against one's own; 0 where it is not enough."""
    theirs = [word for word in words if word in language.words and word not in ours.words]
    strange = {word for word in words if language.letters & set(word)} - set(theirs)
    n_marks = len(language.letters & set(question) & set("¿¡"))
    held = len(theirs) + len(strange) + n_marks
    own = sum(word in ours.words and word not in language.words for word in words)
    asking = [word for word in words if word in language.asks]
    asks_only = n_marks or any(word not in ours.words for word in asking)
    first = words[0] in language.asks
    enough = (
        (held >= _MIN_WORDS and (asks_only or first))
        or (held and first and len(asking) >= _MIN_WORDS)  # "Was sagte Healey in Israel?"
        or (first and words[0] not in ours.words and len(words[0]) >= _LONG)
    )
    # Words that both languages have decide between two that are alike.
    shared = sum(word in language.words for word in words)
    return held + 0.1 * shared if enough and held > 2 * own else 0.0


def _other_script(question: str, own: str) -> str | None:
    letters = [char for char in question if char.isalpha()]
    scripts = Counter(unicodedata.name(char, "").split(" ")[0] for char in letters)
    if not scripts:
        return None
    script, n = scripts.most_common(1)[0]
    if script not in _SCRIPTS or 2 * n <= len(letters):
        return None
    name, codes = _SCRIPTS[script]
    return None if own in codes.split() else name
