"""Chunks: whole sentences, offsets, order, coverage and the bound in tokens."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rag.chunking import (
    MAX_CHARACTERS_PER_TOKEN,
    Chunk,
    ChunkingSettings,
    TokenCounter,
    chunk,
)
from rag.settings import Settings
from rag.text.paragraphs import Span
from rag.text.sentences import split


def words_and_marks(texts: Sequence[str]) -> list[int]:
    """A token for every five letters of a word and for every mark: much as word pieces do."""
    return [
        sum(math.ceil(len(piece) / 5) for piece in re.findall(r"\w+|[^\w\s]", text))
        for text in texts
    ]


def characters(texts: Sequence[str]) -> list[int]:
    """Counts white space too, so that a chunk has more tokens than its sentences together."""
    return [len(text) for text in texts]


COUNTERS = st.sampled_from([words_and_marks, characters])
PIECES = st.sampled_from([
    "He left early", ". ", "! ", "; ", ", ", "\n", "\n\n", "Gallant met Healey in Tel Aviv. ",
    "x" * 60, "中文。", "؟ ", "👨‍👩‍👧", "e\u0301", "    ", "“Yes.” ",
])  # fmt: skip
TEXTS = st.text() | st.lists(PIECES, max_size=60).map("".join)


def check(
    text: str,
    sentences: Sequence[Span],
    chunks: Sequence[Chunk],
    count_tokens: TokenCounter,
    max_tokens: int,
) -> None:
    for made in chunks:
        assert made.start == made.sentences[0].start
        assert made.end == made.sentences[-1].end
        assert all(text[s:e] == text[s:e].strip() != "" for s, e in made.sentences)
        assert all(left.end <= right.start for left, right in pairwise(made.sentences))
        (n_tokens,) = count_tokens([text[made.start : made.end]])
        assert n_tokens <= max_tokens or made.end - made.start == 1
    for left, right in pairwise(chunks):  # in order, and none is a part of another
        assert left.start < right.start
        assert left.end < right.end
    # whole where it fits, else in parts that leave out white space only
    kept = {span for made in chunks for span in made.sentences}
    sizes = count_tokens([text[s:e] for s, e in sentences])
    for sentence, n_tokens in zip(sentences, sizes, strict=True):
        n_characters = sentence.end - sentence.start
        if n_tokens <= max_tokens and n_characters <= max_tokens * MAX_CHARACTERS_PER_TOKEN:
            assert sentence in kept
        parts = sorted(s for s in kept if sentence.start <= s.start and s.end <= sentence.end)
        assert "".join("".join(text[s:e].split()) for s, e in parts) == "".join(
            text[sentence.start : sentence.end].split()
        )


@given(TEXTS, COUNTERS, st.integers(1, 60), st.integers(1, 60), st.integers(0, 3))
def test_properties_on_any_text(
    text: str, count_tokens: TokenCounter, max_tokens: int, words: int, overlap: int
) -> None:
    sentences = split(text)
    chunks = chunk(
        text,
        sentences,
        count_tokens=count_tokens,
        max_tokens=max_tokens,
        words=words,
        overlap_sentences=overlap,
    )
    check(text, sentences, chunks, count_tokens, max_tokens)


@pytest.mark.models
@settings(max_examples=50)
@given(TEXTS, st.integers(8, 254))
def test_properties_with_the_real_tokenizer(text: str, max_tokens: int) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    found = sorted(Settings().models_dir.glob("*/**/tokenizer.json"))
    if not found:
        pytest.skip(f"no tokenizer.json below {Settings().models_dir}: run `rag models pull`")
    tokenizer = tokenizers.Tokenizer.from_file(str(found[0]))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count_tokens(texts: Sequence[str]) -> list[int]:
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encoded]

    sentences = split(text)
    chunks = chunk(text, sentences, count_tokens=count_tokens, max_tokens=max_tokens)
    check(text, sentences, chunks, count_tokens, max_tokens)


def numbered(n_sentences: int, n_words: int) -> tuple[str, list[Span]]:
    """Sentences "S0 w w w." of so many words, and their spans."""
    texts = [" ".join([f"S{i}", *["w"] * (n_words - 1)]) + "." for i in range(n_sentences)]
    spans, start = [], 0
    for text in texts:
        spans.append(Span(start, start + len(text)))
        start += len(text) + 1
    return " ".join(texts), spans


def by_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def runs(chunks: Sequence[Chunk], spans: Sequence[Span]) -> list[list[int]]:
    return [[spans.index(sentence) for sentence in made.sentences] for made in chunks]


def test_chunks_aim_at_the_words_and_repeat_one_sentence() -> None:
    text, spans = numbered(10, 30)
    chunks = chunk(text, spans, count_tokens=by_words, max_tokens=250)
    assert runs(chunks, spans) == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert chunks[1] == Chunk(spans[3].start, spans[6].end, tuple(spans[3:7]))


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        (0, [[0, 1, 2], [3, 4, 5]]),
        (1, [[0, 1, 2], [2, 3, 4], [4, 5]]),
        (2, [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]),
        (9, [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]),  # always one new sentence, one dropped
    ],
)
def test_overlap(overlap: int, expected: list[list[int]]) -> None:
    text, spans = numbered(6, 30)
    chunks = chunk(
        text, spans, count_tokens=by_words, max_tokens=250, words=90, overlap_sentences=overlap
    )
    assert runs(chunks, spans) == expected


def test_overlap_is_left_out_where_it_would_not_fit() -> None:
    text, spans = numbered(3, 80)
    chunks = chunk(text, spans, count_tokens=by_words, max_tokens=250, words=140)
    assert runs(chunks, spans) == [[0], [1], [2]]


def test_tokens_bound_a_chunk_before_words_do() -> None:
    text, spans = numbered(4, 30)
    chunks = chunk(text, spans, count_tokens=by_words, max_tokens=60, overlap_sentences=0)
    assert runs(chunks, spans) == [[0, 1], [2, 3]]


def test_a_tiny_last_chunk_joins_the_one_before_if_it_fits() -> None:
    text, spans = numbered(9, 20)
    args: dict[str, Any] = {"count_tokens": by_words, "words": 80, "overlap_sentences": 1}
    assert runs(chunk(text, spans[:8], max_tokens=250, **args), spans) == [
        [0, 1, 2, 3],
        [3, 4, 5, 6, 7],
    ]
    assert runs(chunk(text, spans[:8], max_tokens=80, **args), spans) == [
        [0, 1, 2, 3],
        [3, 4, 5, 6],
        [6, 7],
    ]


def test_a_sentence_too_long_is_cut_at_clauses_then_spaces_then_characters() -> None:
    clauses = "one two three four, five six seven eight"
    assert cut(clauses, max_tokens=4) == ["one two three four,", "five six seven eight"]
    assert cut("one two three four five six", max_tokens=3) == ["one two three", "four five six"]
    assert cut("abcdefgh", max_tokens=4, count_tokens=characters) == ["abcd", "efgh"]


def cut(text: str, *, max_tokens: int, count_tokens: TokenCounter = by_words) -> list[str]:
    (sentence,) = [Span(0, len(text))]
    chunks = chunk(text, [sentence], count_tokens=count_tokens, max_tokens=max_tokens)
    return [text[made.start : made.end] for made in chunks]


def test_a_word_of_a_megabyte_is_no_single_chunk_though_it_is_one_token() -> None:
    text = "x" * 1_000_000
    sentence = Span(0, len(text))
    chunks = chunk(text, [sentence], count_tokens=by_words, max_tokens=250, overlap_sentences=0)
    assert max(made.end - made.start for made in chunks) <= 250 * MAX_CHARACTERS_PER_TOKEN
    assert "".join(text[made.start : made.end] for made in chunks) == text


def test_nothing_gives_no_chunk() -> None:
    assert chunk("", [], count_tokens=by_words, max_tokens=250) == []


def test_a_bound_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="max_tokens must be at least 1, not 0"):
        chunk("A.", [Span(0, 2)], count_tokens=by_words, max_tokens=0)


def test_settings_refuse_what_does_not_fit() -> None:
    assert ChunkingSettings().model_dump() == {"words": 140, "overlap_sentences": 1}
    for wrong in ({"words": 0}, {"overlap_sentences": -1}, {"size": 100}):
        with pytest.raises(ValidationError):
            ChunkingSettings(**wrong)
