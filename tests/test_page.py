"""What the page shows, as HTML: the pure functions, without a browser."""

from __future__ import annotations

import datetime
import hashlib
import html
import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Answer, AnswerStatus, Article, Hit
from rag.page import article, conditions, dossier, timeline, turn
from rag.page.markup import byline, day, headline, number, original, text, web_address
from rag.page.turn import Phase, Turn

DAY = datetime.date(2024, 3, 1)
EVIL = "<img src=x onerror='evil()'> & \"${1}\""
TEXT = "Rain fell. The bridge closes on Monday. Holm agreed."
ARTICLE = Article(
    article_id="a", title="Bridge", text=TEXT, published=DAY, source="Post", url="https://a.example/b"
)  # fmt: skip


def hit(**changes: Any) -> Hit:
    fields: dict[str, Any] = {
        "rank": 1, "score": 0.5, "scores": {"dense": 0.5, "sentence": 0.5, "lexical": 0.5},
        "article_id": "a", "title": "Bridge", "published": DAY, "source": "Post", "url": None,
        "path": None, "start": 0, "end": len(TEXT), "text": TEXT, "sentence_start": 11,
        "sentence_end": 39,
    }  # fmt: skip
    return Hit.model_validate(fields | changes)


def answer(support: str = "quoted", **changes: Any) -> Answer:
    citation = {
        "number": 1, "article_id": "a", "title": "Bridge", "published": DAY, "source": "Post",
        "url": None, "path": "a.txt", "start": 11, "end": 39, "quote": TEXT[11:39],
    }  # fmt: skip
    fields: dict[str, Any] = {
        "question": "When?", "searched": "When?", "text": f"{TEXT[11:39]} [1]",
        "sentences": [{"text": TEXT[11:39], "status": support, "citations": [1]}],
        "citations": [citation], "hits": [hit()], "status": "answered", "confidence": 0.9,
        "index": "news", "version": 3, "model": "fake", "timings": {},
    }  # fmt: skip
    return Answer.model_validate(fields | changes)


def shown(found: Answer, **changes: Any) -> str:
    fields: dict[str, Any] = {
        "number": 1, "question": found.question, "index": "news", "key": "ab", "conversation": "c",
    }  # fmt: skip
    return turn.show(Turn(**fields | {"phase": Phase.DONE, "answer": found} | changes))


