"""Stories: reprints and versions found at build, the same whatever builds there were before."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.building.stories import SKETCH_RUNS, Head, may_share, sketch
from rag.index.check import check_index
from rag.index.layout import IndexFolder
from rag.index.manifest import FORMAT, read_manifest, write_manifest
from rag.index.stories import Story
from rag.testing import FakeEmbedder, open_with
from tests.support import ARTICLES, build, open_index, rewrite_catalog, write_articles

WORDS = tuple(
    f"{a}{b}" for a in ("bar", "tel", "nim", "so", "ku") for b in ("da", "fe", "lo", "ri")
)


def prose(seed: int, n_words: int = 90) -> str:
    draw = random.Random(seed)
    sentences = (" ".join(draw.choices(WORDS, k=9)).capitalize() for _ in range(n_words // 9))
    return ". ".join(sentences) + "."


def article(article_id: str, text: str, day: int = 1, **more: Any) -> dict[str, Any]:
    published = f"2024-03-{day:02}"
    return {"id": article_id, "title": f"On {article_id}", "text": text, "published": published,
            **more}  # fmt: skip


def stories(folder: Path, articles: list[dict[str, Any]], *, full: bool = False) -> list[Story]:
    index_dir = write_articles(folder, articles)
    build(index_dir, full=full, allow_removal=True)
    with open_with(index_dir, "news", FakeEmbedder()) as rag:
        return rag.stories()


REPORT = prose(1)
HALF = " ".join(REPORT.split()[:50])
INSERTED = f"{' '.join(REPORT.split()[:40])}\n\n{prose(2, 27)}\n\n{' '.join(REPORT.split()[40:])}"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (REPORT, 2),  # the headline is another one
        (HALF, 2),
        (INSERTED, 3),
        (f"OSTERBY (Northern Press) - {REPORT} Reporting by A. Lund.", 2),
        (REPORT, 31),  # word for word, weeks later
    ],
)
def test_a_reprint_belongs_to_the_first_report(tmp_path: Path, text: str, day: int) -> None:
    found = stories(tmp_path, [article("copy", text, day), article("report", REPORT, 1)])
    assert [(story.first, sorted(story.articles)) for story in found] == [
        ("report", ["copy", "report"])
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # The report of the next day: the words are the same, the figures are not.
        *[[f"{prose(3)} Shares: {n}.5, {n}.7, {n + 1}.9, {n + 40} and {n + 3}." for n in (17, 58)]],
        # A column that begins and ends as it does each week.
        *[[f"{prose(4, 45)} {prose(n)} {prose(5, 45)}" for n in (6, 7)]],
        # A brief that a long text holds.
        (prose(8, 54), f"{prose(8, 54)} {prose(9, 300)}"),
        # Debris in place of a text, under two headlines.
        ("Chat with us on Messenger", "Chat with us on Messenger"),
    ],
)
def test_what_is_no_reprint(tmp_path: Path, one: str, other: str) -> None:
    assert stories(tmp_path, [article("a", one, 1), article("b", other, 2)]) == []


def test_a_text_written_anew_months_later_is_another(tmp_path: Path) -> None:
    words = REPORT.split()
    later = " ".join([*words[:78], *prose(2).split()[:12]])
    near = [article("a", REPORT, 1), article("b", later, 4)]
    far = [article("a", REPORT, 1), article("b", later, 20)]
    assert len(stories(tmp_path / "near", near)) == 1
    assert stories(tmp_path / "far", far) == []


def test_of_versions_at_one_address_the_newest_is_shown(tmp_path: Path) -> None:
    url = "https://www.example.org/bridge"
    versions = [
        article("early", REPORT, 1, url=url, updated="2024-03-01T08:00:00Z"),
        article("late", f"{HALF} {prose(2, 45)}", 1, url=f"{url}/?utm_source=feed#top",
                updated="2024-03-01T12:00:00+02:00"),
        article("reprint", REPORT, 2, url="https://other.example.org/"),
        article("elsewhere", prose(5), 1, url="http://example.org/harbour"),
    ]  # fmt: skip
    assert stories(tmp_path, versions) == [
        Story(
            first="early",
            shown="late",
            articles=("early", "late", "reprint"),
            superseded={"early": "late"},
        )
    ]


def test_a_page_that_changes_wholly_has_no_versions(tmp_path: Path) -> None:
    home = [article(f"day-{n}", prose(n), n, url="https://example.org/") for n in (1, 2, 3)]
    assert stories(tmp_path, home) == []


def test_what_leads_from_one_to_another_is_not_one_story(tmp_path: Path) -> None:
    """Each day's text has four fifths of the day before."""
    words = [prose(n, 18) for n in range(20)]
    days = [article(f"d{n:02}", " ".join(words[n : n + 10]), n + 1) for n in range(10)]
    found = stories(tmp_path, days)
    assert len(found) > 1
    assert all(len(story.articles) <= 3 for story in found)


# The same, whatever builds there were before

