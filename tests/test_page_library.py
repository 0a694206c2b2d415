"""The library as HTML: the table, what was skipped, the bar of a build."""

from __future__ import annotations

import datetime
import html
import re
from pathlib import Path

import pytest

from rag import BuildProgress, EnginePool, Rag, Settings, Upload
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
        Row("a", "One", DAY, "Post", 1, "first report"),
        Row("b", "Two", DAY, "Echo", 1, "reprint"),
        Row("c", "Three", DAY, "X"),
    )
    found = Overview("news", 1, rows, {"a": 0, "b": 2, "c": 0})
    made = library.table(found, library.View(sort="state"))
    assert '<td class="state">as found, first report, same text as 1 other</td>' in made
    assert '<td class="state">2 pieces removed, reprint, same text as 1 other</td>' in made
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


def test_what_became_of_files_is_told_by_name() -> None:
    def upload(name: str, kept: str, outcome: str) -> Upload:
        return Upload.model_validate({"name": name, "path": f"/x/{kept}", "outcome": outcome})

    made = library.added(
        [
            upload("a.txt", "a.txt", "added"),
            upload("a.txt", "a (2).txt", "renamed"),
            upload("b.txt", "b.txt", "replaced"),
            upload("c.txt", "c (3).txt", "unchanged"),
            upload(EVIL, "d.txt", "added"),
            upload(f"{EVIL}.txt", f"{EVIL} (2).txt", "renamed"),
        ]
    )
    lines = [html.unescape(line) for line in re.findall("<li>(.*?)</li>", made)]
    assert lines[0] == "2 files added."
    assert lines[1].startswith("“a.txt” is kept as “a (2).txt”: there is another of that name.")
    assert lines[2] == "“b.txt” took the place of the file of that name."
    assert lines[3] == "“c.txt” was there already, as “c (3).txt”."
    assert "<img" not in made


def test_files_that_were_added_can_be_removed_by_name() -> None:
    assert library.uploads([]) == ""
    made = library.uploads([Path("/x/storm.txt"), Path(f"/x/{EVIL.replace('/', '')}")])
    assert '<details class="uploads" open><summary>2 files added here' in made
    assert 'data-remove="storm.txt" aria-label="Remove storm.txt"' in made
    assert "<img" not in made
    many = library.uploads([Path(f"/x/{n}.txt") for n in range(1_002)])
    assert many.count("data-remove") == 1_000
    assert "2 more in /x" in many
    assert " open" not in many


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
