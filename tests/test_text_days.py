"""Relative days, resolved against the day of the article."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.days import resolve
from rag.text.language import language

ENGLISH = language("en")
THURSDAY = datetime.date(2024, 10, 10)


def days(text: str, published: datetime.date = THURSDAY) -> list[tuple[str, str, str]]:
    found = resolve(text, 0, len(text), published, ENGLISH)
    assert all(text[phrase.start : phrase.end] == phrase.text for phrase in found)
    return [(phrase.text, str(phrase.first), str(phrase.last)) for phrase in found]


@pytest.mark.parametrize(
    ("text", "phrase", "first", "last"),
    [
        ("He spoke on Friday.", "on Friday", "2024-10-04", "2024-10-04"),
        ("He will speak on Friday.", "on Friday", "2024-10-11", "2024-10-11"),
        ("The bridge closes on Monday.", "on Monday", "2024-10-14", "2024-10-14"),
        ("He spoke on Thursday.", "on Thursday", "2024-10-10", "2024-10-10"),
        ("He spoke last Thursday.", "last Thursday", "2024-10-03", "2024-10-03"),
        ("It opens next Thursday.", "next Thursday", "2024-10-17", "2024-10-17"),
        ("It opened this Monday.", "this Monday", "2024-10-07", "2024-10-07"),
        ("It rained yesterday.", "yesterday", "2024-10-09", "2024-10-09"),
        ("It rained last night.", "last night", "2024-10-09", "2024-10-09"),
        ("It rains tonight.", "tonight", "2024-10-10", "2024-10-10"),
        ("It rained last week.", "last week", "2024-09-30", "2024-10-06"),
        ("It rained this weekend.", "this weekend", "2024-10-12", "2024-10-13"),
        ("It rained last month.", "last month", "2024-09-01", "2024-09-30"),
        ("It rained two days ago.", "two days ago", "2024-10-08", "2024-10-08"),
        ("It rained 3 weeks ago.", "3 weeks ago", "2024-09-16", "2024-09-22"),
        ("It rained in April.", "in April", "2024-04-01", "2024-04-30"),
        ("It rained in December.", "in December", "2023-12-01", "2023-12-31"),
        ("It will rain in December.", "in December", "2024-12-01", "2024-12-31"),
        ("It rained on 5 May.", "5 May", "2024-05-05", "2024-05-05"),
        ("It rained on May 7.", "May 7", "2024-05-07", "2024-05-07"),
    ],
)
def test_phrases(text: str, phrase: str, first: str, last: str) -> None:
    assert days(text) == [(phrase, first, last)]


@pytest.mark.parametrize(
    "text",
    [
        "On Good Friday shops close.",
        "The Sunday Times wrote it.",
        "He may march in protest.",
        "It was on 5 May 2003.",
        "In April 1999 it rained.",
        "31 June",
        "Nothing here.",
    ],
)
def test_what_is_not_relative(text: str) -> None:
    assert days(text) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("A war began at the start of June and ended Tuesday in a ceasefire.", "2024-08-27"),
        ("He was found dead in his house on Sunday.", "2024-08-25"),
        ("A fire at the plant Sunday left two dead.", "2024-08-25"),
        ("The parties of both meet Sunday.", "2024-09-01"),
        ("They have good chances of winning on Wednesday.", "2024-09-04"),
        ("Holm said Sunday the bridge closes.", "2024-08-25"),
        ("Holm said the bridge closes on Sunday.", "2024-09-01"),
        ("Voters go to the polls on Sunday.", "2024-09-01"),
        ("The storm is expected to hit Sunday.", "2024-09-01"),
    ],
)
def test_weekdays_before_and_after_a_saturday(text: str, day: str) -> None:
    (phrase,) = [
        phrase
        for phrase in resolve(text, 0, len(text), datetime.date(2024, 8, 31), ENGLISH)
        if phrase.first == phrase.last
    ]
    assert phrase.first == datetime.date.fromisoformat(day)


def test_offsets_are_of_the_article() -> None:
    text = "First. He spoke on Friday. Last."
    (phrase,) = resolve(text, 7, 26, THURSDAY, ENGLISH)
    assert text[phrase.start : phrase.end] == "on Friday"


@given(st.text(max_size=80), st.dates())
def test_any_text_and_day(text: str, day: datetime.date) -> None:
    for _, first, last in days(f"{text} last week {text} in May, two years ago on Monday", day):
        assert first <= last


@pytest.mark.parametrize(
    ("text", "is_day"),
    [
        ("Fallon spoke on The Tonight Show of the storm.", False),
        ("He told USA Today about the storm.", False),
        ('"Tonight we sail," she said.', True),
        ("They sail tonight.", True),
        ("She said: Today we sail.", True),
    ],
)
def test_a_day_in_a_name_is_none(text: str, is_day: bool) -> None:
    found = resolve(text, 0, len(text), datetime.date(2024, 8, 31), ENGLISH)
    assert bool(found) is is_day