# Markup


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c", True),
        (" http://example.org ", True),
        ("javascript:alert(1)", False),
        ("JavaScript:alert(1)//https://x", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ("http://[::1", False),
        ("ftp://example.org", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, safe: bool) -> None:
    assert (web_address(url) is not None) is safe
    assert ("<a" in original(url)) is safe


@given(st.text())
def test_any_text_comes_back_from_html(value: str) -> None:
    assert html.unescape(text(value)) == value
    assert not set(text(value)) & set("<>\"'")


def test_small_words() -> None:
    assert [number(1, "article"), number(2269, "article")] == ["1 article", "2,269 articles"]
    assert day(DAY) == '<time datetime="2024-03-01">1 March 2024</time>'
    assert byline(None, None) == '<span class="undated">no date</span>'
    assert byline(DAY, "A & B", "Eva").startswith("A &amp; B · <time")


# A turn


@pytest.mark.parametrize(
    ("status", "words"),
    [("quoted", "quoted"), ("supported", "supported"), ("partly", "partly supported")],
)
def test_the_status_of_a_sentence_is_visible(status: str, words: str) -> None:
    made = shown(answer(status))
    assert f'<span class="sentence {status}">' in made
    assert f">{words}</span>" in made


def test_a_citation_carries_its_place() -> None:
    made = shown(answer())
    attribute = made.partition('class="cite" data-place="')[2].partition('"')[0]
    place = article.Place.model_validate_json(html.unescape(attribute))
    assert (place.index, place.article_id, place.start, place.end) == ("news", "a", 11, 39)
    assert place.quote == TEXT[11:39]


def test_texts_of_strangers_are_escaped_everywhere() -> None:
    strange = hit(title=EVIL, source=EVIL, text=EVIL * 3, article_id=EVIL)
    found = answer(hits=[strange], text=EVIL, question=EVIL, searched=EVIL + "?")
    made = shown(found) + shown(found, phase=Phase.WRITING, answer=None, draft=EVIL, hits=[strange])
    assert "<img" not in made
    assert html.escape(EVIL) in made


def test_no_answer_is_a_result_with_the_nearest_passages() -> None:
    nothing = {"status": AnswerStatus.NO_ANSWER, "text": "The articles do not say."}
    closest = answer().citations
    found = answer().model_copy(
        update={**nothing, "citations": (), "sentences": (), "closest": closest}
    )
    made = shown(found)
    assert "The articles do not say." in made
    assert '<strong class="trust">Only the closest passages.</strong>' in made
    assert "<h3>Closest passages; none of them is an answer</h3>" in made
    assert made.count(f">{html.escape(closest[0].quote)}</q>") == 1
    assert 'class="hit"' in made
    assert "alert" not in made


def test_a_name_that_was_misspelt_is_said() -> None:
    from rag import Correction

    found = answer(searched="Did Healey?", corrections=(Correction(written="Hee", meant="<b>"),))
    made = shown(found)
    assert "Did you mean “&lt;b&gt;” by “Hee”? Searched for: Did Healey?" in made
    assert 'data-again="{&quot;turn&quot;:1,&quot;as_written&quot;:true}">No, search it' in made


def test_what_was_searched_is_said_if_it_is_another_question() -> None:
    assert "Searched for" not in shown(answer())
    assert "Searched for: When does it close?" in shown(answer(searched="When does it close?"))


def test_reprints_are_named_as_the_same_text() -> None:
    other = {
        "article_id": "b", "title": "Copy", "published": None, "source": "Echo", "url": None,
        "path": None, "start": 0, "end": 9, "relation": "reprint",
    }  # fmt: skip
    made = shown(answer(hits=[hit(also_in=[other])]))
    assert "Also in: <button" in made
    assert ">Echo</button>" in made


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.SEARCHING, Phase.READING, Phase.WRITING])
def test_a_running_turn_is_marked_busy(phase: Phase) -> None:
    made = turn.show(Turn(number=1, question="When?", index="news", phase=phase))
    assert 'aria-busy="true"' in made
    assert 'role="status"' in made


def test_an_error_has_the_command_that_mends_it() -> None:
    made = turn.show(
        Turn(1, "When?", "news", Phase.FAILED, problem="<gone>", mend="rag build news")
    )
    assert "<p>&lt;gone&gt;</p>" in made
    assert "<code>rag build news</code>" in made


def test_a_hash_is_no_headline() -> None:
    untitled = ARTICLE.model_copy(update={"title": "", "article_id": "9f86d081884c7d659a2f"})
    assert headline(untitled) == "Rain fell. The bridge closes on Monday. Holm agreed."
    long = ARTICLE.model_copy(update={"title": "", "text": "The old harbour bridge, " * 9})
    assert headline(long) == "The old harbour bridge, The old harbour bridge, The old …"


# An article


def place(**changes: Any) -> article.Place:
    fields = {"index": "news", "article_id": "a", "start": 11, "end": 39, "quote": TEXT[11:39]}
    return article.Place.model_validate(fields | changes)


def test_the_cited_span_stands_in_its_context() -> None:
    made = article.cited(ARTICLE, place())
    mark = '<mark id="cited" tabindex="-1">The bridge closes on Monday.</mark>'
    assert f"Rain fell. {mark} Holm agreed." in made
    assert 'href="https://a.example/b"' in made


def test_a_quote_that_moved_is_found_and_one_that_is_gone_is_said() -> None:
    moved = article.cited(ARTICLE, place(start=0, end=28))
    assert "Rain fell. <mark" in moved
    gone = article.cited(ARTICLE, place(quote="It never closes."))
    assert "<mark" not in gone
    assert "this passage is gone" in gone
    assert "no longer holds" in article.cited(None, place())


# The timeline


