"""Periods that a question names, read against the day it is asked."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.language import language
from rag.text.periods import find_periods, told_periods

ENGLISH = language("en")
ASKED = datetime.date(2025, 11, 20)  # a Thursday


@pytest.mark.parametrize(
    ("question", "first", "last", "strength"),
    [
        ("Which coin was minted for the last time this week?", "2025-11-12", "2025-11-20", "bound"),
        ("What did the mayor say yesterday?", "2025-11-18", "2025-11-20", "bound"),
        ("Who was elected on Tuesday?", "2025-11-18", "2025-11-18", "bound"),
        ("What did they do last month?", "2025-10-01", "2025-10-31", "bound"),
        ("Who resigned in the past three weeks?", "2025-10-30", "2025-11-20", "bound"),
        ("What was reported on 14 October 2025?", "2025-10-14", "2025-10-14", "event"),
        ("What happened on October 14?", "2025-10-14", "2025-10-14", "event"),
        ("What happened on 14 December?", "2024-12-14", "2024-12-14", "event"),
        ("What was built between 20 and 22 October 2025?", "2025-10-20", "2025-10-22", "event"),
        ("How did it go between 30 June and 2 July 2025?", "2025-06-30", "2025-07-02", "event"),
        ("What happened from October 19 to 24, 2025?", "2025-10-19", "2025-10-24", "event"),
        ("What has changed since 1 August 2025?", "2025-08-01", "2025-11-20", "event"),
        ("What companies left Russia in 2022?", "2022-01-01", "2022-12-31", "event"),
        ("Did it rise at the end of July 2025?", "2025-07-22", "2025-07-31", "event"),
        ("What was said in the first week of August 2025?", "2025-08-01", "2025-08-07", "event"),
        ("What was said in the last week of February 2024?", "2024-02-23", "2024-02-29", "event"),
        ("What was said in mid-September?", "2025-09-11", "2025-09-20", "event"),
        ("Who met in early December?", "2024-12-01", "2024-12-10", "event"),
        ("What did May say in May?", "2025-05-01", "2025-05-31", "event"),
        ("On July 4, 1776, who met in Philadelphia?", "1776-07-04", "1776-07-04", "event"),
        ("What did the mayor say today?", "2025-11-19", "2025-11-20", "bound"),
        ("What is the church called today?", "2025-10-21", "2025-11-20", "present"),
        ("Who recently won the cup?", "2025-10-21", "2025-11-20", "present"),
    ],
)
def test_periods(question: str, first: str, last: str, strength: str) -> None:
    (period,) = find_periods(question, ASKED, ENGLISH)
    assert (str(period.first), str(period.last), period.strength) == (first, last, strength)
    assert question[period.start : period.end] == period.text


@pytest.mark.parametrize(
    ("published", "sentence", "day"),
    [
        ("2025-08-01", "A tariff will begin on August 6.", "2025-08-06"),
        ("2025-08-01", "It was signed on July 4.", "2025-07-04"),
        ("2025-11-20", "It was signed on January 13.", "2025-01-13"),
        ("2025-12-20", "The law takes effect on Jan. 1.", "2026-01-01"),
        ("2025-12-20", "The law passed on Jan. 7.", "2025-01-07"),
        ("2026-01-05", "The law passed on Dec. 31.", "2025-12-31"),
        ("2026-03-01", "Voters elect it on Nov. 3.", "2026-11-03"),
        ("2024-02-29", "It began on Feb. 29.", "2024-02-29"),
    ],
)
def test_a_day_of_an_article_may_lie_ahead(published: str, sentence: str, day: str) -> None:
    told = told_periods(sentence, datetime.date.fromisoformat(published), ENGLISH)
    assert [str(period.first) for period in told if period.strength == "event"] == [day]


@pytest.mark.parametrize(
    "question",
    [
        "Which words were chosen as word of the year for 2025?",  # a premise, not a time of news
        "What did May say about the march?",
        "Who may run?",
        "What will happen if this may be true?",
        "What is news right now?",
        "What happened on 31 June?",
        "How many weeks does it last?",
    ],
)
def test_no_periods(question: str) -> None:
    assert find_periods(question, ASKED, ENGLISH) == []


@given(st.text(max_size=80), st.dates())
def test_any_text_on_any_day(text: str, asked_on: datetime.date) -> None:
    periods = find_periods(text, asked_on, ENGLISH)
    assert periods == sorted(periods, key=lambda period: period.start)
    for period in periods:
        assert text[period.start : period.end] == period.text
        assert period.first <= period.last
