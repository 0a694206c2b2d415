"""Spelling: names of a question that the index does not know, matched with those it knows.

"Heeley" becomes "Healey" where the articles speak of Healey beside the other words of the question.
Only words that no article has are looked at, and only names take their place, so that a word that
is rare, and right, stays; what is put in quotation marks stays too. What was made of a question is
told with the answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from rag.index.opened import OpenIndex
from rag.retrieval.capitals import is_name, texts_of

_WORD = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")
_MIN_LETTERS = 5
_MIN_LETTERS_SMALL = 6
"""Letters of a word that is looked for; of one without a capital, where the question has none."""
_MIN_LETTERS_FAR = 7
_MIN_LETTERS_FARTHER = 10
"""Letters of a word in which two may differ: where both have the same letters, and in any case."""
_N_CHUNKS = 16
"""Chunks that are looked through for a word, those with the question's other words first."""
_MAX_WORDS = 4
"""Unknown words of a question that are looked for: one with more is about something else."""
_MIN_BESIDE = 2
"""Other words of the question beside a name that is meant, where none of them is a name."""
# Letters that stand for the same sound at the beginning of a name.
_ALIKE = ("ckq", "ijy", "szc", "gj", "fp", "vw")


class Correction(BaseModel):
    """A word of a question that was searched as another one.

    Attributes:
        written: As asked.
        meant: As the articles write it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    written: str
    meant: str


@dataclass(slots=True)
class _Seen:
    """What was seen of a name that may be meant.

    Attributes:
        distance: From the word as written, in letters.
        spellings: In how many chunks each is written.
        n_small: In how many chunks it has no capital.
        beside: Most names, and most terms, of the question in one chunk with it.
    """

    distance: int
    spellings: Counter[str] = field(default_factory=Counter)
    n_small: int = 0
    beside: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class _Beside:
    """The words of the question that the index knows, as terms.

    Attributes:
        names: Those with a capital.
        terms: All of them.
    """

    names: frozenset[str]
    terms: frozenset[str]

    def suffice(self, names: int, terms: int) -> bool:
        """Whether a name that stands beside so many of them may be meant."""
        if self.names:
            return names > 0
        return terms >= min(_MIN_BESIDE, len(self.terms))


def correct_names(question: str, index: OpenIndex) -> tuple[str, tuple[Correction, ...]]:
    """The question with names as the index has them, and what was changed.

    Args:
        question: As asked.
        index: What will be searched.

    Returns:
        The question itself and nothing where every word is known or no name is near enough.
    """
    quoted = [range(*match.span()) for match in _QUOTED.finditer(question)]
    words = list(_WORD.finditer(question))
    # With no capitals at all it says nothing that a word has none.
    cased = any(word.group()[0].isupper() for word in words[1:])
    unknown = [
        word
        for word in words
        if _may_be_name(word.group(), cased)
        and not any(word.start() in span for span in quoted)
        and _is_unknown(word.group(), index)
    ]
    if not unknown or len(unknown) > _MAX_WORDS:
        return question, ()
    beside = _known(question, index)
    text, corrections = question, []
    for word in reversed(unknown):
        meant = _meant(word.group(), beside, index)
        if meant is not None:
            text = f"{text[: word.start()]}{meant}{text[word.end() :]}"
            corrections.append(Correction(written=word.group(), meant=meant))
    return text, tuple(reversed(corrections))


def _may_be_name(word: str, cased: bool) -> bool:
    if word[0].isupper():  # "NATO", "XXXIII" are no words to misspell
        return len(word) >= _MIN_LETTERS and not word.isupper()
    return not cased and len(word) >= _MIN_LETTERS_SMALL


def _is_unknown(word: str, index: OpenIndex) -> bool:
    terms = index.analyzer.content_terms(word)
    return len(terms) == 1 and index.document_frequency(terms[0]) == 0


def _known(question: str, index: OpenIndex) -> _Beside:
    def known(text: str) -> frozenset[str]:
        terms = index.analyzer.content_terms(text)
        return frozenset(term for term in terms if index.document_frequency(term))

    words = [match.group() for match in _WORD.finditer(question)]
    names = " ".join(word for word in words[1:] if word[0].isupper())
    return _Beside(known(names), known(question))


def _meant(word: str, beside: _Beside, index: OpenIndex) -> str | None:
    """The name that a word is meant to be, as it is mostly written; None if there is none."""
    (term,) = index.analyzer.content_terms(word)
    for most in (1, 2) if len(word) >= _MIN_LETTERS_FAR else (1,):
        chunk_ids = index.search_like(term, most, _N_CHUNKS, beside=sorted(beside.terms))
        near = [
            one
            for one in _names_like(word, most, chunk_ids, beside, index)
            if beside.suffice(*one.beside) and one.spellings.total() > one.n_small
        ]
        if near:
            best = min(near, key=lambda one: (
                one.distance, *(-n for n in one.beside), -one.spellings.total(),
            ))  # fmt: skip
            return max(best.spellings, key=lambda name: (best.spellings[name], name))
    return None


def _names_like(
    word: str, most: int, chunk_ids: Sequence[int], beside: _Beside, index: OpenIndex
) -> list[_Seen]:
    """The names of some chunks that differ from a word in few letters."""
    folded = _folded(word)
    seen: dict[str, _Seen] = {}
    for text in texts_of(chunk_ids, index):
        here: dict[str, _Seen] = {}
        for name in set(_WORD.findall(text)):
            if abs(len(name) - len(word)) > most or len(name) < _MIN_LETTERS:
                continue
            small = _folded(name)
            distance = edit_distance(folded, small, most)
            if distance > most or not _begins_alike(folded, small):
                continue
            if distance > 1 and len(word) < _MIN_LETTERS_FARTHER and set(folded) != set(small):
                continue
            one = here[small] = seen.setdefault(small, _Seen(distance))
            if name[0].islower():
                one.n_small += 1
            elif is_name(name, text):
                one.spellings[name] += 1
        if here:
            held = set(index.analyzer.content_terms(text))
            counts = len(beside.names & held), len(beside.terms & held)
            for one in here.values():
                one.beside = max(one.beside, counts)
    return [one for one in seen.values() if one.spellings]


def _begins_alike(one: str, other: str) -> bool:
    first, second = one[0], other[0]
    return (
        first == second
        or one[:2] == other[1::-1]
        or any(first in alike and second in alike for alike in _ALIKE)
    )


@lru_cache(10_000)
def _folded(word: str) -> str:
    """In small letters, without accents."""
    split = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


@lru_cache(20_000)
def edit_distance(one: str, other: str, most: int) -> int:
    """Letters to insert, leave out, change, or exchange with their neighbour.

    Optimal string alignment; anything above `most` only says that it is above.
    """
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most or len(set(one) ^ set(other)) > 2 * most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, char in enumerate(one, start=1):
        now = [row]
        for column, wanted in enumerate(other, start=1):
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (char != wanted))
            exchanged = row > 1 and column > 1 and char == other[column - 2]
            if exchanged and one[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most and min(last) > most:
            return most + 1
        before, last = last, now
    return last[-1]
