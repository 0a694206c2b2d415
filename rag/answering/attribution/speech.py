"""Who said it: what a source only reports must not become a fact.

A verb of saying with what is said before or after it, "according to", and quotation marks, also
those that were opened in an earlier sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text.analysed import Analysed
from rag.text.language import Language
from rag.text.names import plain, tokens

_QUOTED = re.compile(r"[“\"„«]([^“”\"„«»]{2,})(?:[”\"“»]|$)")
_TAIL_WORDS = 6
_MIN_REPORTED_WORDS = 3
_SPEAKER_WORDS = 6


def reported_parts(
    sentence: str, language: Language, *, inside_quotation: bool = False
) -> list[str]:
    """The parts of a source sentence that somebody is said to have said.

    Args:
        sentence: A sentence of an article.
        language: Of the article.
        inside_quotation: Whether a quotation that began before it is still open.
    """
    if inside_quotation:
        closing = re.search(r"[”\"»]", sentence)
        return [sentence[: closing.start()] if closing else sentence]
    if language.pattern("speech.according").search(sentence):
        return [sentence]
    parts = [match.group(1) for match in _QUOTED.finditer(sentence)]
    verb = language.pattern("speech.reported_by").search(sentence)
    if verb:
        after = sentence[verb.end() :]
        if len(after.split()) >= _TAIL_WORDS:
            parts.append(after)
        else:  # "…, the ministry said on Monday."
            parts.append(sentence[: verb.start()])
    return [part for part in parts if len(part.split()) >= _MIN_REPORTED_WORDS]


def drops_speaker(
    sentence: Analysed,
    question: Analysed,
    source: Analysed,
    wanted: Sequence[str],
    *,
    inside_quotation: bool = False,
) -> bool:
    """Whether a sentence tells as a fact what its source only reports.

    Args:
        sentence: Of an answer.
        question: A question about what somebody said keeps the speaker in the answer.
        source: The source sentence that supports it.
        wanted: Stemmed words of the answer that the source supports.
        inside_quotation: Whether the source sentence begins inside a quotation.
    """
    keeps = source.language.pattern("speech.keeps")
    if keeps.search(sentence.text) or keeps.search(question.text):
        return False
    parts = reported_parts(source.text, source.language, inside_quotation=inside_quotation)
    terms = source.analyzer.terms
    said = {term for part in parts for term in terms(part)}
    rest = set(terms(_without(source.text, parts)))
    told = [term for term in wanted if term in said or term in rest]
    return bool(told) and sum(term in said and term not in rest for term in told) * 2 > len(told)


def changes_speaker(sentence: Analysed, source: Analysed) -> bool:
    """Whether a sentence has somebody say what its source has another say.

    Args:
        sentence: Of an answer.
        source: The source sentence that supports it. Where it says "he said", nothing is known.
    """
    ours, theirs = _speakers(sentence), _speakers(source)
    return bool(ours and theirs) and ours.isdisjoint(source.words)


def _speakers(text: Analysed) -> frozenset[str]:
    """Words of the names that stand as the speaker before or after a verb of saying."""
    found: set[str] = set()
    for verb in text.language.pattern("speech.reported_by").finditer(text.text):
        before = re.split(r"[,;:—–\"“”]", text.text[: verb.start()])[-1]
        behind = " ".join(text.text[verb.end() :].split()[:_SPEAKER_WORDS])
        near = " ".join(before.split()[-_SPEAKER_WORDS:])
        for part in (near, behind if not near else ""):
            found.update(plain(word) for word in tokens(part) if word[0].isupper())
    return frozenset(word for word in found if text.analyzer.content_terms(word))


def _without(source: str, parts: Sequence[str]) -> str:
    for part in parts:
        source = source.replace(part, " ", 1)
    return source
