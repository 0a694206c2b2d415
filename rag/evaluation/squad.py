"""When a text counts as holding a gold answer, as SQuAD compares them.

Both without case, punctuation and English articles (Rajpurkar et al., "SQuAD: 100,000+ Questions
for Machine Comprehension of Text", EMNLP 2016).
"""

from __future__ import annotations

import re
import string
from collections import Counter

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "“”‘’–—")


def normal(text: str) -> str:
    """A text as it is compared."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def holds(text: str, gold: str) -> bool:
    """Whether a text contains a gold answer, both without case, punctuation and articles."""
    wanted = normal(gold) or gold
    return f" {wanted} " in f" {normal(text)} "


def f1(text: str, gold: str) -> float:
    """Harmonic mean of the shares of words that the two have in common, in [0, 1]."""
    ours, theirs = normal(text).split(), normal(gold).split()
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0
