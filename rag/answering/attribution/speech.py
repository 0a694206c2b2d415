"""Who said it: what a source only reports must not become a fact.

Rules for English reporting: a verb of saying with what is said before or after it, "according
to", and quotation marks, also those that were opened in an earlier sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_SAYING = (
    r"said|says|saying|told|tells|claim(?:s|ed|ing)?|alleg(?:es|ed|ing)|warn(?:s|ed|ing)?"
    r"|argu(?:es|ed|ing)|insist(?:s|ed|ing)?|accus(?:es|ed|ing)|den(?:ies|ied|ying)"
    r"|believ(?:es|ed)|believe|thinks|suggest(?:s|ed)|predict(?:s|ed)|quoted as saying"
)
_REPORTED_BY = re.compile(rf"\b(?:{_SAYING})\b", re.IGNORECASE)
_ACCORDING = re.compile(r"\b(?:according to|reportedly|allegedly|in the words of)\b", re.IGNORECASE)
# In an answer also these make clear that somebody says it.
_KEEPS = re.compile(
    rf"\b(?:{_SAYING}|say|according to|reportedly|allegedly|report(?:s|ed)?|urg(?:e|es|ed|ing)"
    r"|call(?:s|ed|ing)?|describ(?:e|es|ed)|add(?:s|ed)|announc(?:e|es|ed)|stat(?:e|es|ed)"
    r"|ask(?:s|ed)?|demand(?:s|ed)?|pledg(?:e|es|ed)|vow(?:s|ed)?|promis(?:e|es|ed)|hop(?:e|es|ed)"
    r"|critici[sz](?:e|es|ed)|prais(?:e|es|ed)|condemn(?:s|ed)?|confirm(?:s|ed)?|express(?:es|ed)?"
    r"|view(?:s|ed)?|consider(?:s|ed)?|propos(?:e|es|ed)|recommend(?:s|ed)?|discuss(?:es|ed)?"
    r"|emphasi[sz](?:e|es|ed)|stress(?:es|ed)|mention(?:s|ed)?|explain(?:s|ed)?|opinion|words?"
    r"|statement|estimat(?:e|es|ed))\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[“\"„«]([^“”\"„«»]{2,})(?:[”\"“»]|$)")
_TAIL_WORDS = 6
_MIN_REPORTED_WORDS = 3


def reported_parts(sentence: str, *, inside_quotation: bool = False) -> list[str]:
    """The parts of a source sentence that somebody is said to have said.

    Args:
        sentence: A sentence of an article.
        inside_quotation: Whether a quotation that began before it is still open.
    """
    if inside_quotation:
        closing = re.search(r"[”\"»]", sentence)
        return [sentence[: closing.start()] if closing else sentence]
    if _ACCORDING.search(sentence):
        return [sentence]
    parts = [match.group(1) for match in _QUOTED.finditer(sentence)]
    verb = _REPORTED_BY.search(sentence)
    if verb:
        after = sentence[verb.end() :]
        if len(after.split()) >= _TAIL_WORDS:
            parts.append(after)
        else:  # "…, the ministry said on Monday."
            parts.append(sentence[: verb.start()])
    return [part for part in parts if len(part.split()) >= _MIN_REPORTED_WORDS]


def drops_speaker(
    sentence: str,
    question: str,
    source: str,
    wanted: Sequence[str],
    terms: Callable[[str], list[str]],
    *,
    inside_quotation: bool = False,
) -> bool:
    """Whether a sentence tells as a fact what its source only reports.

    Args:
        sentence: Of an answer.
        question: A question about what somebody said keeps the speaker in the answer.
        source: The source sentence that supports it.
        wanted: Stemmed words of the answer that the source supports.
        terms: Stemmed words of a text.
        inside_quotation: Whether the source sentence begins inside a quotation.
    """
    if _KEEPS.search(sentence) or _KEEPS.search(question):
        return False
    parts = reported_parts(source, inside_quotation=inside_quotation)
    said = {term for part in parts for term in terms(part)}
    rest = set(terms(_without(source, parts)))
    told = [term for term in wanted if term in said or term in rest]
    return bool(told) and sum(term in said and term not in rest for term in told) * 2 > len(told)


def _without(source: str, parts: Sequence[str]) -> str:
    for part in parts:
        source = source.replace(part, " ", 1)
    return source
