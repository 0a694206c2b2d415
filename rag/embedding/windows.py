"""Texts longer than the model reads: cut into windows, embedded, averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.embedding import Vectors, unit


def windows(
    texts: Sequence[str], count_tokens: Callable[[Sequence[str]], list[int]], max_tokens: int
) -> tuple[list[str], NDArray[np.int64]]:
    """Cut what is too long in halves until every part fits.

    Returns:
        The parts, and for each part the position of its text.
    """
    parts: list[str] = []
    owner: list[int] = []
    for position, (text, n_tokens) in enumerate(zip(texts, count_tokens(texts), strict=True)):
        for part in [text] if n_tokens <= max_tokens else _halves(text, count_tokens, max_tokens):
            parts.append(part)
            owner.append(position)
    return parts, np.asarray(owner, dtype=np.int64)


def pool(vectors: Vectors, owner: NDArray[np.int64], n_texts: int) -> Vectors:
    """One unit vector per text: the mean of its parts' vectors."""
    if len(owner) == n_texts:
        return vectors
    summed = np.zeros((n_texts, vectors.shape[1]), dtype=np.float32)
    np.add.at(summed, owner, vectors)
    return unit(summed)


def _halves(
    text: str, count_tokens: Callable[[Sequence[str]], list[int]], max_tokens: int
) -> list[str]:
    if len(text) <= 1 or count_tokens([text])[0] <= max_tokens:
        return [text]
    middle = len(text) // 2
    space = text.rfind(" ", len(text) // 4, middle)
    cut = space + 1 if space > 0 else middle
    return [
        *_halves(text[:cut], count_tokens, max_tokens),
        *_halves(text[cut:], count_tokens, max_tokens),
    ]
