"""A text read once: its terms, numbers, names and whether it says no, each kept when found."""

from __future__ import annotations

from functools import cached_property

from rag.text.analysis import Analyzer
from rag.text.language import Language
from rag.text.names import claimed_numbers, clauses, names, negated, words
from rag.text.numbers import Number, find_numbers
from rag.text.same import word_runs


class Analysed:
    """A text with what is found in it, each part when it is first asked for.

    Attributes:
        text: The text.
        analyzer: Makes terms of its language.
    """

    def __init__(self, text: str, analyzer: Analyzer) -> None:
        self.text = text
        self.analyzer = analyzer

    @property
    def language(self) -> Language:
        """The rules of its language."""
        return self.analyzer.language

    @cached_property
    def terms(self) -> frozenset[str]:
        """Its distinct terms."""
        return frozenset(self.analyzer.terms(self.text))

    @cached_property
    def content_terms(self) -> tuple[str, ...]:
        """Its terms without stop words, in order."""
        return tuple(self.analyzer.content_terms(self.text))

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        """Its numbers, in order."""
        return tuple(find_numbers(self.text, self.language))

    @cached_property
    def values(self) -> frozenset[tuple[float, bool]]:
        """Values of its numbers, each with whether it is a share."""
        return frozenset(number.key for number in self.numbers)

    @cached_property
    def claimed_values(self) -> frozenset[tuple[float, bool]]:
        """Those that need support."""
        return frozenset(claimed_numbers(self.text, self.language))

    @cached_property
    def names(self) -> frozenset[str]:
        """Words with a capital, but for the first."""
        return frozenset(names(self.text))

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words in small letters, without possessive endings."""
        return frozenset(words(self.text))

    @cached_property
    def is_negated(self) -> bool:
        """Whether it says that something is not so."""
        return negated(self.text, self.language)

    @cached_property
    def clauses(self) -> tuple[Analysed, ...]:
        """Its parts that each say something of their own, roughly."""
        return tuple(Analysed(part, self.analyzer) for part in clauses(self.text, self.language))

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """What stands between its spaces, without case."""
        return tuple(self.text.casefold().split())

    @cached_property
    def runs(self) -> frozenset[int]:
        """Its runs of words, by which the same text is known."""
        return word_runs(self.text)
