"""Hits cut into what the ranker reads at once: runs of sentences of about a hundred words."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rag.ranking import RankedPassage

MAX_WORDS = 95
"""Words of a passage, as the model was trained, unless one sentence has more."""
_MAX_CHARACTERS = 1_000
_MAX_HEADING = 160


def cut(
    title: str, published: datetime.date | None, text: str, sentences: Sequence[tuple[int, int]]
) -> list[tuple[RankedPassage, list[int]]]:
    """The passages of one hit.

    Args:
        title, published: Of its article.
        text: The article's text.
        sentences: The hit's sentences, in characters of `text`, in order.

    Returns:
        Each passage with the places of its sentences in `sentences`; every sentence is in one.
    """
    heading = title[:_MAX_HEADING]
    if published:
        heading = f"{heading} ({published.isoformat()})".strip()
    runs: list[list[int]] = []
    n_words = 0
    for place, (start, end) in enumerate(sentences):
        words = len(text[start:end].split())
        if not runs or n_words + words > MAX_WORDS:
            runs.append([])
            n_words = 0
        runs[-1].append(place)
        n_words += words
    return [(_passage(heading, text, [sentences[at] for at in run]), run) for run in runs]


def _passage(heading: str, text: str, spans: Sequence[tuple[int, int]]) -> RankedPassage:
    first, last = spans[0][0], min(spans[-1][1], spans[0][0] + _MAX_CHARACTERS)
    own = [(min(start, last - 1) - first, min(end, last) - first) for start, end in spans]
    return RankedPassage(heading, text[first:last], own)
