"""Asides: sentences of a news page that tell nothing of the news.

Notes on the article itself ("Updated Nov. 1, 10:01 p.m."), its makers ("Reach the reporter at …"),
its other offers ("Here's what we know."). They stay in the article; no answer is made of them.
"""

from __future__ import annotations

import re

from rag.text.language import Language

# "Jane Doe/Reuters", "Getty Images".
_NAMES = r"[A-Z][\w.'’-]+(?:\s(?:[a-z]{2,3}\s)?[A-Z][\w.'’-]+){0,4}"
_AGENCY = r"(?:AFP|AP|EPA|Reuters|Getty Images|Shutterstock)"
_CREDIT = re.compile(rf"[ \t]+(?:{_NAMES}(?:\s?/\s?{_NAMES})+|{_AGENCY})\s*(?:\n|$)")
_CREDITED = re.compile(rf"[a-z.,] (?:From |By )?{_NAMES}/{_NAMES}\Z")


def is_aside(sentence: str, language: Language) -> bool:
    """Whether a sentence speaks of the page and not of the news."""
    return language.pattern("asides.sentence").search(sentence) is not None


def is_caption(text: str, start: int, end: int) -> bool:
    """Whether a sentence is the caption of a picture: it or its line ends with whose that is.

    Args:
        text: Of the article.
        start, end: The sentence in it.
    """
    return bool(_CREDIT.match(text, end) or _CREDITED.search(text, start, end))
