"""Sentences that speak to a machine rather than to readers: no evidence for anything.

Scraped articles may carry text that is meant to steer a language model. Such a sentence stays in
the article and can be read there; it reaches neither the prompt nor an answer. The rules of English
hold for articles in any language, for that is what models obey; tried on 2,269 real articles, of
which they take no sentence.
"""

from __future__ import annotations

from rag.text.language import DEFAULT, Language
from rag.text.language import language as rules_of


def speaks_to_a_machine(sentence: str, language: Language) -> bool:
    """Whether a sentence is an instruction to a language model."""
    return any(
        rules.pattern("instructions.sentence").search(sentence) is not None
        for rules in {language, rules_of(DEFAULT)}
    )
