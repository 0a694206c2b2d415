"""Articles that the sources hold and the index is not to have."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import RagError, Settings, leave_out, take_back
from rag.building.inputs import LEFT_OUT
from tests.support import ARTICLES, build, open_index, write_articles


def ids(index_dir: Path) -> set[str]:
    with open_index(index_dir) as index:
        return {article.article_id for article in index.catalog.all_articles()}


def test_one_is_left_out_and_taken_back_and_the_rest_stays(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    config = index_dir / "news" / "index.toml"
    config.write_text('# mine\nsources = ["../../news.jsonl"]\n\n[chunking]\nwords = 100 # few\n')
    settings = Settings(index_dir=index_dir)
    build(index_dir)
    assert leave_out("news", ["ferry", "ferry"], settings=settings) == ["ferry"]
    report = build(index_dir)
    assert (report.removed, report.unchanged) == (1, 2)
    assert [(one.line, one.reason) for one in report.skipped] == [(2, LEFT_OUT)]
    assert ids(index_dir) == {"harbour", "museum"}
    again = build(index_dir)
    assert (again.published, again.skipped) == (False, report.skipped)
    written = config.read_text()
    assert written.startswith('# mine\nsources = ["../../news.jsonl"]\nwithout = ["ferry"]\n')
    assert "words = 100 # few" in written
    assert take_back("news", ["ferry"], settings=settings) == []
    assert build(index_dir).added == 1
    assert ids(index_dir) == {"harbour", "ferry", "museum"}
    with pytest.raises(RagError, match="does not leave out 'ferry'"):
        take_back("news", ["ferry"], settings=settings)


def test_most_of_them_may_be_left_out(tmp_path: Path) -> None:
    """Somebody named each: that is no drive that is not mounted."""
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    leave_out("news", ["ferry", "harbour"], settings=Settings(index_dir=index_dir))
    assert build(index_dir).removed == 2
    assert ids(index_dir) == {"museum"}


def test_what_is_added_to_the_file_later_is_taken_in(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES[:2])
    build(index_dir)
    leave_out("news", ["harbour"], settings=Settings(index_dir=index_dir))
    build(index_dir)
    write_articles(tmp_path, ARTICLES)
    report = build(index_dir)
    assert (report.added, report.removed) == (1, 0)
    assert ids(index_dir) == {"ferry", "museum"}