POOL = [
    article(f"{kind}{n}", text, day, **more)
    for n in range(3)
    for kind, text, day, more in (
        ("report", prose(n), 2, {"url": f"https://example.org/{n}"}),
        ("early", f"{prose(n, 63)} {prose(n + 50, 27)}", 1, {"url": f"https://example.org/{n}"}),
        ("copy", f"{prose(n)} {prose(n + 90, 18)}", 3, {}),
        ("short", prose(n, 54), 3, {}),
    )
]


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sets(st.integers(0, len(POOL) - 1), min_size=1), min_size=1, max_size=3),
       order=st.randoms(use_true_random=False))  # fmt: skip
def test_updates_end_where_a_full_build_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[set[int]], order: random.Random
) -> None:
    grown, fresh = tmp_path_factory.mktemp("grown"), tmp_path_factory.mktemp("fresh")
    for step in steps:
        chosen = order.sample(sorted(step), len(step))
        found = stories(grown, [POOL[n] for n in chosen])
    anew = stories(fresh, [POOL[n] for n in sorted(steps[-1])])
    assert told(found) == told(anew)
    assert repeated(grown) == repeated(fresh)


def told(found: list[Story]) -> list[tuple[str, str, list[str], list[tuple[str, str]]]]:
    return sorted(
        (story.first, story.shown, sorted(story.articles), sorted(story.superseded.items()))
        for story in found
    )


def repeated(folder: Path) -> set[tuple[str, int, str]]:
    """Article and start of each chunk that is not found, with what is shown instead."""
    with open_index(folder / "indexes") as index:
        ids = index.catalog.columns.chunk_ids.tolist()
        hidden = index.catalog.columns.repeated(ids)
        chunks = index.catalog.chunks(list(hidden))
        numbers = {*hidden.values(), *(chunk.article for chunk in chunks.values())}
        names = {n: one.article_id for n, one in index.catalog.articles(sorted(numbers)).items()}
        return {
            (names[chunks[chunk_id].article], chunks[chunk_id].start, names[other])
            for chunk_id, other in hidden.items()
        }


def test_an_update_reads_only_what_is_new(tmp_path: Path) -> None:
    before = [article("report", REPORT), article("copy", f"{REPORT} Lund.", 2)]
    stories(tmp_path, before)
    rewrite = "UPDATE compared SET alike=0"  # what is stored is believed, not compared anew
    rewrite_catalog(tmp_path / "indexes/news/versions/000001", rewrite)
    assert stories(tmp_path, [*before, article("third", prose(9))]) == []
    rewrite_catalog(tmp_path / "indexes/news/versions/000002",
                    "UPDATE meta SET value='0' WHERE key='stories'")  # fmt: skip
    assert len(stories(tmp_path, before)) == 1  # other rules: everything is compared anew


def test_an_index_of_format_3_opens_and_the_next_build_finds_its_stories(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [*ARTICLES, ARTICLES[0] | {"id": "twin", "source": "B"}])
    build(index_dir)
    version = index_dir / "news/versions/000001"
    names = "'firsts', 'newest', 'repeats'"
    rewrite_catalog(version, f"DELETE FROM columns WHERE name IN ({names})")
    for table in ("sketches", "compared", "repeats"):
        rewrite_catalog(version, f"DROP TABLE {table}")
    write_manifest(version, read_manifest(version).model_copy(update={"format": 3}))
    with open_with(index_dir, "news", FakeEmbedder()) as rag:
        assert rag.stories() == []
        assert rag.search("bridge")[0].article_id == "harbour"
    found = check_index(IndexFolder(index_dir, "news"))
    assert found.ok
    assert [(one.kind, one.mend) for one in found.findings] == [("stories", "rag build news")]
    embedder = FakeEmbedder()
    report = build(index_dir, embedder=embedder)
    assert (report.version, report.published, report.unchanged) == (2, True, 4)
    assert report.seconds["model"] == 0  # nothing was embedded again
    assert read_manifest(index_dir / "news/versions/000002").format == FORMAT
    with open_with(index_dir, "news", embedder) as rag:
        assert [story.articles for story in rag.stories()] == [("harbour", "twin")]


def test_sketches_of_a_part_and_the_whole_agree() -> None:
    whole, part = prose(1, 3000), " ".join(prose(1, 3000).split()[:1200])
    assert len(sketch(whole)) == SKETCH_RUNS
    assert may_share(sketch(whole), sketch(part))
    assert not may_share(sketch(whole), sketch(prose(2, 3000)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://www.example.org/a/", "https://example.org/a#top"),
        ("https://example.org/a?id=3&utm_source=x", "https://example.org/a?id=3"),
        ("https://example.org/a?utm_source=x&id=3&ref=y", "https://example.org/a?id=3"),
        ("https://example.org/a?utm_source=x", "https://example.org/a"),
    ],
)
def test_one_address_written_otherwise(one: str, other: str) -> None:
    assert head(one).address == head(other).address
    assert head(one).address != head("https://example.org/a?id=4").address


def head(url: str) -> Head:
    return Head(1, "a", None, None, (None, None), url)
