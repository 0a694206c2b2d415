"""The real embedding model on real questions: a guard against regressions, not the measurement.

The measurement is `rag eval` on all questions, and benchmarks/retrieval.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rag
from rag.engine import Rag
from rag.evaluation import evaluate, read_dataset

WIKI = Path(__file__).parents[1] / ".." / "shared" / "eval" / "wiki"
N_ARTICLES = 8

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(not WIKI.is_dir(), reason="needs ../shared/eval/wiki"),
]


def test_answers_are_found(tmp_path: Path) -> None:
    articles = (WIKI / "articles.jsonl").read_text(encoding="utf-8").splitlines()[:N_ARTICLES]
    chosen = {json.loads(line)["id"] for line in articles}
    questions = [
        line
        for line in (WIKI / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        if json.loads(line)["article_id"] in chosen and json.loads(line)["answers"]
    ]
    (tmp_path / "articles.jsonl").write_text("\n".join(articles), encoding="utf-8")
    (tmp_path / "questions.jsonl").write_text("\n".join(questions), encoding="utf-8")
    index = tmp_path / "indexes" / "wiki"
    index.mkdir(parents=True)
    (index / "index.toml").write_text('sources = ["../../articles.jsonl"]\n')
    settings = rag.Settings(index_dir=tmp_path / "indexes")
    rag.build("wiki", settings=settings)
    with Rag.open("wiki", settings=settings) as opened:
        report = evaluate(opened, read_dataset(tmp_path, opened.article))
    figures = report.metrics["answerable"]
    assert report.n_questions["answerable"] > 150
    assert figures["hit@1"] >= 0.9
    assert figures["hit@5"] >= 0.97
