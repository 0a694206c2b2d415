"""A question taken apart: what it asks with, its auxiliary, its subject and the rest.

No parser: where the function words leave open which of two words is the verb, the wrong one only
makes a clumsy question. Rules for English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.chat.phrases import ROLE, Phrase, phrases
from rag.chat.words import (
    ASKING,
    AUXILIARIES,
    BE,
    DETERMINERS,
    FUNCTION_WORDS,
    PARTICIPLE,
    PREPOSITIONS,
    PRONOUNS,
    is_content,
    is_name,
    words_of,
)

_STOPS = frozenset("that because if while although when where why who which whom".split())  # noqa: SIM905
_BRACKETS = re.compile(r"\s*\((?P<aside>[^()]*)\)(?=\W*$)")
_MAX_ASKED_WORDS = 7


@dataclass(frozen=True, slots=True)
class Clause:
    """A question taken apart.

    Attributes:
        asks: The words it asks with, and what they ask of: "How many homes"; none for yes or no.
        auxiliary: "did", "were"; empty where `asks` is the subject ("Who won?").
        subject: Words of the subject.
        predicate: The rest.
        aside: What stands in brackets behind it: the topic of an earlier question.
    """

    asks: tuple[str, ...]
    auxiliary: str
    subject: tuple[str, ...]
    predicate: tuple[str, ...]
    aside: str = ""

    @classmethod
    def read(cls, question: str) -> Clause:
        """A question taken apart; a text that is none has its words in `subject`."""
        brackets = _BRACKETS.search(question)
        aside = brackets["aside"] if brackets else ""
        words = words_of(_BRACKETS.sub("", question))
        if words and words[0].lower() in FUNCTION_WORDS:  # its capital is the sentence's
            words[0] = words[0].lower()
        n_asking = _asking(words)
        asks, rest = words[:n_asking], words[n_asking:]
        if rest and rest[0].lower() in AUXILIARIES and (asks or len(rest) > 1):
            auxiliary, rest = rest[0].lower(), rest[1:]
        else:
            auxiliary = ""
        if asks and not auxiliary:
            # "Which company bought Skype?", "How many people died?"
            named = _counted(asks) and rest and not is_name(rest[0])
            end = subject_end(rest) if named else 0
            end = end if end < len(rest) and is_content(rest[end]) else 0
            return cls((*asks, *rest[:end]), "", (), tuple(rest[end:]), aside)
        end = subject_end(rest, passive=auxiliary in BE, whole=asks[:1] in (["what"], ["who"]))
        return cls(tuple(asks), auxiliary, tuple(rest[:end]), tuple(rest[end:]), aside)

    @property
    def phrases(self) -> list[Phrase]:
        """The noun phrases of subject and predicate, with their places in `words`."""
        n = len(self.subject)
        return phrases(self.subject) + [
            replace(phrase, start=phrase.start + n, end=phrase.end + n)
            for phrase in phrases(self.predicate)
        ]

    @property
    def words(self) -> list[str]:
        """Subject and predicate."""
        return [*self.subject, *self.predicate]

    @property
    def asks_for(self) -> str:
        """The word it asks with, in small letters: "when"; empty for yes or no."""
        return next((word.lower() for word in self.asks if word.lower() in ASKING), "")

    @property
    def asked_noun(self) -> list[str]:
        """What is asked for, where it is named: "nuclear sites in Iran"."""
        at = next((n for n, word in enumerate(self.asks) if word.lower() in ASKING), -1)
        rest = list(self.asks[at + 1 :]) if at >= 0 else []
        return rest[1:] if self.asks_for == "how" else rest

    @property
    def topic(self) -> list[str]:
        """All that says what it is about."""
        words = (*self.asked_noun, *self.words, *words_of(self.aside))
        return [word for word in words if is_content(word)]


def _asking(words: Sequence[str]) -> int:
    """How many words at the beginning ask: "Up to which age", "How many homes"."""
    low = [word.lower() for word in words]
    at = 0
    while at < min(2, len(low) - 1) and low[at] in PREPOSITIONS:
        at += 1
    if at >= len(low) or low[at] not in ASKING:
        return 0
    at += 1
    if low[at - 1] in ("who", "whom", "when", "where", "why"):
        return at
    if low[at - 1] == "how" and at < len(low) and low[at] not in AUXILIARIES:
        at += 1
    for n, word in enumerate(low[at : at + _MAX_ASKED_WORDS], start=at):
        if word in AUXILIARIES:
            return n
        if word in _STOPS or word in PRONOUNS:
            break
    return at


def _counted(asks: Sequence[str]) -> bool:
    return asks[-1] in ("which", "what", "many", "much")


def subject_end(words: Sequence[str], *, passive: bool = False, whole: bool = False) -> int:
    """How many words at the beginning of a clause are its subject.

    Args:
        words: Of the clause, without what it asks with and the auxiliary.
        passive: Whether the auxiliary is a form of "be": then only a participle is the verb.
        whole: Whether it asks what something is: then there may be none.
    """
    at = 0
    while at < len(words):
        determined = words[at].lower() in DETERMINERS
        first = at + determined
        end = first
        while end < len(words) and is_content(words[end]):
            end += 1
        following = words[end].lower() if end < len(words) else ""
        if passive:
            verb = next(
                (n for n in range(at, end) if PARTICIPLE.fullmatch(words[n])),
                None if whole or determined else _verb(words, first, end, determined, following),
            )
        else:
            verb = _verb(words, first, end, determined, following)
        if verb is not None:
            return verb
        if following not in PREPOSITIONS and following not in ("and", "or"):
            return end
        at = end + 1
    return len(words)


def _verb(
    words: Sequence[str], first: int, end: int, determined: bool, following: str
) -> int | None:
    """Where in a run of content words the subject ends, if it does."""
    run = [is_name(word) for word in words[first:end]]
    if following == "of" and (determined or not any(run)):
        return None
    if not any(run):
        return end - 1 if len(run) > 1 else None
    n_before = run.index(True)
    if n_before > 1 and not ROLE.fullmatch(words[first + n_before - 1]):  # "company bought Skype"
        return first + n_before - 1
    n_after = run[n_before:].index(False) if False in run[n_before:] else len(run) - n_before
    named = first + n_before + n_after
    if named == end:
        return None
    return end - 1 if determined and end - named > 1 and not any(run[named - first :]) else named
