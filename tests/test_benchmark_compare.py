"""benchmarks/compare.py and what its runners share; the measuring itself is `make bench`."""

from __future__ import annotations

import importlib
import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("compare")


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS / "peers"))
    return importlib.import_module("common")


def row(name: str, seconds: float, hits: float, compare: Any) -> dict[str, Any]:
    figures = dict.fromkeys(compare.COLUMNS, seconds) | {"hit@5": hits}
    return {"name": name, "medians": figures}


def test_ours_is_compared_with_the_best_of_the_others_in_each(compare: Any) -> None:
    rows = [row("rag", 2.0, 0.9, compare), row("A", 4.0, 0.6, compare), row("B", 8.0, 0.5, compare)]
    ratios = compare.ratios([*rows, {"name": "C", "failed": "no Python"}])
    assert ratios["build_seconds"] == 0.5  # the least of the others
    assert ratios["questions_per_second"] == 0.25  # the most
    assert ratios["hit@5"] == 1.5


def test_the_table_and_the_picture_show_every_library(compare: Any, tmp_path: Path) -> None:
    rows = [row("rag", 2.0, 0.9, compare), row("A & B", 4.0, 0.6, compare)]
    report = {
        "corpus": {"articles": 100},
        "rounds": 3,
        "libraries": [*rows, {"name": "C", "failed": "needs Python 3.12"}],
        "ratios": compare.ratios(rows),
        "limits": {},
    }
    lines = compare.table(report).splitlines()
    assert lines[2].startswith("| rag | 2.0 | 2.0 |")
    assert lines[4] == "| C | failed: needs Python 3.12 |"
    (tmp_path / "report.json").write_text(json.dumps(report))
    compare.draw(tmp_path / "report.json", tmp_path / "out.svg")
    drawn = "".join(ET.parse(tmp_path / "out.svg").getroot().itertext())
    assert drawn.count("A & B") == 6
    assert "100 articles, medians of 3" in drawn


def test_a_step_tells_what_it_took_and_why_it_failed(compare: Any, tmp_path: Path) -> None:
    grow = "import time; data = b'x' * 50_000_000; time.sleep(1)"
    ran = compare.run([sys.executable, "-c", grow], tmp_path)
    assert ran.seconds >= 1
    assert 50 < ran.peak_mb < 500
    with pytest.raises(compare.PeerError, match="ValueError: no such thing"):
        compare.run([sys.executable, "-c", "raise ValueError('no such thing')"], tmp_path)


def test_what_changed_is_told_by_a_hash(common: Any, tmp_path: Path) -> None:
    before = [{"id": name, "text": f"About {name}."} for name in ("a", "b", "c")]
    common.keep_digests(before, tmp_path)
    new = {"id": "d", "text": "About d."}
    other = {"id": "b", "text": "About something else."}
    assert common.changed([before[0], other, new], tmp_path) == ([other, new], ["b", "c"])


def test_a_text_is_found_in_its_article_whatever_its_blanks(common: Any) -> None:
    articles = {"a": {"text": "Title\n\nRain fell\nin Osterby (again)."}}
    assert common.located(("a", "fell in  Osterby (again)"), articles) == ("a", 12, 35)
    assert common.located(("a", "snow"), articles) == ("a", 0, 0)
    assert common.located(("a", 3, 5), articles) == ("a", 3, 5)


def test_pieces_cover_a_text_and_share_their_ends(common: Any) -> None:
    assert common.windows("x" * 2000) == [(0, 1000), (800, 1800), (1600, 2000)]
    assert common.windows("x" * 900) == [(0, 900)]