@pytest.mark.slow
@given(st.dictionaries(st.dates(), st.integers(1, 9), min_size=1, max_size=8))
def test_every_article_is_in_exactly_one_bar(days: dict[datetime.date, int]) -> None:
    bars = timeline.buckets(days, list(days))
    assert sum(bar.n_articles for bar in bars) == sum(days.values())
    assert sum(bar.n_hits for bar in bars) == len(days)
    assert all(bar.first <= bar.last for bar in bars)
    assert all(a.last + datetime.timedelta(days=1) == b.first for a, b in itertools.pairwise(bars))


@pytest.mark.parametrize(
    ("last", "n_bars", "length"),
    [("2024-03-10", 10, 1), ("2024-06-10", 16, 7), ("2025-03-01", 13, 31), ("2033-01-01", 10, 366)],
)
def test_bars_are_days_weeks_months_or_years(last: str, n_bars: int, length: int) -> None:
    bars = timeline.buckets({DAY: 1, datetime.date.fromisoformat(last): 1})
    assert len(bars) == n_bars
    assert (bars[0].last - bars[0].first).days + 1 == length


def test_chosen_days_are_pressed() -> None:
    bars = timeline.buckets({DAY: 2, DAY + datetime.timedelta(days=2): 1})
    made = timeline.show(bars, 1, DAY, DAY)
    assert made.count('aria-pressed="true"') == 1
    assert 'aria-label="1 March 2024: 2 articles"' in made
    assert "1 article without a date" in made
    assert 'class="clear"' in made
    assert 'class="clear"' not in timeline.show(bars, 1)


# The dossier


def test_the_dossier_can_be_recomputed() -> None:
    made = json.loads(dossier.as_json(answer(), [ARTICLE], "ab"))
    (kept,) = made["articles"]
    assert kept["text"][11:39] == made["citations"][0]["quote"]
    assert kept["text_sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert made["index"] == {"name": "news", "version": 3, "seal": "ab"}


def test_the_dossier_marks_overlapping_quotes_once() -> None:
    first = answer().citations[0]
    second = first.model_copy(update={"number": 2, "start": 22, "end": 52, "quote": TEXT[22:52]})
    both = answer().model_copy(update={"citations": (first, second)})
    made = dossier.as_html(both, [ARTICLE], "ab")
    body = made.partition('<div class="text">')[2].partition("</div>")[0]
    plain = body.replace("<sup>1</sup>", "").replace("<sup>2</sup>", "")
    for tag in ('<mark id="quote-1">', '<mark id="quote-2">', "</mark>"):
        plain = plain.replace(tag, "")
    assert plain == TEXT


def test_the_dossier_holds_no_markup_of_strangers() -> None:
    strange = ARTICLE.model_copy(update={"text": EVIL, "title": EVIL})
    found = answer().model_copy(update={"text": EVIL, "question": EVIL})
    assert "<img" not in dossier.as_html(found, [strange], "ab")


@given(st.text(alphabet="`ab\n"))
def test_markdown_fences_hold_any_text(value: str) -> None:
    fence, rest = dossier.fenced(value).split("text\n", 1)
    assert rest == f"{value}\n{fence}"
    assert fence not in value


# What the next question is narrowed to


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2025-08-01", "2025-08-31", "1 August – 31 August 2025"),
        ("2024-12-30", "2025-01-02", "30 December 2024 – 2 January 2025"),
        ("2025-08-01", "2025-08-01", "1 August 2025"),
        ("2025-08-01", None, "since 1 August 2025"),
        (None, "2025-08-31 00:00:00", "until 31 August 2025"),
        (EVIL, None, f"since {EVIL}"),
    ],
)
def test_the_days_in_force_are_told(since: str | None, until: str | None, words: str) -> None:
    told = conditions.active(since, until, [], False)
    assert f">{text(words)}<button" in told
    assert EVIL not in told


def test_each_part_of_the_filter_can_be_taken_away() -> None:
    assert conditions.active(None, "", [], True) == ""  # without days it leaves nothing out
    told = conditions.active("2025-08-01", None, ["Post", EVIL], True)
    taken = [
        conditions.Taken.model_validate_json(html.unescape(one))
        for one in re.findall(r'data-taken="([^"]+)"', told)
    ]
    assert [(one.part, one.source) for one in taken] == [
        ("days", ""), ("undated", ""), ("source", "Post"), ("source", EVIL), ("all", ""),
    ]  # fmt: skip
