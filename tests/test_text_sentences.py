"""Sentence boundaries: what a person would say, and properties on any text."""

from __future__ import annotations

import json
import textwrap
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.paragraphs import Span, unmarked
from rag.text.sentences import split

BBC = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "bbc.jsonl"

PIECES = st.sampled_from([
    "He left", ". ", "! ", "?", "...", '"', "”", "“", " (", ")", "U.S. ", "Gen. ", "\n", "\n\n",
    " ", "tax. Mr", "[5]", ":12", "1. ", "iPod",
    "。", "！", "中文", "؟ ", "مرحبا", "👨‍👩‍👧", "e\u0301", "\u00a0",
])  # fmt: skip
TEXTS = st.text() | st.lists(PIECES).map("".join)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Gen. Smith met Sen. Jones at 9 a.m. on Friday.", "The meeting ended at 5 p.m."],
        ["J. K. Rowling lives in the U.S.", "He does not.", "The U.S. Senate voted."],
        ["Lt. Gen. Herzi Halevi spoke.", "Col. A. Cohen agreed with Mr. Blair."],
        ["They live in St. Louis.", "It cost $3.5m.", "See p. 4 of it.", "Then No. 10 replied."],
        ["It was urgent to avoid this tax.", "Mr Boateng said more."],
        ["Sales rose last month.", "Analysts were surprised."],
        ["He works in New York.", "Rusedski won his game."],
        ["He thanked everyone at the BBC.", "It was late."],
        ['"We definitely need a win."', "England have now equalled a record."],
        ['"I don\'t think they will."', '"Only then will it work," he said.'],
        ["“Are you sure?” he asked.", "“Yes!” she said.", "They left."],
        ['"He said \'no.\'"', "Then he left.", "(It was late.)", "[He slept.]"],
        ["He starred in Who Wants to be a Millionaire? on Christmas Day.", "It was fun."],
        ["The duo Wham! split up in 1986.", "Sales rose.", "iPod owners bought more."],
        ["First comes this.", "2. Second item.", "3) Third item."],
        ["It is called string theory.:212–219", "He left.", "It ended.[5][6]", "It rained."],
        ["The claim is old.[citation needed]", "Some disagree."],
        ["They met in Washington, D.C.", "She left on Jan. 5 with approx. Five men."],
    ],
)  # fmt: skip
def test_splits_as_a_person_would(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a closing mark belongs to the sentence it closes, also without a space behind it
        (
            'We need to join hands."UK defence said.',
            ['We need to join hands."', "UK defence said."],
        ),
        (
            "They dial down the tension.He left again.",
            ["They dial down the tension.", "He left again."],
        ),
        (
            "Visit www.bbc.co.uk or Booking.com today.",
            ["Visit www.bbc.co.uk or Booking.com today."],
        ),
        (
            "首相は発表した。本当？「はい。」終わり",
            ["首相は発表した。", "本当？", "「はい。」", "終わり"],
        ),
        ("هل وصل؟ نعم وصل.", ["هل وصل؟", "نعم وصل."]),
        ("वह गया। वह आया।", ["वह गया।", "वह आया।"]),
        ("", []),
        (" \n\t\u00a0\n", []),
    ],
)
def test_splits_where_no_space_shows_it(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_heading_is_a_sentence_of_its_own() -> None:
    text = (
        "UK defence secretary in Tel Aviv\nLabour minister John Healey has flown out.\n\n"
        "Stance on Iran\n\nThe end"
    )
    assert sentences(text) == [
        "UK defence secretary in Tel Aviv",
        "Labour minister John Healey has flown out.",
        "Stance on Iran",
        "The end",
    ]


def test_a_line_that_begins_in_lower_case_goes_on_with_an_open_sentence() -> None:
    assert sentences("He went to\nthe market. He\n\nleft.") == [
        "He went to\nthe market.",
        "He",
        "left.",
    ]


def test_hard_wrapped_text_is_joined_even_before_a_capital() -> None:
    wrapped = [
        "A coalition is needed to combat the threats against Israel, Minister Yoav Gallant told "
        "his British counterpart John Healey.",
        "The two men discussed readiness at length, officials of the Ministry of Defence in "
        "Jerusalem said on Friday evening.",
        "The visit of John Healey ended on Saturday.",
    ]
    text = textwrap.fill(" ".join(wrapped), 72) + "\n\nStance on Iran\nNothing was said."
    assert "Minister\nYoav" in text
    *first, heading, last = sentences(text)
    assert [sentence.replace("\n", " ") for sentence in first] == wrapped
    assert [heading, last] == ["Stance on Iran", "Nothing was said."]


def test_short_lines_that_are_meant_stay_apart() -> None:
    text = (
        "Arsenal v Wolverhampton\nEverton v Sunderland\nNottm Forest v Peterborough\nHull v Leeds"
    )
    assert sentences(text) == text.split("\n")


@given(TEXTS)
@example(">")
def test_spans_are_ordered_trimmed_and_cover_all_but_white_space(text: str) -> None:
    spans = split(text)
    assert all(isinstance(span, Span) for span in spans)
    assert all(left.end <= right.start for left, right in pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    plain = unmarked(text)  # marks of quoted lines are layout
    covered = "".join(plain[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(plain.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern",
    ["x", "a word ", " ", "(", '"', 'a."', "a.[", "中文。", ". ", "Ab. ", "a\nb", "\n", "!?"],
)
def test_time_is_linear_in_the_length(pattern: str) -> None:
    # nupunkt alone takes minutes for 'a."' at this length
    text = pattern * (200_000 // len(pattern))
    start = time.perf_counter()
    spans = split(text)
    assert time.perf_counter() - start < 10
    assert "".join(text[s:e] for s, e in spans).count(pattern[0]) == (
        0 if pattern.isspace() else text.count(pattern[0])
    )


@pytest.mark.skipif(not BBC.exists(), reason=f"no BBC articles at {BBC}")
def test_no_sentence_of_real_news_begins_in_the_middle() -> None:
    wrong = []
    with BBC.open(encoding="utf-8") as lines:
        for line, _ in zip(lines, range(300), strict=False):
            text = json.loads(line)["text"]
            for start, end in split(text):
                if text[start] in ",;:)?!%" and text[start - 1 : start] not in ("", "\n"):
                    wrong.append(text[start - 40 : end])
    assert wrong == []
