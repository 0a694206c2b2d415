"""Cleaning: debris goes and is reported, what an article says stays, clean text is untouched."""

from __future__ import annotations

import datetime
import time
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.article import Article
from rag.cleaning import CleanedArticle, clean
from rag.readers import read_sources
from tests.support import as_articles

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
BODY = "The minister said on Friday that the talks would go on.\n\nNobody answered him at first."

LINES = st.sampled_from([
    BODY, "Advertisement", "×", "Email:", "", " ", "Home", "News", "Sport", "comments", "&amp; so",
    "A caption of the photo in Kyiv (photo credit: AP)", "A caption of the photo in Kyiv",
    "\u200bzero\u00adwidth", "e\u200b\u0301", "<p>a</p>", "date 2024-08-02 On", "The Times",
    "\x93a\x94",
])  # fmt: skip
TEXTS = st.text() | st.lists(LINES, max_size=20).map("\n".join)


def cleaned(text: str, **fields: Any) -> CleanedArticle:
    return clean(Article(article_id="a", text=text, **fields))


def left(text: str) -> str:
    return cleaned(text).article.text


def reasons(text: str) -> list[str]:
    return [piece.reason for piece in cleaned(text).removed]


@given(TEXTS.map(lambda text: unicodedata.normalize("NFC", text)))
def test_kept_and_removed_pieces_make_up_the_text_as_read(text: str) -> None:
    result = cleaned(text)
    assert all(one.end <= two.start for one, two in pairwise(result.removed))
    expected, last = "", 0
    for piece in result.removed:
        assert text[piece.start : piece.end] == piece.text != ""
        expected += text[last : piece.start] + piece.replacement
        last = piece.end
    assert result.article.text == expected + text[last:]
    assert unicodedata.is_normalized("NFC", result.article.text)
    for offset, character in enumerate(text):
        moved = result.to_cleaned(offset)
        removed = any(piece.start <= offset < piece.end for piece in result.removed)
        assert (moved is None) == removed
        assert moved is None or result.article.text[moved] == character


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        "  leading and trailing space stay  \n\n\n",
        "In the list:\n- Home\n- Facebook\n- password",
        "Home\n\nThe town is home to many. It was his.",
        "The rules say:\n(a) one must ask;\n(b) one must wait;\n(c) one must pay the fee.",
        "Image: President Zelenskyy speaks in Kyiv",
        "Join us on Saturday for the march.\n\nComments on the plan are due in May.",
        "Share prices fell.\n\nCopyright law was changed in 2004, lawyers said. Read more books!",
        "Credit: it is hard to get. Banks lend less.",
        "He said (in a photo: see below) that it was so.",
        "Advertisement revenue rose.\n\nAdvertisements were banned by the court on Friday.",
        "Cookies are small files that we use, he said.",
        "A list <b> of tags; a & b; AT&T; 3 < 4; &lt; is written so.",
        "नमस्ते क्\u200dष 👨\u200d👩\u200d👧 نمی\u200cدانم",
        "Goal!\nGoal!\nGoal!",
        "Tuesday, 1 March\n2000 GMT\nEwood Park",
    ],
)
def test_clean_text_comes_back_identical(text: str) -> None:
    assert cleaned(text).removed == ()
    assert left(text) == text


@pytest.mark.parametrize(
    "debris",
    [
        "Advertisement",
        "ADVERTISEMENT",
        "Advertisement - scroll to continue",
        "Share this article",
        "Share on Facebook",
        "Facebook | Twitter | WhatsApp | Email",
        "Follow us on Twitter and Instagram",
        "Sign up for our free daily newsletter",
        "Read more: Talks go on",
        "Loading…",
        "Loading...",
        "Skip to main content",
        "Copyright © 2024 The Post Ltd. All rights reserved.",
        "© 2024 The Post",
        "All rights reserved",
        "We use cookies to improve your experience. Learn more.",
        "By continuing to browse you accept our use of cookies.",
        "Please enable JavaScript to view this page",
        "comments",
        "12 comments",
        "5 min read",
        "Getty Images",
        "Photo: Jane Doe/AFP",
        "(photo credit: JANE DOE/REUTERS)",
        "Photo by Jane Doe / Getty Images",
        "×",
        "•",
        "Email:",
        "menu-control",
        "nav_toggle",
        "Home\nNews\nSport\nBusiness",
        "Menu\nSign in",
        "\u200bAdvertisement\u200b",
    ],
)
def test_debris_goes_wherever_it_stands(debris: str) -> None:
    first, second = BODY.split("\n\n")
    assert left(f"{debris}\n\n{BODY}") == BODY
    assert left(f"{first}\n\n{debris}\n\n{second}") == BODY
    assert left(f"{first}\n{debris}\n\n{second}") == BODY
    assert left(f"{BODY}\n\n{debris}\n") == BODY


