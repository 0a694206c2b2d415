"""Numbers: the same however they are written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.language import language
from rag.text.numbers import find_numbers

ENGLISH = language("en")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("4.2 million or 4,200,000", [4.2e6, 4.2e6]),
        ("four million two hundred thousand", [4.2e6]),
        ("twenty-one, a dozen, two dozen, a hundred and five", [21, 12, 24, 105]),
        ("£2.5bn, $4m and 10k", [2.5e9, 4e6, 1e4]),
        ("on 2004-10-05 in the 1990s", [2004, 10, 5, 1990]),
        ("one of the tenders", [1]),
        ("hundreds of tens", []),
        ("fourteenth, often, weight", []),
        ("", []),
    ],
)
def test_values(text: str, values: list[float]) -> None:
    assert [number.value for number in find_numbers(text, ENGLISH)] == values


def test_shares_are_not_counts() -> None:
    assert [n.key for n in find_numbers("6 %, six percent, 6 per cent, 6 people", ENGLISH)] == [
        *[(6.0, True)] * 3, (6.0, False),
    ]  # fmt: skip


@given(st.integers(0, 10**9))
def test_digits_with_and_without_commas(value: int) -> None:
    assert [n.value for n in find_numbers(f"{value} and {value:,}", ENGLISH)] == [value, value]


@given(st.text(max_size=60))
def test_spans_lie_in_the_text_and_do_not_overlap(text: str) -> None:
    found = find_numbers(text, ENGLISH)
    assert all(0 <= n.start < n.end <= len(text) for n in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
