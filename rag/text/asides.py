"""Asides: sentences of a news page that tell nothing of the news.

Notes on the article itself ("Updated Nov. 1, 10:01 p.m."), its makers ("Reach the reporter at …"),
its other offers ("Here's what we know."). They stay in the article; no answer is made of them.
"""

from __future__ import annotations

from rag.text.language import Language


def is_aside(sentence: str, language: Language) -> bool:
    """Whether a sentence speaks of the page and not of the news."""
    return language.pattern("asides.sentence").search(sentence) is not None
