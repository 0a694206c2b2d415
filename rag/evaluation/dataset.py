"""Datasets to measure on: questions whose answers are known.

Two formats, told apart by the files in the folder:

- `articles.jsonl` (`id`, `title`, `text`, …) and `questions.jsonl` (`id`, `question`, `kind`,
  `article_id`, `answers`: a list of `{text, start, end}`, in characters of the article's text as
  it stands in the file). What is measured is whether a hit covers a whole answer.
- BEIR (Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information
  Retrieval Models", NeurIPS 2021): `corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv`. What is
  measured is whether a hit is of a relevant article.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.article import Article
from rag.cleaning import clean
from rag.errors import DatasetError
from rag.readers import normalise, read_sources

ARTICLES, QUESTIONS = "articles.jsonl", "questions.jsonl"
CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
BEIR_KIND = "query"


class GoldSpan(BaseModel):
    """An answer as it stands in an article's text: [start, end) in characters."""

    model_config = ConfigDict(frozen=True)

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=1)


class EvalQuestion(BaseModel):
    """A question with what is known about it.

    Attributes:
        question_id: Unique in its dataset.
        question: The question.
        kind: Such as `answerable`; figures are given by kind.
        article_id: The article that it is about; None when there is none.
        answers: Where the answer stands in that article, any one of them; empty when it does not.
        relevant: BEIR: article id to grade, above 0 for relevant ones.
        lost: Whether it has answers, and cleaning removes every one of them: it counts as missed.
    """

    model_config = ConfigDict(frozen=True)

    question_id: str
    question: str
    kind: str
    article_id: str | None = None
    answers: tuple[GoldSpan, ...] = ()
    relevant: Mapping[str, int] = Field(default_factory=dict)
    lost: bool = False

    @property
    def has_gold(self) -> bool:
        """Whether there is something to be found for it."""
        return bool(self.answers or self.relevant or self.lost)


class Dataset(BaseModel):
    """Questions, and the articles that their answers stand in.

    Attributes:
        name: Name of its folder.
        questions: In the order of the file.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    questions: tuple[EvalQuestion, ...]


def read_dataset(folder: Path, indexed: Callable[[str], Article | None]) -> Dataset:
    """Read a dataset, with its answers as spans of the text that an index holds.

    Args:
        folder: The dataset.
        indexed: The article of the index by its id, such as `Rag.article`.

    Raises:
        DatasetError: a file is missing or wrong, or the index lacks an article of the dataset
            or holds it with another text.
    """
    if (folder / QUESTIONS).is_file():
        return _read_spans(folder, indexed)
    if (folder / QUERIES).is_file():
        return _read_beir(folder, indexed)
    raise DatasetError(
        f"{folder} is no dataset: it has neither {QUESTIONS} nor {QUERIES}",
        mend=f"name a folder with {ARTICLES} and {QUESTIONS}, or with {CORPUS}, {QUERIES}, {QRELS}",
    )


def _read_spans(folder: Path, indexed: Callable[[str], Article | None]) -> Dataset:
    questions = [_question(fields, where) for fields, where in _lines(folder / QUESTIONS)]
    _refuse_repeated([question.question_id for question in questions], folder / QUESTIONS)
    wanted = {q.article_id: None for q in questions if q.answers and q.article_id is not None}
    articles = _Articles(folder / ARTICLES, list(wanted), indexed)
    mapped = [
        articles.in_index(question) if question.answers else question for question in questions
    ]
    return Dataset(name=folder.resolve().name, questions=tuple(mapped))


class _Articles:
    """Offsets of the dataset's articles, turned into offsets of the index's."""

    def __init__(
        self, path: Path, wanted: Sequence[str], indexed: Callable[[str], Article | None]
    ) -> None:
        raw = {str(fields.get("id")): str(fields.get("text")) for fields, _ in _lines(path)}
        self._raw = {article_id: raw[article_id] for article_id in wanted if article_id in raw}
        read = read_sources([path.name], path.parent)
        self._cleaned = {
            article.article_id: clean(article)
            for article in read
            if isinstance(article, Article) and article.article_id in self._raw
        }
        self._path = path
        for article_id in wanted:
            if article_id not in self._cleaned:
                raise DatasetError(f"{path} has no article {article_id!r} with a text")
            _check_indexed(article_id, self._cleaned[article_id].article.text, indexed, path)

    def in_index(self, question: EvalQuestion) -> EvalQuestion:
        """A question with the spans of the index's text; without those that cleaning removed."""
        if question.article_id is None:
            raise DatasetError(f"question {question.question_id!r} has answers and no article_id")
        raw, cleaned = self._raw[question.article_id], self._cleaned[question.article_id]
        spans = []
        for answer in question.answers:
            if raw[answer.start : answer.end] != answer.text:
                raise DatasetError(
                    f"question {question.question_id!r}: {answer.text!r} does not stand at"
                    f" {answer.start}-{answer.end} of article {question.article_id!r}",
                    mend="offsets count characters of the article's text, [start, end)",
                )
            # Reading normalises newlines and Unicode; cleaning takes pieces out.
            start = cleaned.to_cleaned(len(normalise(raw[: answer.start])))
            last = cleaned.to_cleaned(len(normalise(raw[: answer.end])) - 1)
            if start is not None and last is not None and start <= last:
                text = cleaned.article.text[start : last + 1]
                spans.append(GoldSpan(text=text, start=start, end=last + 1))
        return question.model_copy(update={"answers": tuple(spans), "lost": not spans})


