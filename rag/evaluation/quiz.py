"""Quiz questions: several choices, one of them right, asked on a day.

An answer is right if it holds the right choice. Both are compared in small letters, without
punctuation and English articles, with number words as figures.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from rag.answering.answer import Answer, AnswerStatus
from rag.retrieval import Hit

DEPTHS = (1, 5)
"""Hits that are looked at."""
_MARKUP = re.compile(r"<[^>]+>|\[\d+\]")
_PUNCTUATION = re.compile(r"[^\w\s%$£€.]|\.(?!\d)")
_ARTICLES = frozenset(("a", "an", "the"))
_NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_FIGURES = {word: str(n) for n, word in enumerate(_NUMBER_WORDS.split())}


class Quiz(BaseModel):
    """What is known about a quiz question.

    Attributes:
        choices: What may be chosen from, the right one among it.
        gold: The right choice.
        gold_articles: Ids of the articles that hold it.
    """

    model_config = ConfigDict(frozen=True)

    choices: tuple[str, ...]
    gold: str
    gold_articles: tuple[str, ...]


def quiz_metrics(quiz: Quiz, answer: Answer) -> dict[str, float]:
    """The figures of one answer: those of `said_metrics`, and `hit@k` of the hits shown with it."""
    refused = answer.status is AnswerStatus.NO_ANSWER
    return said_metrics(quiz, answer.text, refused=refused) | hit_metrics(quiz, answer.hits)


def said_metrics(quiz: Quiz, text: str, *, refused: bool) -> dict[str, float]:
    """The figures of a text, whoever wrote it.

    `right`: it holds the right choice. `wrong_choice`: another one and not the right one. `both`:
    the right one and another. `refused`: it is no answer; then none of these. `words`: of the text
    as it stands, marks of citations and refusals included.
    """
    right = not refused and holds_choice(quiz.gold, text)
    others = (choice for choice in quiz.choices if choice != quiz.gold)
    wrong = not refused and any(holds_choice(choice, text) for choice in others)
    return {
        "right": float(right),
        "wrong_choice": float(wrong and not right),
        "both": float(wrong and right),
        "refused": float(refused),
        "words": float(len(text.split())),
    }


def hit_metrics(quiz: Quiz, hits: Sequence[Hit]) -> dict[str, float]:
    """`hit@k`: whether the right choice stands in the title or text of one of the first k hits."""
    held = [holds_choice(quiz.gold, f"{hit.title} {hit.text}") for hit in hits[: max(DEPTHS)]]
    return {f"hit@{k}": float(any(held[:k])) for k in DEPTHS}


def holds_choice(choice: str, text: str) -> bool:
    """Whether a text holds a choice, as whole words."""
    wanted = _normal(choice)
    return bool(wanted) and f" {wanted} " in f" {_normal(text)} "


def _normal(text: str) -> str:
    text = unicodedata.normalize("NFKC", _MARKUP.sub(" ", text)).lower().replace(",", "")
    words = _PUNCTUATION.sub(" ", text).split()
    return " ".join(_FIGURES.get(word, word) for word in words if word not in _ARTICLES)
