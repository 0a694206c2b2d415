"""The rules of a language: words and patterns, which stand in `languages/CODE.toml`.

Code knows what a rule is for, the file how the language says it. A language without a file has no
rules: nothing of it is a negation, a day in words, a verb of saying. Whoever adds one copies
`en.toml` and translates it; what is left out is off.

In the file a string is a pattern (`re`, in small or capital letters alike) and a list holds words
or alternatives. `%{name}` in either is another entry, of the same section or as `section.name`; a
list becomes a group there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

DEFAULT = "en"
_FOLDER = "languages"
_CODE = re.compile(r"[a-z]{2,3}")
_REFERENCE = re.compile(r"%\{([\w.]+)\}")
_NEVER = re.compile(r"(?!)")


class Language:
    """The rules of one language. Safe for several threads; `language` gives the one of a code.

    Attributes:
        code: ISO 639-1.
        is_known: Whether there are rules for it.
    """

    def __init__(self, code: str, rules: Mapping[str, Mapping[str, Any]]) -> None:
        self.code = code
        self.is_known = bool(rules)
        self._rules = rules
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._listed: dict[str, tuple[str, ...]] = {}
        self._words: dict[str, frozenset[str]] = {}

    def pattern(self, name: str) -> re.Pattern[str]:
        """A pattern by its name, `section.name`; one that matches nothing where there is none."""
        found = self._patterns.get(name)
        if found is None:
            source = self.source(name)
            found = re.compile(source, re.IGNORECASE) if source else _NEVER
            self._patterns[name] = found
        return found

    def words(self, name: str) -> frozenset[str]:
        """A list as a set."""
        found = self._words.get(name)
        if found is None:
            found = self._words[name] = frozenset(self.listed(name))
        return found

    def listed(self, name: str) -> tuple[str, ...]:
        """A list in its order, each of its lines split into words; empty where there is none."""
        found = self._listed.get(name)
        if found is None:
            lines = self._entry(name) or ()
            found = self._listed[name] = tuple(word for line in lines for word in line.split())
        return found

    def groups(self, name: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists, such as words that mean the same; empty where there is none."""
        return tuple(tuple(group) for group in self._entry(name) or ())

    def table(self, name: str) -> Mapping[str, Any]:
        """A table; empty where there is none."""
        return self._entry(name) or {}

    def source(self, name: str) -> str:
        """The source of a pattern with its references in place; empty where there is none."""
        return self.filled(self._entry(name) or "", name.partition(".")[0])

    def filled(self, entry: str | list[str], section: str) -> str:
        """A pattern or a list of alternatives with its references in place.

        Args:
            entry: As it stands in the file.
            section: Where a name without a section is looked for.

        Raises:
            KeyError: a reference to nothing.
        """
        if isinstance(entry, list):
            return f"(?:{'|'.join(self.filled(part, section) for part in entry)})"

        def put(reference: re.Match[str]) -> str:
            name = reference[1] if "." in reference[1] else f"{section}.{reference[1]}"
            found = self._entry(name)
            if found is None:
                raise KeyError(f"languages/{self.code}.toml: {reference[0]} is not there")
            return self.filled(found, name.partition(".")[0])

        return _REFERENCE.sub(put, entry)

    def _entry(self, name: str) -> Any:
        section, _, key = name.partition(".")
        return self._rules.get(section, {}).get(key)


@cache
def language(code: str) -> Language:
    """The rules of a language.

    Args:
        code: ISO 639-1; without a file for it there are no rules.
    """
    if not _CODE.fullmatch(code):
        return Language(code, {})
    file = resources.files("rag.text").joinpath(_FOLDER, f"{code}.toml")
    if not file.is_file():
        return Language(code, {})
    return Language(code, tomllib.loads(file.read_text(encoding="utf-8")))