def test_a_credit_and_a_second_copy_of_a_caption_go_the_caption_stays() -> None:
    caption = "The president (L) meets the secretary (R) in Kyiv"
    text = (
        f" {caption} (photo credit: Presidency/Handout via Getty Images)\n{caption}\n"
        f"(photo credit: Presidency/Handout via Getty Images)\n\n{BODY}"
    )
    assert left(text) == f" {caption}\n\n{BODY}"
    assert reasons(text) == ["photo credit", "repeated line", "photo credit"]


def test_invisible_characters_entities_and_tags() -> None:
    assert left("a\u200bb\u00adc\ufeff d\u202ee\x07") == "abc de"
    assert (
        left("AT&amp;T&nbsp;said caf&#233; &rsquo; &lt;b&gt;") == "AT&T\u00a0said café ’ &lt;b&gt;"
    )
    assert left("\x93Stop,\x94 he said \x96 twice") == "“Stop,” he said – twice"
    assert left("<p>One <b>two</b></p><p>Three<br/>four</p>").split() == [
        "One",
        "two",
        "Three",
        "four",
    ]
    assert left("The <p> tag") == "The <p> tag"
    # the accent would join the letter, and offsets would no longer be those of NFC
    assert left("e\u200b\u0301") == "e\u200b\u0301"


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (" date 2024-08-02 ", ""),
        ("Published 2 August 2024\n\n", ""),
        ("Published on: Friday, August 2, 2024 at 10:15 AM\n", ""),
        ("Posted on 2nd August 2024, 10:15 GMT\n\n", ""),
        ("Aug 2, 2024, 10:15 AM\n\n", "Aug 2, 2024, 10:15 AM\n\n"),  # may be part of what is said
    ],
)
def test_the_day_that_the_head_states(head: str, kept: str) -> None:
    result = cleaned(head + BODY)
    assert result.article.published == datetime.date(2024, 8, 2)
    assert result.article.text == kept + BODY


@pytest.mark.parametrize(
    "head",
    [
        "date 2024-13-45 ",
        "Updated 2 August 2024\n\n",
        "On 2 August 2024 it began.\n\n",
        "Date 2024-08-02 was fine. ",
        "2 August\n\n",
    ],
)
def test_what_states_no_day_of_publication_stays(head: str) -> None:
    result = cleaned(head + BODY)
    assert result.article.published is None
    assert result.article.text == head + BODY


def test_a_given_day_and_source_win() -> None:
    text = "The Guardian\nPublished 2 August 2024\n" + BODY
    result = cleaned(text, published=datetime.date(2024, 8, 1), source="The Post")
    assert result.article.published == datetime.date(2024, 8, 1)
    assert result.article.source == "The Post"
    assert result.article.text == text


@pytest.mark.parametrize(
    ("head", "source", "author", "kept"),
    [
        ("The Jerusalem Post\n\n", "The Jerusalem Post", None, False),
        ("the guardian\n", "The Guardian", None, False),
        ("The Osterby Evening Gazette\n", "The Osterby Evening Gazette", None, False),
        ("By Ann Lee | BBC News\n\n", "BBC News", "Ann Lee", True),
        ("LONDON, Aug 2 (Reuters) - ", "Reuters", None, True),
        ("The New Order\n\n", None, None, True),
        ("By Ann Lee, Minister of Health\n\n", None, None, True),
    ],
)
def test_the_source_where_it_can_be_told(
    head: str, source: str | None, author: str | None, kept: bool
) -> None:
    result = cleaned(head + BODY)
    assert (result.article.source, result.article.author) == (source, author)
    assert result.article.text == (head if kept else "") + BODY


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"Talks on the treaty go on\n\n{BODY}", "Talks on the treaty go on"),
        (f"Menu\nSign in\n\n  Will the talks go on?  \n{BODY}", "Will the talks go on?"),
        (f"'We will  talk,' he says\nStandfirst\nMore.\n{BODY}", "'We will talk,' he says"),
        (f"Aug 2, 2024\nTalks on it go on\n\n{BODY}", "Talks on it go on"),
        (f"By Ann Lee | BBC News\n\n{BODY}", ""),
        (BODY, ""),  # a sentence
        ("Talks on the treaty go on", ""),  # nothing follows
        (f"Exclusive\n\n{BODY}", ""),  # no headline, a label
        ("The minister said on Friday that\nthe talks would go on.\n\nAll left.", ""),  # wrapped
        (f"The new rules:\n\n{BODY}", ""),
    ],
)  # fmt: skip
def test_a_headline_becomes_the_title_and_stays_in_the_text(text: str, title: str) -> None:
    result = cleaned(text)
    assert result.article.title == title
    assert title in " ".join(result.article.text.split())


def test_a_given_title_wins() -> None:
    assert cleaned(f"Talks on it go on\n\n{BODY}", title="Given").article.title == "Given"


