"""Paragraphs: what line ends mean, at any width; quotations, quoted lines."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rag.answering.answer import Answer
from rag.engine import Rag
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from rag.text.paragraphs import Paragraphs, unmarked, unwrapped
from rag.text.sentences import split
from tests.support import build, open_index, write_articles

WIDTHS = [30, 40, 60, 72, 100, 130]
ARTICLE = [
    "Israeli officials of the well-known Ministry of Defence said on Friday that a coalition of"
    " armed forces is needed, Minister Yoav Gallant told his British counterpart John Healey.",
    "Healey arrived in Jerusalem after visiting Beirut and Doha with Foreign Secretary David"
    " Lammy, who was there last week. Lena Holm said: “We are full every morning. The ferry to"
    " Osterby needs a second deck by the end of the summer. Nobody wants to wait for it.” The"
    " ferry did not raise its fares in 2023.",
    "Stance on Iran",
    "“The Secretary expressed his appreciation for the co-operation of both countries in April,"
    " and for the state-of-the-art defence of Tel Aviv. Nothing else was said.",
    "“The visit ended on Saturday evening.” Its costs of 4.2 million crowns were paid by the"
    " Ministry of Foreign Affairs, according to the Osterby Post.",
]


def wrapped(paragraphs: list[str], width: int, *, gap: str = "\n", marks: str = "") -> str:
    text = gap.join(textwrap.fill(paragraph, width) for paragraph in paragraphs)
    return "\n".join((marks + line).rstrip() for line in text.split("\n"))


def sentences(text: str) -> list[str]:
    return [unwrapped(text[start:end]) for start, end in split(text)]


def middles(text: str) -> list[str]:
    """The sentences that begin inside a quotation."""
    paragraphs = Paragraphs(text)
    return [unwrapped(text[start:end]) for start, end in split(text) if paragraphs.quotation(start)]


@pytest.mark.parametrize("marks", ["", "> ", "> > "])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_wrapped_article_has_the_same_sentences_and_quotations(
    width: int, gap: str, marks: str
) -> None:
    text = wrapped(ARTICLE, width, gap=gap, marks=marks)
    assert sentences(text) == sentences("\n".join(ARTICLE))
    assert middles(text) == middles("\n".join(ARTICLE))
    assert len(middles(text)) == 3


WORDS = st.sampled_from([
    *("the", "a", "of", "in", "ferry", "harbour", "Osterby", "Holm", "bridge", "nine", "weeks"),
    *("4.2", "million", "well-known", "said", "that", "mayor", "closes", "Friday", "(again)"),
    *("crews,", "union;", "demands", "strike", "however"),
])  # fmt: skip
SENTENCES = st.tuples(
    st.sampled_from(["The", "Lena", "On", "“We", "In"]),
    st.lists(WORDS, min_size=6, max_size=40),
    st.sampled_from(["it.", "him.”", "Osterby?", "2023."]),
).map(lambda parts: " ".join([parts[0], *parts[1], parts[2]]))
ARTICLES = st.lists(st.lists(SENTENCES, min_size=1, max_size=5).map(" ".join), min_size=2)


@given(ARTICLES, st.integers(30, 140), st.sampled_from(["\n", "\n\n"]), st.booleans())
@settings(max_examples=50, deadline=None)
def test_any_width_gives_the_same_sentences(
    article: list[str], width: int, gap: str, quoted: bool
) -> None:
    text = wrapped(article, width, gap=gap, marks="> " if quoted else "")
    within = [
        (line, following)
        for paragraph in article
        for line, following in zip(
            textwrap.wrap(paragraph, width), textwrap.wrap(paragraph, width)[1:], strict=False
        )
        if not line.endswith((".", "?", "”")) and following[0].islower()
    ]
    assume(len(within) >= 4)  # fewer tell nothing
    assert sentences(text) == sentences("\n\n".join(article))


@pytest.mark.parametrize("width", [40, 72])
@pytest.mark.parametrize("marks", ["", "> "])
def test_a_wrapped_article_gives_the_same_answers(tmp_path: Path, width: int, marks: str) -> None:
    plain = "\n".join(ARTICLE)
    texts = {"plain": plain, "wrapped": wrapped(ARTICLE, width, marks=marks)}
    found: dict[str, list[Answer]] = {}
    for name, text in texts.items():
        row = {"id": "a", "title": "Healey in Israel", "published": "2024-08-02", "text": text}
        index_dir = write_articles(tmp_path / name, [row])
        build(index_dir)
        with open_index(index_dir) as index:
            found[name] = [
                Rag(index, FakeEmbedder(), FakeLLM(script), Settings(min_evidence=0)).ask(question)
                for question, script in (
                    ("What does the ferry need by the summer?", []),
                    ("What does the ferry need?", ["The ferry needs a second deck by summer."]),
                    ("Did the fares rise?", ["The ferry raised its fares in 2023."]),
                    ("What is needed?", ["A coalition of armed forces is needed."]),
                    ("Who paid?", ["The well-known Ministry of Foreign Affairs paid the costs."]),
                )
            ]
            for answer in found[name]:
                for citation in answer.citations:
                    assert citation.quote == text[citation.start : citation.end]
    for one, other in zip(found["plain"], found["wrapped"], strict=True):
        assert (one.text, one.status) == (other.text, other.status)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-6)
        quotes = [unwrapped(citation.quote) for citation in other.citations]
        assert [unwrapped(citation.quote) for citation in one.citations] == quotes


@pytest.mark.parametrize(
    "text",
    [
        "Arsenal v Wolverhampton\nEverton v Sunderland\nNottm Forest v Peterborough\nHull v Leeds",
        "Roses are red and violets are blue\nSugar is sweet, they say it of you\nNobody knows",
        "One line of a list that is long\nAnother line of it that is long\nOne more that is long",
        "首相は発表した\n本当かもしれない\n終わりではない",
    ],
)
def test_lines_that_are_meant_stay_apart(text: str) -> None:
    assert sentences(text) == text.split("\n")


def test_a_line_that_is_too_long_was_not_wrapped_with_the_others() -> None:
    heading = "A heading of the page that was put there by somebody else and is far too long for it"
    text = heading + "\n" + wrapped(ARTICLE[:2], 40)
    assert sentences(text) == [heading, *sentences("\n".join(ARTICLE[:2]))]


def test_quoted_lines_of_a_text_are_a_quotation() -> None:
    text = (
        "Healey answered the letter.\n\n"
        + wrapped(["The ferry needs a second deck. Nobody wants to wait."], 40, marks="> ")
        + "\n\nHe signed it himself."
    )
    paragraphs = Paragraphs(text)
    assert middles(text) == ["The ferry needs a second deck.", "Nobody wants to wait."]
    quotation = paragraphs.quotation(text.index("Nobody"))
    assert quotation == paragraphs.blocks[0]
    assert text[quotation.start] == ">"
    assert text[: quotation.end].endswith("wait.")


def test_bullets_are_no_quotation() -> None:
    text = "The figures:\n> Jobs: 124,700\n> Workforce: 155,261\n> Rate: 6.4%"
    assert sentences(text) == ["The figures:", "Jobs: 124,700", "Workforce: 155,261", "Rate: 6.4%"]
    assert middles(text) == []


@pytest.mark.parametrize(
    ("piece", "line"),
    [
        ("the well-\nknown ferry", "the well-known ferry"),
        ("end-\nto-end", "end-to-end"),
        ("pre-\nand post-war", "pre- and post-war"),
        ("a B-\non it", "a B- on it"),
        ("on\n> > Friday  night", "on Friday night"),
        ("5 > 4, and\n>quoted", "5 > 4, and >quoted"),
        ("首相は\n発表", "首相は発表"),
    ],
)
def test_unwrapped(piece: str, line: str) -> None:
    assert unwrapped(piece) == line


@given(st.lists(st.sampled_from(["> ", ">", "\n", "a b.", "“", "”", " "])).map("".join))
def test_offsets_stay_as_they_are(text: str) -> None:
    paragraphs = Paragraphs(text)
    assert len(paragraphs.plain) == len(unmarked(text)) == len(text)
    for span in paragraphs.spans:
        assert paragraphs.around(span.start) == paragraphs.around(span.end - 1) == span
        assert text[span.start : span.end].strip() == text[span.start : span.end] != ""


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("„Wir sind voll. Alle warten“, sagte er.", ["Alle warten“, sagte er."]),
        ('He said: "We are full. All wait." He left.', ['All wait."']),
        ("“One opens. “Another opens. It closes.” Done it is.", ["It closes.”"]),
        ("“Never closed. It goes on.\nThe next paragraph.", ["It goes on."]),
    ],
)
def test_the_middle_of_a_quotation(text: str, quoted: list[str]) -> None:
    assert middles(text) == quoted
