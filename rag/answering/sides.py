"""The sides of a comparison: the publishers that a question names ("How do CNN and BBC differ")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rag.text.names import plain

_HOST = re.compile(r"^(?:www\.)?([\w-]+(?:\.[\w-]+)*?)(?:\.(?:com?|org|net|gov|ac))?\.[a-z]{2,}$")
_NOT_WORDS = re.compile(r"[\W_]+")
_WORD = re.compile(r"\w[\w’'-]*")
_LONGEST = 5  # words of a publisher's name


def named_sources(question: str, sources: Iterable[str | None]) -> list[str]:
    """Those of the publishers that a question names, in its order.

    One that is the address of a site ("news.example.co.uk") is named by the name in it.

    Args:
        question: As asked.
        sources: Publishers as articles have them.
    """
    first: dict[str, int] = {}
    for name, start, _ in _runs(question):
        first.setdefault(name, start)
    at = {source: first[name] for source in sources if source and (name := _name(source)) in first}
    return sorted(at, key=lambda source: (at[source], source))


def without_sources(question: str, sources: Iterable[str]) -> str:
    """A question without the names of these publishers: what its articles are searched for."""
    names = {_name(source) for source in sources}
    for name, start, end in reversed(list(_runs(question))):
        if name in names:
            question = f"{question[:start]} {question[end:]}"
    return " ".join(question.split())


def _runs(question: str) -> Iterator[tuple[str, int, int]]:
    """Every run of a few words: its letters and digits, and where it stands."""
    words = list(_WORD.finditer(question))
    for at, word in enumerate(words):
        name = ""
        for last in words[at : at + _LONGEST]:
            name += _squeezed(plain(last.group()))
            yield name, word.start(), last.end()


def _name(source: str) -> str:
    host = _HOST.match(source.lower())
    return _squeezed(host.group(1).rpartition(".")[2] if host else source.lower())


def _squeezed(text: str) -> str:
    return _NOT_WORDS.sub("", text)