def test_a_text_of_debris_alone_ends_empty() -> None:
    assert left("Advertisement\n\n×\n") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern",
    [
        " ",
        "(",
        "x",
        "\n",
        "<p ",
        "<p>a</p>",
        "&",
        "\u200b",
        "Advertisement\n\n",
        "x \n\n",
        "a (credit: ",
    ],
)
def test_time_is_linear_in_the_length(pattern: str) -> None:
    start = time.perf_counter()
    cleaned(pattern * (200_000 // len(pattern)))
    assert time.perf_counter() - start < 10


def seeds() -> dict[str, CleanedArticle]:
    found = as_articles(read_sources(["."], ROOT / "seeds"))
    return {article.article_id: clean(article) for article in found}


def test_seeds_lose_their_debris_and_nothing_else() -> None:
    first, second, third = seeds().values()
    assert [piece.text for piece in first.removed] == [" date 2024-08-02 "]
    assert first.article.published == datetime.date(2024, 8, 2)
    assert first.article.title == ""
    assert [piece.text for piece in second.removed] == ["\ncomments"]
    assert second.article.title == (
        "UK defence secretary in Tel Aviv for meeting with Israeli counterpart Gallant"
    )
    assert third.article.source == "The Jerusalem Post"
    assert third.article.title == (
        "US, UK stress commitment to Israel's security, desire for ceasefire"
    )
    assert [(piece.text.strip()[:20], piece.reason) for piece in third.removed] == [
        ("menu-control", "user interface"),
        ("The Jerusalem Post", "name of the site"),
        ("(photo credit: Presi", "photo credit"),
        ("President of Ukraine", "repeated line"),
        ("(photo credit: Presi", "photo credit"),
        ("Advertisement", "user interface"),
        ("(credit: Chaim Goldb", "photo credit"),
        ("View of a Hezbollah ", "repeated line"),
        ("×", "symbol"),
        ("Email:", "user interface"),
        ("×", "symbol"),
        ("Email:", "user interface"),
    ]
    text = third.article.text
    assert text.count("David Lammy (R) in Kyiv\n\n") == 1
    assert text.count("with Lebanon. August 10, 2023\n\n") == 1
    assert "\n\nStance on Iran\n\n" in text
    assert text.endswith("the Houthis, and others.")


@pytest.mark.parametrize("name", ["eval/wiki/articles.jsonl", "corpora/bbc.jsonl"])
def test_clean_collections_keep_their_text(name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"no {name} at {SHARED}")
    for article in read_sources([name], SHARED):
        assert isinstance(article, Article)
        result = clean(article)
        # the only debris in them: 34 letters written as "&#233;"
        assert {piece.reason for piece in result.removed} <= {"HTML entity"}
        assert all(piece.text.startswith("&#") for piece in result.removed)
        assert result.article.model_copy(update={"text": article.text}) == article


def test_headers_and_footers_of_pages_go_and_are_listed() -> None:
    pages = [
        f"Osterby Post, {n} March\nPage {n} says {word} things.\npage {n}\n"
        for n, word in enumerate(("one", "other", "third", "last"), 1)
    ]
    starts = tuple(sum(map(len, pages[:n])) for n in range(4))
    found = clean(Article(article_id="p", text="".join(pages).strip(), pages=starts))
    assert found.article.text == (
        "Page 1 says one things.\nPage 2 says other things.\nPage 3 says third things.\n"
        "Page 4 says last things."
    )
    assert {piece.reason for piece in found.removed} == {"page header or footer"}
    where = [found.article.page_at(found.article.text.index(f"Page {n}")) for n in (1, 2, 3, 4)]
    assert where == [1, 2, 3, 4]


def test_ligatures_are_letters() -> None:
    found = clean(Article(article_id="p", text="The ﬁrst oﬃce was ﬂooded."))
    assert found.article.text == "The first office was flooded."
    assert [(piece.text, piece.replacement) for piece in found.removed] == [
        ("ﬁ", "fi"),
        ("ﬃ", "ffi"),
        ("ﬂ", "fl"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Log in or create an account to continue",
        "Subscribe now to read the full story.",
        "This article is for subscribers only.",
        "Like this story? Share it with a friend!",
        "Reporting by Ann Lee; editing by Bo Ek",
        "Article content",
        "Lesen Sie auch:",
    ],
)
def test_more_lines_that_are_no_article(line: str) -> None:
    text = f"The harbour bridge closes on Monday.\n\n{line}\n\nIt opens again in May."
    assert clean(Article(article_id="p", text=text)).article.text == (
        "The harbour bridge closes on Monday.\n\nIt opens again in May."
    )


def test_where_a_day_was_found_in_the_text_is_told() -> None:
    text = "Harbour bridge to close\n1 March 2024\nThe bridge closes on Monday. It opens in May."
    article = clean(Article(article_id="p", text=text)).article
    assert article.metadata == {"published_from": "first lines of the text"}
