"""Reading datasets: which form a file is of, and what is known about its questions.

A folder is read whole: what it has of `questions.jsonl`, `broad.jsonl`, `false_premises.jsonl` and
`true_premises.jsonl`, or, without these, the files of BEIR. A single file is read by itself. The
fields of its first line tell the form:

- `answers`: spans of articles (`rag.evaluation.spans`);
- `choices`, `gold`, `gold_articles`, `date`: a quiz. An `id` that begins with a day, as in
  `20250704_1`, tells when it was printed, a little after `date`, the day that it speaks from;
- `trap`, or `pair` and `answer`, with `asked_on` and `article_id`: a premise that is false, or
  holds;
- `nuggets`, `articles`, `forbidden`, `no_answer`: a broad question;
- `remark`, `said`: an answer that was called wrong, as the page keeps them; `right` has words that
  a right one holds, `no_answer` says that none is right, `articles` what it cited.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import DatasetError
from rag.evaluation import beir
from rag.evaluation.dataset import Dataset, EvalQuestion
from rag.evaluation.indexed import Indexed, check_indexed
from rag.evaluation.lines import day_of, objects, question_of, refuse_repeated
from rag.evaluation.premises import FALSE_PREMISE, TRUE_PREMISE
from rag.evaluation.remarks import REMARKED
from rag.evaluation.spans import ARTICLES, read_spans
from rag.readers.dates import parse_date

QUESTIONS = "questions.jsonl"
FILES = (QUESTIONS, "broad.jsonl", "false_premises.jsonl", "true_premises.jsonl")
RECENT, OLD = "recent", "old"
_BEFORE, _AFTER = 30, 3
"""A right article is recent if it was published so many days before the quiz was printed, or after
it."""

NO_GOLD = "the right choice stands in no article"
NOT_INDEXED = "the index lacks their article"

Rows = Sequence[tuple[dict[str, Any], str]]


def read_dataset(path: Path, indexed: Indexed) -> Dataset:
    """Read a dataset, with its answers as spans of the text that an index holds.

    Args:
        path: The folder, or one file of questions.
        indexed: The article of the index by its id, such as `Rag.article`.

    Raises:
        DatasetError: a file is missing or wrong, or the index lacks an article of the dataset
            or holds it with another text.
    """
    files = [path] if path.is_file() else [path / name for name in FILES if (path / name).is_file()]
    left_out: Counter[str] = Counter()
    if files:
        questions = [question for file in files for question in _read(file, indexed, left_out)]
    elif (path / beir.QUERIES).is_file():
        questions = beir.read_beir(path, indexed)
    else:
        raise DatasetError(
            f"{path} is no dataset: it has none of {', '.join((*FILES, beir.QUERIES))}",
            mend=f"name a file of questions, a folder with {ARTICLES} and {QUESTIONS}, or one with"
            f" {beir.CORPUS}, {beir.QUERIES}, {beir.QRELS}",
        )
    refuse_repeated([question.question_id for question in questions], path)
    resolved = path.resolve()
    name = resolved.stem if path.is_file() else resolved.name
    return Dataset(name=name, questions=tuple(questions), left_out=dict(left_out))


def _read(file: Path, indexed: Indexed, left_out: Counter[str]) -> list[EvalQuestion]:
    rows = list(objects(file))
    first = rows[0][0] if rows else {}
    if "nuggets" in first:
        return _broad(rows, file, indexed)
    if "choices" in first:
        return _quiz(rows, file.parent / ARTICLES, indexed, left_out)
    if "trap" in first or "pair" in first:
        return _premises(rows, file, indexed, left_out)
    if "remark" in first:
        return _remarks(rows, indexed, left_out)
    return read_spans(rows, file.parent, indexed)


def _quiz(
    rows: Rows, articles: Path, indexed: Indexed, left_out: Counter[str]
) -> list[EvalQuestion]:
    days = {str(f.get("id")): parse_date(str(f.get("published"))) for f, _ in objects(articles)}
    questions = []
    for fields, where in rows:
        asked_on = day_of(fields, "date", where)
        gold = _texts(fields, "gold_articles", where)
        if not gold:
            left_out[NO_GOLD] += 1
            continue
        for article_id in gold:
            check_indexed(article_id, None, indexed, articles)
        printed = parse_date(str(fields.get("id"))[:8]) or asked_on
        recent = any(_is_recent(days.get(article_id), printed) for article_id in gold)
        known = {
            "choices": fields.get("choices"),
            "gold": fields.get("gold"),
            "gold_articles": gold,
        }
        question = question_of(
            fields, where, kind=RECENT if recent else OLD, asked_on=asked_on, quiz=known
        )
        assert question.quiz is not None
        if question.quiz.gold not in question.quiz.choices:
            raise DatasetError(f"{where}: `gold` is none of `choices`: {question.quiz.gold!r}")
        questions.append(question)
    return questions


def _is_recent(published: datetime.date | None, printed: datetime.date) -> bool:
    return published is not None and -_AFTER <= (printed - published).days <= _BEFORE


def _premises(
    rows: Rows, file: Path, indexed: Indexed, left_out: Counter[str]
) -> list[EvalQuestion]:
    questions = []
    for fields, where in rows:
        article_id = str(fields.get("article_id"))
        if indexed(article_id) is None:  # then nothing tempts to answer
            left_out[NOT_INDEXED] += 1
            continue
        is_false = "trap" in fields
        known = {"trap": fields["trap"]} if is_false else {"gold": fields.get("answer")}
        kind = str(fields.get("kind", FALSE_PREMISE if is_false else TRUE_PREMISE))
        if not any(known.values()):
            raise DatasetError(f"{where}: {'`trap`' if is_false else '`answer`'} is empty")
        asked_on = day_of(fields, "asked_on", where)
        questions.append(
            question_of(
                fields, where, kind=kind, asked_on=asked_on, article_id=article_id, premise=known
            )
        )
    if not questions:
        article_id = str(rows[0][0].get("article_id"))
        raise DatasetError(
            f"the index holds no article that {file} asks about, such as {article_id!r}",
            mend="name an index of the articles that its questions were made from",
        )
    return questions


def _broad(rows: Rows, file: Path, indexed: Indexed) -> list[EvalQuestion]:
    questions = []
    for fields, where in rows:
        articles = _texts(fields, "articles", where)
        for article_id in articles:
            check_indexed(article_id, None, indexed, file.parent / ARTICLES)
        names = ("nuggets", "forbidden", "no_answer")
        known = {name: fields[name] for name in names if name in fields}
        asked_on = day_of(fields, "date", where) if "date" in fields else None
        questions.append(
            question_of(
                fields,
                where,
                kind=str(fields.get("kind", "broad")),
                asked_on=asked_on,
                broad={**known, "articles": articles},
            )
        )
    return questions


def _remarks(rows: Rows, indexed: Indexed, left_out: Counter[str]) -> list[EvalQuestion]:
    questions = []
    for fields, where in rows:
        cited = _texts(fields, "articles", where)
        if cited and not any(indexed(article_id) for article_id in cited):
            left_out[NOT_INDEXED] += 1  # one file has the remarks on all indexes
            continue
        known = {name: fields[name] for name in ("said", "right", "no_answer") if name in fields}
        asked_on = day_of(fields, "asked_on", where) if fields.get("asked_on") else None
        questions.append(question_of(fields, where, kind=REMARKED, asked_on=asked_on, remark=known))
    return questions


def _texts(fields: dict[str, Any], key: str, where: str) -> list[str]:
    given = fields.get(key, [])
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise DatasetError(f"{where}: `{key}` is no list of ids")
    return list(given)
