"""What a server does not tell of a text: how many tokens it has, and whether it refuses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from rag.llm.base import Token

_LETTERS_PER_TOKEN = 3
_PIECE = re.compile(r"[A-Za-z]+|\s+|.", re.DOTALL)


def estimated_tokens(text: str) -> int:
    """Tokens of a text by a tokenizer that is not known, counted too high rather than too low.

    A token for each three letters a to z that follow each other, for each other character as many
    as it has bytes in UTF-8, none for a single blank
    (tests/test_llm_remote.py::test_tokens_are_counted_too_high).
    """
    return sum(_n_tokens(piece) for piece in _PIECE.findall(text))


def _n_tokens(piece: str) -> int:
    if piece.isspace():
        return 0 if piece == " " else len(piece)
    if piece.isascii() and piece.isalpha():
        return -(-len(piece) // _LETTERS_PER_TOKEN)
    return len(piece.encode("utf-8", "replace"))


async def without_refusal(pieces: AsyncIterator[str], refusal: str) -> AsyncIterator[Token]:
    """Tokens of a completion, without the refusal that it begins with; that is told instead.

    A model here is kept from writing it; one on a server cannot be.
    """
    words = refusal.rstrip(".").lower()
    begun, waiting, refused = "", bool(words), False
    async for piece in pieces:
        if refused:  # what ends the sentence that was left out
            piece = piece.lstrip(". \n")
            refused = not piece
        if not waiting:
            yield Token(piece)
            continue
        begun += piece
        text = begun.lstrip().lower()
        if text.startswith(words):
            waiting = False
            rest = begun.lstrip()[len(words) :].lstrip(". \n")
            refused = not rest
            yield Token(rest, refusal=1.0)
        elif not words.startswith(text):
            waiting = False
            yield Token(begun)
    if waiting and begun:
        yield Token(begun)
