"""Attribution: which spans of the sources support a sentence, decided by code.

Nothing the language model says about its sources is trusted. A sentence is supported by source
sentences that together hold its words, and every number and name in it; otherwise it is not
shown as fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from rag.evidence import Evidence

# Words of a sentence that must stand in its sources (or in the question), as a share.
SUPPORTED_SHARE = 0.7
PARTLY_SHARE = 0.4
MAX_SOURCES = 3
_CONTEXT_CHARACTERS = 500

_LIST = r"\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*"
_MARK = re.compile(rf"\s*(?:\[{_LIST}\]|【{_LIST}】|\({_LIST}\))(?=[\s.,;:!?\[【(]|$)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"\b[^\W\d_a-z][\w’'-]*", re.UNICODE)
_TOKEN = re.compile(r"\w[\w’'-]*")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
}
_NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "neither",
        "nor",
        "without",
        "none",
        "nobody",
        "nothing",
        "cannot",
        "n't",
    ]
)


class Status(StrEnum):
    """How a sentence of an answer stands to the sources.

    Values:
        quoted: It stands there word for word.
        supported: Its words, numbers and names stand in the cited spans.
        partly: Some of its words do; not shown as fact.
        unsupported: No source supports it; not shown.
    """

    QUOTED = "quoted"
    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What supports a sentence.

    Attributes:
        status: How well.
        sources: The supporting source sentences, the most important first.
        share: Share of the sentence's words that stand in them or in the question, [0, 1].
    """

    status: Status
    sources: tuple[Evidence, ...]
    share: float


def strip_marks(text: str) -> str:
    """A text without the citation marks that a model wrote, such as `[2]` or `(1, 3)`.

    Numbers in parentheses of four digits (years) and those inside words stay.
    """
    return _MARK.sub("", text)


def attribute(
    sentence: str,
    question: str,
    evidence: Sequence[Evidence],
    terms: Callable[[str], list[str]],
    content_terms: Callable[[str], list[str]],
) -> Attribution:
    """Find the source sentences that support a sentence.

    Args:
        sentence: Without citation marks.
        question: Its words need no support: an answer repeats them.
        evidence: Source sentences, best first.
        terms: Stemmed words of a text.
        content_terms: The same without stop words.
    """
    verbatim = _squeeze(sentence)
    bare = verbatim.strip(" .\"“”'’")
    for source in evidence:
        if len(bare) >= 20 and bare in _squeeze(source.text):
            return Attribution(Status.QUOTED, (source,), 1.0)
    asked = set(terms(question))
    wanted = [term for term in content_terms(sentence) if term not in asked]
    held = {id(source): set(terms(_with_heading(source))) for source in evidence}
    sources = _cover(wanted, evidence, held)
    together = asked.union(*(held[id(source)] for source in sources))
    all_terms = content_terms(sentence)
    share = sum(term in together for term in all_terms) / len(all_terms) if all_terms else 0.0
    new_share = sum(term in together for term in wanted) / len(wanted) if wanted else 1.0
    text = " ".join(_with_heading(source) for source in sources)
    if not sources or not _says_something(sentence, question, wanted, terms):
        return Attribution(Status.UNSUPPORTED, (), share)
    if min(share, new_share) < PARTLY_SHARE:
        return Attribution(Status.UNSUPPORTED, (), share)
    exact = (
        _numbers(sentence) <= _numbers(text) | _numbers(question)
        and _names(sentence) <= _words(text) | (_words(question) & _words(_before(sources)))
        and _negated(sentence) <= _negated(text)
    )
    if exact and min(share, new_share) >= SUPPORTED_SHARE:
        return Attribution(Status.SUPPORTED, tuple(sources), share)
    return Attribution(Status.PARTLY, tuple(sources), share)


def _says_something(
    sentence: str, question: str, wanted: Sequence[str], terms: Callable[[str], list[str]]
) -> bool:
    """Whether a sentence tells more than the question did.

    A first name put before a name that the question has ("David Lammy" for "Lammy") is no news.
    """
    words = _TOKEN.findall(sentence)
    asked = _words(question)
    known = {
        term
        for word, following in pairwise(words)
        if word[0].isupper() and following[0].isupper() and _plain(following) in asked
        for term in terms(word)
    }
    return any(term not in known for term in wanted)


def _cover(
    wanted: Sequence[str], evidence: Sequence[Evidence], held: dict[int, set[str]]
) -> list[Evidence]:
    """Few source sentences that together hold the wanted words: greedy set cover.

    Equal covers are decided by the order of the evidence, so a sentence that only repeats the
    question ("no, he did not") is supported by the best evidence.
    """
    chosen: list[Evidence] = []
    missing = set(wanted)
    while len(chosen) < MAX_SOURCES:
        best = max(evidence, key=lambda source: len(missing & held[id(source)]), default=None)
        gain = len(missing & held[id(best)]) if best else 0
        if best is None or (chosen and gain < 2) or (missing and not gain):
            break
        chosen.append(best)
        missing -= held[id(best)]
        if not missing:
            break
    return chosen


def _with_heading(source: Evidence) -> str:
    """A source sentence with what its article's heading adds: who, and when."""
    return f"{source.article.title} {source.article.published or ''} {source.text}"


def _before(sources: Sequence[Evidence]) -> str:
    """What stands just before the source sentences: there "he" and "the company" have their names.

    A name of the question counts as supported there, but not out of thin air: "Lammy met David
    Lammy in London" does not pass on a caption from Kyiv.
    """
    return " ".join(
        source.article.text[max(0, source.start - _CONTEXT_CHARACTERS) : source.start]
        for source in sources
    )


def _squeeze(text: str) -> str:
    return " ".join(text.replace("’", "'").replace("“", '"').replace("”", '"').split()).lower()


def _numbers(text: str) -> set[str]:
    digits = {number.replace(",", "").rstrip(".") for number in _NUMBER.findall(text)}
    return digits | {_NUMBER_WORDS[word] for word in _words(text) if word in _NUMBER_WORDS}


def _names(sentence: str) -> set[str]:
    """Words with a capital, but not the first, which has one anyway."""
    found = list(_NAME.finditer(sentence))
    return {_plain(match.group()) for match in found if match.start() > 0}


def _words(text: str) -> set[str]:
    return {_plain(word) for word in _TOKEN.findall(text)}


def _plain(word: str) -> str:
    word = word.lower().replace("’", "'")
    return word.removesuffix("'s").rstrip("'-").replace(".", "")


def _negated(text: str) -> set[bool]:
    words = _words(text)
    negative = bool(words & _NEGATIONS) or any(word.endswith("n't") for word in words)
    return {True} if negative else set()
