"""Questions whose answers are spans of articles.

`questions.jsonl` (`id`, `question`, `kind`, `article_id`, `answers`: a list of `{text, start,
end}`, in characters of the article's text as it stands in the file) beside `articles.jsonl`. What
is measured is whether a hit covers a whole answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.article import Article
from rag.cleaning import clean
from rag.errors import DatasetError
from rag.evaluation.dataset import EvalQuestion, GoldSpan
from rag.evaluation.indexed import Indexed, check_indexed
from rag.evaluation.lines import objects, question_of
from rag.readers import normalise, read_sources

ARTICLES = "articles.jsonl"


def read_spans(
    rows: Iterable[tuple[dict[str, Any], str]], folder: Path, indexed: Indexed
) -> list[EvalQuestion]:
    """Questions with the spans of the text that the index holds.

    Args:
        rows: Objects of the file, each with where it stands.
        folder: Where the articles lie.
        indexed: The article of the index by its id.

    Raises:
        DatasetError: something is wrong, or the index holds other articles.
    """
    questions = [_question(fields, where) for fields, where in rows]
    wanted = {q.article_id: None for q in questions if q.answers and q.article_id is not None}
    if not any(question.answers for question in questions):
        return questions
    articles = _Articles(folder / ARTICLES, list(wanted), indexed)
    return [articles.in_index(question) if question.answers else question for question in questions]


def _question(fields: dict[str, Any], where: str) -> EvalQuestion:
    given = fields.get("article_id")
    answers = fields.get("answers") or ()
    return question_of(
        fields,
        where,
        kind=str(fields.get("kind", "answerable" if answers else "unanswerable")),
        article_id=None if given is None else str(given),
        answers=answers,
    )


class _Articles:
    """Offsets of the dataset's articles, turned into offsets of the index's."""

    def __init__(self, path: Path, wanted: Sequence[str], indexed: Indexed) -> None:
        raw = {str(fields.get("id")): str(fields.get("text")) for fields, _ in objects(path)}
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
            check_indexed(article_id, self._cleaned[article_id].article.text, indexed, path)

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
