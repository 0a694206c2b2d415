"""Questions whose relevant articles are known.

`corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv` (Thakur et al., "BEIR: A Heterogeneous Benchmark for
Zero-shot Evaluation of Information Retrieval Models", NeurIPS 2021). What is measured is whether a
hit is of a relevant article.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from rag.errors import DatasetError
from rag.evaluation.dataset import EvalQuestion
from rag.evaluation.indexed import Indexed, check_indexed
from rag.evaluation.lines import objects, question_of

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
KIND = "query"


def read_beir(folder: Path, indexed: Indexed) -> list[EvalQuestion]:
    """Queries with the grades of the articles that are relevant to them.

    Raises:
        DatasetError: something is wrong, or the index lacks an article.
    """
    relevant: dict[str, dict[str, int]] = {}
    for query_id, article_id, grade in _qrels(folder / QRELS):
        relevant.setdefault(query_id, {})[article_id] = grade
    questions = []
    for fields, where in objects(folder / QUERIES):
        query_id = str(fields.get("_id"))
        if query_id in relevant:  # the others belong to another split
            made = {"id": query_id, "question": fields.get("text")}
            questions.append(question_of(made, where, kind=KIND, relevant=relevant[query_id]))
    if not questions:
        raise DatasetError(f"no query of {folder / QUERIES} has a line in {folder / QRELS}")
    for article_id in {key: None for question in questions for key in question.relevant}:
        check_indexed(article_id, None, indexed, folder / CORPUS)
    return questions


def _qrels(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Query id, article id and grade, of test.tsv if there is one, else of every file."""
    test = folder / "test.tsv"
    paths = [test] if test.is_file() else sorted(folder.glob("*.tsv"))
    if not paths:
        raise DatasetError(f"{folder} has no .tsv file")
    for path in paths:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
            for number, row in enumerate(rows, 1):
                if number == 1 and not (len(row) == 3 and row[2].lstrip("-").isdigit()):
                    continue  # the heading
                if len(row) != 3 or not row[2].lstrip("-").isdigit():
                    raise DatasetError(f"{path}:{number}: not query, article and a whole number")
                yield row[0], row[1], int(row[2])
