"""Ranking: how well each sentence of a passage answers a question, by a small model of our own.

The model reads question and passage together and gives every sentence a number. `null` stands for
"none of these": its number is 0, so that sums over e^number can be read as odds.

Modules:
    passages  hits cut into what the model reads at once
    minilm    the model
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.embedding import Spans, Vectors


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage as the ranker reads it.

    Attributes:
        heading: Title and day of its article, such as "Bridge closes (2024-01-05)".
        text: The passage.
        spans: Sentences in it, in characters of `text`.
    """

    heading: str
    text: str
    spans: Spans


class Ranker(Protocol):
    """Says how well sentences answer a question. Safe to call from several threads.

    Attributes:
        name: Which model this is.
    """

    name: str

    def logits(self, question: str, passages: Sequence[RankedPassage]) -> list[Vectors]:
        """For each passage the number of each of its sentences, shape (n_spans,), float32.

        Higher is better; 0 is as likely as that no sentence of the passage answers.
        """
        ...