def _check_indexed(
    article_id: str, text: str, indexed: Callable[[str], Article | None], source: Path
) -> None:
    found = indexed(article_id)
    if found is None or found.text != text:
        state = "lacks" if found is None else "holds with another text"
        raise DatasetError(
            f"the index {state} article {article_id!r} of {source}",
            mend=f'add "{source.resolve()}" to sources in its index.toml and build it',
        )


def _read_beir(folder: Path, indexed: Callable[[str], Article | None]) -> Dataset:
    relevant: dict[str, dict[str, int]] = {}
    for query_id, article_id, grade in _qrels(folder / QRELS):
        relevant.setdefault(query_id, {})[article_id] = grade
    questions = []
    for fields, where in _lines(folder / QUERIES):
        query_id = str(fields.get("_id"))
        if query_id in relevant:  # the others belong to another split
            made = {"id": query_id, "question": fields.get("text"), "kind": BEIR_KIND}
            questions.append(_question(made, where, relevant[query_id]))
    if not questions:
        raise DatasetError(f"no query of {folder / QUERIES} has a line in {folder / QRELS}")
    _refuse_repeated([question.question_id for question in questions], folder / QUERIES)
    for article_id in {key: None for question in questions for key in question.relevant}:
        if indexed(article_id) is None:
            _check_indexed(article_id, "", indexed, folder / CORPUS)
    return Dataset(name=folder.resolve().name, questions=tuple(questions))


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


def _question(
    fields: Mapping[str, Any], where: str, relevant: Mapping[str, int] | None = None
) -> EvalQuestion:
    question = fields.get("question")
    if not isinstance(question, str) or not question.strip():
        raise DatasetError(f"{where}: `question` is empty or no string")
    given = fields.get("article_id")
    try:
        return EvalQuestion(
            question_id=str(fields["id"]) if "id" in fields else where,
            question=question,
            kind=str(fields.get("kind", "answerable" if fields.get("answers") else "unanswerable")),
            article_id=None if given is None else str(given),
            answers=fields.get("answers") or (),
            relevant=relevant or {},
        )
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DatasetError(f"{where}: {key}: {first['msg']}") from error


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Objects of a JSON lines file, each with where it stands."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                fields = json.loads(line)
                if not isinstance(fields, dict):
                    raise DatasetError(f"{path}:{number}: not a JSON object")
                yield fields, f"{path}:{number}"
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DatasetError(f"{path}:{number}: not JSON: {error}") from error


def _refuse_repeated(ids: Sequence[str], path: Path) -> None:
    seen: set[str] = set()
    for question_id in ids:
        if question_id in seen:
            raise DatasetError(f"{path}: two questions have the id {question_id!r}")
        seen.add(question_id)
