"""A sentence in the words of its sources, where only rules of writing make the difference."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence import Evidence
from rag.text.names import spelled_out

_ACRONYM = re.compile(r"\b[A-Z]{3,6}\b")
_LOOKED_AT = 40  # sources, the best ones


def in_their_words(sentence: str, time_words: str, evidence: Sequence[Evidence]) -> str | None:
    """A sentence as its sources would have it.

    Without what stands behind an age ("years old"), and without the words for the time of the
    question ("this week"), which an article says by its day; and with names in full that the
    sources do not shorten: "British Broadcasting Corporation".

    Args:
        sentence: Of the language model.
        time_words: Of the question, if only articles of that time are evidence; else empty.
        evidence: Source sentences, best first.

    Returns:
        The sentence; None where nothing is different.
    """
    made = sentence
    for words in filter(None, time_words.split(", ")):
        made = re.sub(rf"\s*\b{re.escape(words)}\b", "", made, flags=re.IGNORECASE)
    near = evidence[:_LOOKED_AT]
    if near:
        analyzer = near[0].analyzer
        aged = analyzer.language.pattern("attribution.years_old").pattern
        for age in dict.fromkeys(re.findall(r"\b\d{1,3}\b", made)):
            if any(f", {age}," in one.text for one in near):  # "Lena Holm, 31, said"
                made = re.sub(rf"\b{age}{aged}", age, made)
        for acronym in dict.fromkeys(_ACRONYM.findall(made)):
            told = (spelled_out(acronym, one.text, analyzer.language) for one in near)
            full = next(filter(None, told), None)
            # "In Central Europe" is no name.
            if full and analyzer.content_terms(full.split()[0]):
                made = re.sub(rf"\b{acronym}\b", full, made)
    return made if made != sentence and made.strip(" .") else None
