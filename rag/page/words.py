"""Words that were looked for, marked where they stand: in a title, a passage, a whole article."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from rag.page.markup import text

_WORD = re.compile(r"\w+")
_BEFORE, _AFTER = 60, 180


class Marker:
    """Marks words in any of their forms.

    Args:
        words: What was looked for.
        terms: The terms of a text, as the index has them.
    """

    def __init__(self, words: str, terms: Callable[[str], Collection[str]]) -> None:
        self._terms = terms
        self._wanted = frozenset(terms(words))
        self._known: dict[str, bool] = {}

    def _is_wanted(self, word: str) -> bool:
        if word not in self._known:
            self._known[word] = not self._wanted.isdisjoint(self._terms(word))
        return self._known[word]

    def marked(self, plain: str) -> str:
        """A text as HTML, the words in `<mark>`."""
        made, at = [], 0
        for match in _WORD.finditer(plain) if self._wanted else ():
            if self._is_wanted(match.group()):
                made += [text(plain[at : match.start()]), f"<mark>{text(match.group())}</mark>"]
                at = match.end()
        return "".join(made) + text(plain[at:])

    def passage(self, plain: str, start: int, end: int) -> str:
        """What stands around most of the words in a span, as HTML; empty without any."""
        found = [
            word for word in _WORD.finditer(plain, start, end) if self._is_wanted(word.group())
        ]
        if not found:
            return ""

        def n_near(at: int) -> int:
            near = (word.group() for word in found if 0 <= word.start() - at < _AFTER)
            return len({term for word in near for term in self._terms(word)} & self._wanted)

        first = max((word.start() for word in found), key=lambda at: (n_near(at), -at))
        left, right = max(start, first - _BEFORE), min(end, first + _AFTER)
        left = plain.find(" ", left, first) + 1 if left > start else left
        cut = plain.rfind(" ", first, right) if right < end else right
        right = cut if cut > first else right
        shown = " ".join(plain[left or start : right].split())
        return ("… " if left > start else "") + self.marked(shown) + (" …" if right < end else "")
