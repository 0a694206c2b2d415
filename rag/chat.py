"""A conversation: questions that lean on the ones before them, made to stand alone by rules.

No model is asked: a pronoun takes the name that the question before was about, and a question
that is only a piece ("And in Qatar?") takes the rest from it. What was searched is shown with
the answer (`Answer.searched`), so a wrong guess is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from rag.answering.answer import Answer
from rag.answering.events import AnswerReady, Event

_NAME = r"[A-Z][\w’'.-]*[\w](?:\s+(?:of\s+|the\s+)?[A-Z][\w’'.-]*[\w])*"
_NAMES = re.compile(rf"(?<![\w’'])(?:(?P<place>in|at|to|from|near|of|into)\s+)?(?P<name>{_NAME})")
_OPENING = re.compile(r"^\s*(?:and|but|so|then|ok|okay)\b[\s,]*", re.IGNORECASE)
_PIECE = re.compile(
    rf"^(?i:what|how)\s+about\s+(?P<about>.+?)\??$"
    rf"|^(?P<place>(?i:in|at|to|from|on|with))\s+(?P<thing>{_NAME})\??$"
    rf"|^(?P<bare>{_NAME})\??$"
)
_QUESTION_WORD = re.compile(
    r"^(?P<word>why|when|where|how|who|how many|how much)\??$", re.IGNORECASE
)
_PERSON = re.compile(r"\b(?:he|she|him)\b", re.IGNORECASE)
_PERSONS = re.compile(r"\b(?:his|her)\b", re.IGNORECASE)
_GROUP = re.compile(r"\b(?:they|them)\b", re.IGNORECASE)
_GROUPS = re.compile(r"\btheir\b", re.IGNORECASE)
_PLACE = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\bthere\b(?!\s+(?:is|are|was|were|be|been)\b)",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:he|she|him|his|her|they|them|their)\b", re.IGNORECASE)
_FIRST_WORDS = frozenset(
    """
    what who whom whose which when where why how did does do is are was were has have had can
    could will would should and but in on at the a an it he she they there tell give list
    """.split()  # noqa: SIM905
)


class Chat:
    """A conversation with one index. Not safe for several threads: it has one thread of talk.

    Args:
        stream: `Rag.stream`, or something with its arguments.

    Attributes:
        answers: The answers so far, oldest first.
    """

    def __init__(self, stream: Callable[..., Iterator[Event]]) -> None:
        self._stream = stream
        self.answers: list[Answer] = []

    def stream(self, question: str, **options: Any) -> Iterator[Event]:
        """Like `Rag.stream`, for a question that may lean on those before it."""
        before = self.answers[-1].searched.strip() if self.answers else None
        searched = standalone(question, before)
        for event in self._stream(searched, **options):
            if isinstance(event, AnswerReady):
                answer = event.answer.model_copy(update={"question": question})
                self.answers.append(answer)
                event = AnswerReady(answer=answer)
            yield event

    def ask(self, question: str, **options: Any) -> Answer:
        """Like `Rag.ask`, for a question that may lean on those before it."""
        for _ in self.stream(question, **options):
            pass
        return self.answers[-1]


def standalone(question: str, before: str | None) -> str:
    """A question that can be searched by itself.

    Args:
        question: As asked.
        before: The standalone question before it; None for the first.

    Returns:
        The question itself where nothing in it leans on the one before.

    Example:
        >>> standalone("And what did he say about Gaza?", "What did Healey urge in Israel?")
        'What did Healey say about Gaza?'
    """
    if before is None:
        return question
    bare = _OPENING.sub("", question.strip(), count=1)
    if word := _QUESTION_WORD.match(bare):
        return f"{word['word'].capitalize()}? {before}"
    piece = _PIECE.match(bare)
    if piece and not _is_question(bare):
        return _with_piece(before, piece)
    resolved = _with_names(bare, before)
    return question if resolved == bare else _capital(resolved)


def _with_names(question: str, before: str) -> str:
    """Pronouns replaced by what they mean, if the question does not name it itself."""
    names, places = _names(before)
    pronoun = _PRONOUN.search(question)
    person = names[0] if names else None
    if person and pronoun and not any(_names(question[: pronoun.start()])):
        question = _PERSONS.sub(f"{person}'s", _PERSON.sub(person, question))
        everyone = " and ".join(names)
        question = _GROUPS.sub(f"{everyone}'s", _GROUP.sub(everyone, question))
    if places:
        question = _PLACE.sub(f"in {places[0]}", question)
    return question


def _with_piece(before: str, piece: re.Match[str]) -> str:
    """The question before with one of its names exchanged."""
    new = piece["about"] or piece["thing"] or piece["bare"]
    found = list(_NAMES.finditer(_without_first_word(before)))
    if piece["place"]:
        same = [m for m in found if m["place"] and m["place"].lower() == piece["place"].lower()]
        if not same:
            return f"{before.rstrip(' ?')} {piece['place'].lower()} {new}?"
        found = same
    if not found:
        return f"{before.rstrip(' ?')} {new}?"
    last = found[-1] if piece["place"] else found[0]
    return before[: last.start("name")] + new + before[last.end("name") :]


def _names(text: str) -> tuple[list[str], list[str]]:
    """Names of whom it is about, and of places it speaks of, in order."""
    names: list[str] = []
    places: list[str] = []
    for match in _NAMES.finditer(_without_first_word(text)):
        (places if match["place"] else names).append(match["name"].removesuffix("'s"))
    return names, places


def _without_first_word(text: str) -> str:
    """The text with an opening that has its capital only from standing first made small."""
    first, space, rest = text.partition(" ")
    return first.lower() + space + rest if _is_question(text) else text


def _is_question(text: str) -> bool:
    first = text.split()[0].lower() if text.split() else ""
    return first in _FIRST_WORDS and not re.match(
        r"(?:what|how)\s+about\b|(?:in|at|on)\s", text, re.IGNORECASE
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
