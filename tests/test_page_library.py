"""The library as HTML: the table, what was skipped, the bar of a build."""

from __future__ import annotations

import datetime
import html
import re
from pathlib import Path
from typing import Any

import pytest

from rag import BuildProgress, BuildReport, EnginePool, Rag, Settings, Upload
from rag.page import library, stock
from rag.page.engines import Engines
from rag.page.overview import Overview, Row
from rag.page.words import Marker
from rag.testing import FakeEmbedder, open_with
from rag.text.analysis import analyzer
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
    assert 'aria-sort="ascending" class="of-title"' in made
    assert "No article holds these words" in library.table(OVERVIEW, library.View(query="zzz"))


def test_the_state_tells_what_was_removed_and_what_is_the_same() -> None:
    rows = (
        Row("a", "One", DAY, "Post", 1, "first report"),
        Row("b", "Two", DAY, "Echo", 1, "reprint"),
        Row("c", "Three", DAY, "X"),
    )
    found = Overview("news", 1, rows, {"a": 0, "b": 2, "c": 0})
    made = library.table(found, library.View(sort="state"))
    assert '<td class="of-state">as found, first report, same text as 1 other</td>' in made
    assert '<td class="of-state">2 pieces removed, reprint, same text as 1 other</td>' in made
    assert '<td class="of-state">as found</td>' in made
    assert [row.article_id for row in library.matching(found, library.View(sort="state"))] == [
        "b", "a", "c",
    ]  # fmt: skip


class Skipped:
    path, line, reason = "news.jsonl", 3, "no text"


def test_a_long_list_of_what_was_skipped_is_closed_and_cut() -> None:
    short = stock.skipped([Skipped()] * 2)
    assert '<details class="skipped" open>' in short
    assert "news.jsonl, line 3" in short
    long = stock.skipped([Skipped()] * 1234)
    assert "1,234 inputs skipped" in long
    assert "open" not in long
    assert long.count("<li>") == stock.MAX_SKIPPED + 1
    assert "1,034 more" in long


def test_what_became_of_files_is_told_by_name() -> None:
    def upload(name: str, kept: str, outcome: str) -> Upload:
        return Upload.model_validate({"name": name, "path": f"/x/{kept}", "outcome": outcome})

    made = stock.added(
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
    assert stock.uploads([]) == ""
    made = stock.uploads([Path("/x/storm.txt"), Path(f"/x/{EVIL.replace('/', '')}")])
    assert '<details class="uploads" open><summary>2 files added here' in made
    assert 'data-remove="storm.txt" aria-label="Remove storm.txt"' in made
    assert "<img" not in made
    many = stock.uploads([Path(f"/x/{n}.txt") for n in range(1_002)])
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
    made = stock.progress(
        BuildProgress(index="news", phase=phase, n_done=n_done, n_expected=n_expected, note=EVIL)
    )
    assert f"<progress{value}" in made
    assert ("value" in made) is bool(value)
    assert f"{n_done} articles" in made
    assert html.escape(EVIL) in made


def test_pages_are_named_by_what_they_hold_in_the_order_of_the_table() -> None:
    def pages(**view: Any) -> str:
        return html.unescape(re.sub("<.*?>", "", library.table(OVERVIEW, library.View(**view))))

    assert "Page 1 of 3: 28 June 2024 – 10 May 20249 May 2024 – 21 March 2024 →" in pages()
    by_title = pages(sort="title", descending=False, page=1)
    assert "← Title 000 – Title 049Page 2 of 3: Title 050 – Title 099Title 100 – " in by_title
    assert "Page 2 of 3: Source 1 – Source 0" in pages(sort="source", page=1)


def test_the_table_is_narrowed_by_what_articles_share() -> None:
    rows = (
        Row("a", "One", DAY, "Post", path="a.txt", fields=(("section", "sport"), ("tags", "ice"))),
        Row("b", "Two", DAY, "Echo", path="b.pdf", fields=(("section", "sport"),)),
        Row("c", "Three", DAY, "Post", path="c.txt", fields=(("section", "<i>art</i>"),)),
    )
    found = Overview("news", 1, rows, {"a": 0, "b": 0, "c": 0})
    assert found.groups == {
        "publisher": [("Post", 2), ("Echo", 1)],
        "section": [("sport", 2), ("<i>art</i>", 1)],
        "tags": [("ice", 1)],
        "format": [("text", 2), ("pdf", 1)],
    }

    def shown(*chosen: tuple[str, str]) -> list[str]:
        view = library.View(chosen=frozenset(chosen), sort="title")
        return [row.article_id for row in library.matching(found, view)]

    assert shown(("section", "sport")) == ["b", "a"]
    assert shown(("section", "sport"), ("publisher", "Post")) == ["a"]
    assert shown(("publisher", "Echo"), ("publisher", "Post")) == ["b", "c", "a"]
    made = library.groups(found, frozenset({("section", "sport")}))
    assert made.count('aria-pressed="true"') == 1
    assert "<i>" not in made


def test_what_was_not_taken_of_the_files_just_added_is_said_with_the_report() -> None:
    skipped = (
        {"path": "uploads/a.zip/1.txt", "line": None, "reason": "empty"},
        {"path": "uploads/a.zip.txt", "line": None, "reason": "another file"},
        {"path": "news.jsonl", "line": 3, "reason": "old"},
    )
    report = BuildReport.model_validate(
        dict.fromkeys(("added", "changed", "removed", "unchanged", "n_articles", "n_chunks"), 1)
        | {"index": "news", "version": 2, "published": True, "skipped": skipped, "seconds": {}}
    )
    made = stock.built(report, ["uploads/a.zip"])
    assert "a.zip/1.txt" in made
    assert "another file" not in made
    assert "old" not in made
    assert "not-taken" not in stock.built(report)


def test_words_that_were_looked_for_are_marked_in_any_form() -> None:
    marker = Marker("closing bridges", analyzer("en").content_terms)
    plain = "Rain. " * 20 + "The <b>bridge</b> closes on Monday. " + "More rain. " * 30
    assert (
        marker.marked("It closed & the Bridge")
        == "It <mark>closed</mark> &amp; the <mark>Bridge</mark>"
    )
    made = marker.passage(plain, 0, len(plain))
    assert made.startswith("… ")
    assert "The &lt;b&gt;<mark>bridge</mark>&lt;/b&gt; <mark>closes</mark> on Monday." in made
    assert made.endswith(" …")
    assert len(made) < 400
    assert Marker("rain", analyzer("en").terms).passage("No word of it.", 0, 14) == ""
    assert Marker("", analyzer("en").terms).marked("a <i>") == "a &lt;i&gt;"


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
