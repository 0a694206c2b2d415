"""A story is shown once, with where else it is told; what one article has alone is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.cli import main
from rag.engine import Rag
from rag.retrieval import Hit
from rag.testing import FakeEmbedder, FakeLLM, open_with
from tests.support import ARTICLES, build, write_articles
from tests.test_building_stories import article, prose

BRIDGE = (
    "The harbour bridge in Osterby closes on Monday for nine weeks of repairs. Mayor Lena Holm said"
    " the work would cost 4.2 million crowns. Cyclists may use the ferry without paying. Shop"
    " owners on the island fear that fewer customers will come while the bridge is closed. The"
    " council of Osterby decided on the repairs last spring after a diver had found cracks."
)
ALONE = "A fisherman named Arvid Lund will carry the mail across the water in his own boat."
URL = "https://example.org/bridge"


def engine(folder: Path, articles: list[dict[str, Any]], llm: FakeLLM | None = None) -> Rag:
    index_dir = write_articles(folder, articles)
    build(index_dir)
    return open_with(index_dir, "news", FakeEmbedder(), llm)


def bridge(article_id: str, day: int, text: str = BRIDGE, **more: Any) -> dict[str, Any]:
    return article(article_id, text, day, source=f"The {article_id}", **more)


def names(hits: list[Hit]) -> list[str]:
    return [hit.article_id for hit in hits]


def test_a_story_that_everybody_prints_takes_one_rank(tmp_path: Path) -> None:
    copies = [bridge(f"copy{n:03}", 2, f"{BRIDGE} {prose(n, 9)}") for n in range(150)]
    with engine(tmp_path, [*copies, bridge("first", 1), *ARTICLES[1:]]) as rag:
        hits = rag.search("How long does the harbour bridge in Osterby close?", k=3)
    assert names(hits)[0] == "first"
    assert sorted(names(hits)) == ["ferry", "first", "museum"]
    assert hits[0].story == "first"
    assert [other.article_id for other in hits[0].also_in] == [one["id"] for one in copies]
    assert {other.relation for other in hits[0].also_in} == {"reprint"}
    assert hits[1].also_in == ()
    assert hits[1].story == hits[1].article_id


def test_where_a_reprint_says_it_is_told(tmp_path: Path) -> None:
    longer = bridge("longer", 2, f"Osterby, Monday (NP) - {BRIDGE}")
    cut = bridge("cut", 3, BRIDGE[: BRIDGE.index(" The council")])
    with engine(tmp_path, [longer, cut, bridge("first", 1)]) as rag:
        (hit,) = rag.search("Who found cracks?", k=5)
        texts = {one.article_id: one.text for one in rag.articles()}
    places = {one.article_id: (one.start, one.end) for one in hit.also_in}
    best = hit.text[hit.sentence_start - hit.start : hit.sentence_end - hit.start]
    assert places["cut"] == (None, None)
    start, end = places["longer"]
    assert texts["longer"][start:end] == best == "The council of Osterby decided on the repairs" \
        " last spring after a diver had found cracks."  # fmt: skip


def test_what_only_a_reprint_has_is_found_in_it(tmp_path: Path) -> None:
    first = bridge("first", 1, f"{BRIDGE} {prose(6, 120)}")
    reprint = bridge("reprint", 2, f"{first['text']}\n\n{ALONE} {prose(7, 36)}")
    with engine(tmp_path, [first, reprint]) as rag:
        hits = rag.search("Which fisherman will carry the mail across the water?", k=2)
    assert names(hits)[0] == "reprint"
    assert ALONE in hits[0].text
    assert [(one.article_id, one.relation) for one in hits[0].also_in] == [
        ("first", "first report")
    ]


def test_where_the_filter_leaves_the_first_report_out_one_reprint_is_found(tmp_path: Path) -> None:
    shifted = bridge("b", 2, f"{prose(8, 27)} {BRIDGE}", section="x")
    with engine(tmp_path, [bridge("first", 1), bridge("a", 2, section="x"), shifted]) as rag:
        hits = rag.search("How long does the bridge close?", where={"section": "x"})
        (only_b,) = rag.search("How long does the bridge close?", source="The b")
        assert names(rag.search("How long does the bridge close?", until="2024-03-01")) == ["first"]
    assert len(hits) == 1
    assert hits[0].story == only_b.story == "first"
    assert only_b.article_id == "b"


EARLY = bridge("early", 1, f"{BRIDGE} {prose(1, 120)} {ALONE} {prose(2, 90)}", url=URL)
LATE = bridge("late", 2, f"{BRIDGE} {prose(1, 120)} {prose(2, 90)}", url=f"{URL}?utm_medium=feed")


def test_the_newest_version_is_used_and_what_it_dropped_is_marked(tmp_path: Path) -> None:
    with engine(tmp_path, [EARLY, LATE]) as rag:
        hits = rag.search("How long does the harbour bridge close?", k=5)
        dropped = rag.search("Which fisherman will carry the mail?", k=5)
        earlier = rag.search("Which fisherman will carry the mail?", until="2024-03-01")
    assert names(hits)[0] == "late"
    assert [(one.article_id, one.relation) for one in hits[0].also_in] == [
        ("early", "earlier version")
    ]
    assert [hit.superseded_by for hit in dropped if hit.article_id == "early"] == ["late"]
    assert names(earlier)[0] == "early"
    assert earlier[0].superseded_by is None  # the newest version was not yet there


@pytest.mark.parametrize("until", [None, "2024-03-01"])
def test_what_the_newest_version_dropped_is_no_evidence(tmp_path: Path, until: str | None) -> None:
    with engine(tmp_path, [EARLY, LATE], FakeLLM([ALONE])) as rag:
        found = rag.ask("Which fisherman will carry the mail across the water?", until=until)
    quotes = [citation.quote for citation in found.citations]
    assert (ALONE in quotes) == (until is not None)


def test_a_reprint_is_no_second_source(tmp_path: Path) -> None:
    """A reprint that words a sentence anew is still one source; another report is a second one."""
    said = "The harbour bridge in Osterby closes for nine weeks."
    again = BRIDGE.replace(
        "closes on Monday for nine weeks of repairs", "on Monday is closing for nine whole weeks"
    )
    other = article("other", f"{prose(9)} On Monday the harbour bridge of Osterby closes for nine"
                    f" weeks of work. {prose(10)}", 2)  # fmt: skip
    cited: list[set[str]] = []
    for articles in ([bridge("first", 1), bridge("again", 2, again)], [bridge("first", 1), other]):
        folder = tmp_path / str(len(cited))
        with engine(folder, articles, FakeLLM([said])) as rag:
            answer = rag.ask("For how many weeks does the harbour bridge close?")
        cited.append({citation.article_id for citation in answer.citations})
    assert len(cited[0]) == 1
    assert cited[1] == {"first", "other"}


def test_an_article_is_shown_with_its_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(tmp_path, [EARLY, LATE, bridge("copy", 3, LATE["text"])]).close()
    monkeypatch.setenv("RAG_INDEX_DIR", str(tmp_path / "indexes"))
    for name, told in {
        "copy": "early (earlier version of late), late (first report)",
        "early": "late (newer version), copy",
    }.items():
        with pytest.raises(SystemExit, match="0"):
            main(["show", "news", name])
        assert f"also in     {told}\n" in capsys.readouterr().out
