"""Chunks: runs of whole sentences of one article, the unit that is retrieved."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rag.text.paragraphs import Span, unwrapped

TokenCounter = Callable[[Sequence[str]], Sequence[int]]
"""Number of tokens (word pieces) of each text, without special tokens."""

MIN_TAIL_WORDS = 25
"""A last chunk with fewer new words joins the one before it, if it fits there."""
MAX_CHARACTERS_PER_TOKEN = 20
"""Most characters counted as one token: a tokenizer may take any long word for one unknown."""

_CLAUSE_END = re.compile(r"[;:,—–…)\]][\"'”’»]*\s+|[、，；：]")
_SPACE = re.compile(r"\s+")


class ChunkingSettings(BaseModel):
    """`[chunking]` of an `index.toml`.

    Attributes:
        words: Words that a chunk aims at, at most, unless one sentence has more.
        overlap_sentences: Sentences that a chunk repeats of the one before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: int = Field(140, ge=10, le=10_000)
    overlap_sentences: int = Field(1, ge=0, le=20)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences; all offsets are in characters of the article's text.

    Attributes:
        start: Start of the first sentence.
        end: End of the last sentence.
        sentences: Its sentences in order; the parts of it where one sentence alone was too long.
    """

    start: int
    end: int
    sentences: tuple[Span, ...]


class _Unit(NamedTuple):
    """A sentence with its size."""

    span: Span
    words: int
    tokens: int


def chunk(
    text: str,
    sentences: Sequence[Span],
    *,
    count_tokens: TokenCounter,
    max_tokens: int,
    words: int = 140,
    overlap_sentences: int = 1,
) -> list[Chunk]:
    """Cut an article into chunks.

    Args:
        text: The article's text.
        sentences: Its sentences, as `rag.text.sentences.split` gives them.
        count_tokens: Counts the tokens of texts, in batches.
        max_tokens: Most tokens of a chunk, at least 1: what the model takes, less its special
            tokens and whatever is put before the chunk. Only a single character that alone has
            more tokens may exceed it.
        words: Words that a chunk aims at, at most, unless one sentence has more.
        overlap_sentences: Sentences repeated from the chunk before, where they fit.

    Returns:
        Chunks in order. Every sentence is in at least one of them, whole, or in parts where it
        alone exceeds `max_tokens`.

    Raises:
        ValueError: `max_tokens` is below 1.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, not {max_tokens}")
    units = _units(text, sentences, count_tokens, max_tokens)
    runs = _runs(units, max_tokens, words, overlap_sentences)
    return _fitted([[u.span for u in run] for run in runs], text, count_tokens, max_tokens)


def _units(
    text: str, sentences: Sequence[Span], count_tokens: TokenCounter, max_tokens: int
) -> list[_Unit]:
    """Sentences with their sizes, each small enough; halved until it is where it was not."""
    done: list[_Unit] = []
    todo, halved = list(sentences), False
    while todo:
        parts = [text[start:end] for start, end in todo]
        halves: list[Span] = []
        for span, part, tokens in zip(todo, parts, count_tokens(parts), strict=True):
            if len(part) == 1 or _fits(len(part), tokens, max_tokens):
                done.append(_Unit(span, len(unwrapped(part).split()), tokens))
            else:
                halves.extend(_halves(text, span))
        todo, halved = halves, halved or bool(halves)
    return sorted(done) if halved else done


def _fits(characters: int, tokens: int, max_tokens: int) -> bool:
    return tokens <= max_tokens and characters <= max_tokens * MAX_CHARACTERS_PER_TOKEN


def _halves(text: str, span: Span) -> list[Span]:
    """The span cut near its middle: after a clause, else at a space, else between characters."""
    start, end = span
    middle = (start + end) // 2
    margin = (end - start) // 4
    cut = middle
    for boundary in (_CLAUSE_END, _SPACE):
        found = boundary.finditer(text, middle - margin, middle + margin)
        ends = [match.end() for match in found]
        if ends:
            cut = min(ends, key=lambda place: abs(place - middle))
            break
    cut = min(max(cut, start + 1), end - 1)
    left, right = text[start:cut].rstrip(), text[cut:end].lstrip()
    return [Span(start, start + len(left)), Span(end - len(right), end)]


def _runs(
    units: Sequence[_Unit], max_tokens: int, max_words: int, overlap: int
) -> list[list[_Unit]]:
    """Greedy runs of units within both limits, each beginning with the end of the one before."""
    runs: list[list[_Unit]] = []
    run: list[_Unit] = []
    n_repeated = n_words = n_tokens = 0
    for unit in units:
        if run and (n_words + unit.words > max_words or n_tokens + unit.tokens > max_tokens):
            runs.append(run)
            run = run[max(1, len(run) - overlap) :] if overlap else []
            n_words, n_tokens = sum(u.words for u in run), sum(u.tokens for u in run)
            while run and (n_words + unit.words > max_words or n_tokens + unit.tokens > max_tokens):
                n_words, n_tokens = n_words - run[0].words, n_tokens - run[0].tokens
                run = run[1:]
            n_repeated = len(run)
        run.append(unit)
        n_words, n_tokens = n_words + unit.words, n_tokens + unit.tokens
    if not run:
        return runs
    new = run[n_repeated:]
    if runs and sum(u.words for u in new) < MIN_TAIL_WORDS:
        joined = [*runs[-1], *new]
        if sum(u.tokens for u in joined) <= max_tokens:
            runs[-1] = joined
            return runs
    runs.append(run)
    return runs


def _fitted(
    runs: Sequence[list[Span]], text: str, count_tokens: TokenCounter, max_tokens: int
) -> list[Chunk]:
    """Chunks of the runs; one whose text has more tokens than its sentences together is halved."""
    chunks: list[Chunk] = []
    todo = list(runs)
    while todo:
        texts = [text[run[0].start : run[-1].end] for run in todo]
        halves: list[list[Span]] = []
        for run, part, tokens in zip(todo, texts, count_tokens(texts), strict=True):
            if len(run) == 1 or _fits(len(part), tokens, max_tokens):
                chunks.append(Chunk(run[0].start, run[-1].end, tuple(run)))
            else:
                middle = len(run) // 2
                halves += [run[:middle], run[middle:]]
        todo = halves
    kept: list[Chunk] = []
    for made in sorted(chunks, key=lambda made: (made.start, -made.end)):
        if not kept or made.end > kept[-1].end:  # half of a run may be all overlap
            kept.append(made)
    return kept
