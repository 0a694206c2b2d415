"""The library as HTML: the table, what was skipped, the bar of a build."""

from __future__ import annotations

import datetime
import html
from pathlib import Path

import pytest

from rag import BuildProgress, EnginePool, Rag, Settings
from rag.page import library
from rag.page.engines import Engines, Overview, Row
from rag.testing import FakeEmbedder, open_with
from tests.support import ARTICLES, build, write_articles
from tests.test_page import DAY, EVIL

OVERVIEW = Overview(
    "news",
    1,
    tuple(
        Row(str(n), f"Title {n:03}", DAY + datetime.timedelta(days=n), f"Source {n % 2}")
        for n in range(120)
    ),
    {str(n): n % 3 for n in range(120)},
)


def test_the_table_finds_sorts_and_turns_pages() -> None:
    found = library.matching(OVERVIEW, library.View(query="source 2024-03-0"))
    assert [row.article_id for row in found] == list("876543210")
    up = library.View(sort="title", descending=False, page=2)
    made = library.table(OVERVIEW, up)
    assert made.count("<tr>") == 1 + 20
    assert "Page 3 of 3" in made
    assert 'aria-sort="ascending" class="title"' in made
    assert "No article holds these words" in library.table(OVERVIEW, library.View(query="zzz"))


def test_the_state_tells_what_was_removed_and_what_is_the_same() -> None:
    rows = (
        Row("a", "One", DAY, "Post", 1),
        Row("b", "Two", DAY, "Echo", 1),
        Row("c", "Three", DAY, "X"),
    )
    found = Overview("news", 1, rows, {"a": 0, "b": 2, "c": 0})
    made = library.table(found, library.View(sort="state"))
    assert '<td class="state">as found, same text as 1 other</td>' in made
    assert '<td class="state">2 pieces removed, same text as 1 other</td>' in made
    assert '<td class="state">as found</td>' in made
    assert [row.article_id for row in library.matching(found, library.View(sort="state"))] == [
        "b", "a", "c",
    ]  # fmt: skip


class Skipped:
    path, line, reason = "news.jsonl", 3, "no text"


def test_a_long_list_of_what_was_skipped_is_closed_and_cut() -> None:
    short = library.skipped([Skipped()] * 2)
    assert '<details class="skipped" open>' in short
    assert "news.jsonl, line 3" in short
    long = library.skipped([Skipped()] * 1234)
    assert "1,234 inputs skipped" in long
    assert "open" not in long
    assert long.count("<li>") == library.MAX_SKIPPED + 1
    assert "1,034 more" in long


@pytest.mark.parametrize(
    ("phase", "n_done", "n_expected", "value"),
    [
        ("read", 0, 100, ' value="0.000"'),
        ("embed", 50, 100, ' value="0.450"'),
        ("embed", 300, 100, ' value="0.900"'),
        ("embed", 50, None, ""),
        ("publish", 100, 100, ' value="0.950"'),
    ],
)
def test_the_bar_of_a_build(phase: str, n_done: int, n_expected: int | None, value: str) -> None:
    made = library.progress(
        BuildProgress(index="news", phase=phase, n_done=n_done, n_expected=n_expected, note=EVIL)
    )
    assert f"<progress{value}" in made
    assert ("value" in made) is bool(value)
    assert f"{n_done} articles" in made
    assert html.escape(EVIL) in made


def test_examples_come_from_the_newest_article_of_each_source() -> None:
    assert OVERVIEW.examples == []  # titles of two words say too little
    rows = (
        Row("a", "Bridge closes on Monday", DAY, "Post"),
        Row("b", "Ferry crews may strike", DAY.replace(day=2), "Post"),
        Row("c", "Museum finds lost painting", None, "News"),
    )
    assert Overview("news", 1, rows, {}).examples == [
        "What is known about “Ferry crews may strike”?",
        "What is known about “Museum finds lost painting”?",
        "What is known about “Bridge closes on Monday”?",
    ]


def test_the_overview_counts_what_is_the_same_and_what_was_removed(tmp_path: Path) -> None:
    again = {**ARTICLES[0], "id": "again", "source": "Echo"}
    scraped = {**ARTICLES[1], "text": f"{ARTICLES[1]['text']}\n\nAdvertisement\n\nOne more line."}
    build(write_articles(tmp_path, [*ARTICLES[::2], again, scraped]))

    def opened(name: str, *, settings: Settings) -> Rag:
        return open_with(settings.index_dir, name, FakeEmbedder())

    engines = Engines(EnginePool(opened), Settings(index_dir=tmp_path / "indexes"))
    found = engines.overview("news")
    assert {row.article_id: row.n_same for row in found.rows} == {
        "harbour": 1, "museum": 0, "again": 1, "ferry": 0,
    }  # fmt: skip
    assert {row.article_id: found.n_removed[row.article_id] for row in found.rows} == {
        "harbour": 0, "museum": 0, "again": 0, "ferry": 1,
    }  # fmt: skip
    assert engines.overview("news") is found
    engines.close()
