"""Broad questions: summaries, lists, timelines, with the nuggets that a good answer holds.

A nugget is an atomic fact with the ways to recognise it, as in Voorhees, "Evaluating Answers to
Definition Questions", NAACL 2003. It is found if of each of its groups one alternative stands in
the answer as whole words, both in one spelling: dates, figures, units and number words alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from rag.answering.answer import Answer, AnswerStatus


class Nugget(BaseModel):
    """A fact, and how it is recognised.

    Attributes:
        text: The fact.
        match: Groups of alternatives; one of each group must stand in the answer.
        vital: Whether an answer without it is a bad one.
    """

    model_config = ConfigDict(frozen=True)

    text: str = ""
    match: tuple[tuple[str, ...], ...] = Field(min_length=1)
    vital: bool = False


class Broad(BaseModel):
    """What is known about a broad question.

    Attributes:
        nuggets: What an answer should hold.
        articles: Ids of the articles that tell it.
        forbidden: What must not stand in an answer; "^yes" only not at its beginning.
        no_answer: Whether the articles do not answer it.
    """

    model_config = ConfigDict(frozen=True)

    nuggets: tuple[Nugget, ...] = ()
    articles: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    no_answer: bool = False


def broad_metrics(broad: Broad, answer: Answer) -> dict[str, float]:
    """The figures of one answer.

    For every question: `forbidden`: it holds something that it must not; `words` of its text as it
    stands, marks of citations included. Where the articles do not answer: `rightly_refused`.

    For the others: `wrongly_refused`; `nugget_recall` and `vital_recall`, shares found, weighed by
    their number (`rag.evaluation.metrics.WEIGHTS`), so that a mean is over all nuggets;
    `vital_recall_by_question`, which counts each question once; `all_vital`; `citation_precision`,
    share of the citations from the right articles, weighed by their number.
    """
    said, refused = normal(answer.text), is_refusal(answer)
    forbidden = not refused and any(_forbids(pattern, said) for pattern in broad.forbidden)
    metrics = {"forbidden": float(forbidden), "words": float(len(answer.text.split()))}
    if broad.no_answer:
        return metrics | {"rightly_refused": float(refused)}
    found = [not refused and _is_found(nugget, said) for nugget in broad.nuggets]
    vital = [held for held, nugget in zip(found, broad.nuggets, strict=True) if nugget.vital]
    right = [citation.article_id in broad.articles for citation in answer.citations]
    metrics |= {"wrongly_refused": float(refused), "all_vital": float(bool(vital) and all(vital))}
    metrics |= _share("vital_recall", "n_vital", vital)
    metrics |= _share("nugget_recall", "n_nuggets", found)
    metrics |= _share("citation_precision", "n_citations", right)
    if vital:
        metrics["vital_recall_by_question"] = metrics["vital_recall"]
    return metrics


def _share(name: str, count: str, held: Sequence[bool]) -> dict[str, float]:
    return {name: sum(held) / len(held), count: float(len(held))} if held else {}


def _is_found(nugget: Nugget, said: str) -> bool:
    return all(any(_stands(other, said) for other in group) for group in nugget.match)


def _stands(phrase: str, said: str) -> bool:
    wanted = normal(phrase)
    return bool(wanted.strip()) and wanted in said


def _forbids(pattern: str, said: str) -> bool:
    if pattern.startswith("^"):
        return said.startswith(normal(pattern[1:]))
    return _stands(pattern, said)


# Refusals

_SHORT_WORDS = 60
_NOT_SAID = re.compile(
    r"\b(do(es)? not|don't|doesn't|did not|cannot|can't|could not|couldn't|unable to|no)"
    r" (\w+ ){0,4}(say|state|mention|contain|answer|find|found|cover|report|include|information"
    r"|evidence|passage|article|tell|determine)"
    r"|\bnot (found|mentioned|stated|covered|reported|in the (articles|archive|sources|documents))"
    r"|\binsufficient (information|evidence)",
    re.IGNORECASE,
)


def is_refusal(answer: Answer) -> bool:
    """Whether an answer is none: by its status, or a short text without a source that says so."""
    text = answer.text.strip()
    if answer.status is AnswerStatus.NO_ANSWER or not text:
        return True
    is_short = len(text.split()) <= _SHORT_WORDS
    return is_short and not answer.citations and _NOT_SAID.search(text) is not None


# One spelling

_MONTH_NAMES = (
    "january february march april may june july august september october november december"
)
_MONTHS = {
    name: n
    for n, month in enumerate(_MONTH_NAMES.split(), 1)
    for name in (month, month[:3])
} | {"sept": 9}  # fmt: skip
_MONTH = f"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
# Not "one", a pronoun far more often than a figure, and not "zero".
_SMALL = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_FIGURES = {word: str(n) for n, word in enumerate(_SMALL.split(), 2)} | {
    word: str(10 * n) for n, word in enumerate(_TENS.split(), 3)
}
_ARTICLES = frozenset(("a", "an", "the"))
_UNITS = {"bn": " billion", "b": " billion", "tn": " trillion"}
_NUMERIC_DATE = re.compile(r"\b(?:19|20)\d\d[-/](\d\d?)[-/](\d\d?)\b")
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\.?\s+(\d\d?)(?:st|nd|rd|th)?\b(?!\s*,?\s*000)(?![.,:]?\d)")
_DAY_FIRST = re.compile(
    rf"\b(\d\d?)(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}"
    r"\b(?!\s+(?:be|have|not|also|still|never)\b)\.?"  # not "12 may be"
)


def normal(text: str) -> str:
    """A text in one spelling, between spaces: what is compared."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    text = re.sub("[\u2018\u2019`]", "'", text)
    text = re.sub(r"(\d),(?=\d{3}\b)", r"\1", text)
    text = re.sub(r"\bcan't\b", "can not", text)
    text = re.sub(r"n't\b", " not", text)
    text = re.sub(r"'s\b|s'(?=\s)", lambda found: "" if found[0] == "'s" else "s", text)
    text = re.sub(r"(\d)\s?(bn|b|tn)\b", lambda found: found[1] + _UNITS[found[2]], text)
    text = re.sub(r"(\d)\s?(?:mn|mln|m)\b", r"\1 million", text)
    text = re.sub(r"(\d)\s?k\b", r"\g<1>000", text)
    text = text.replace("%", " percent ").replace("per cent", "percent").replace("&", " and ")
    text = _NUMERIC_DATE.sub(_day_of_figures, text)
    text = _MONTH_FIRST.sub(lambda found: _day_of_month(found[1], found[2], found[0]), text)
    text = _DAY_FIRST.sub(lambda found: _day_of_month(found[2], found[1], found[0]), text)
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", " ", text)
    words = re.sub(r"[^a-z0-9.]+", " ", text).split()
    return f" {' '.join(_FIGURES.get(word, word) for word in words if word not in _ARTICLES)} "


def _day_of_figures(found: re.Match[str]) -> str:
    return _day(found[1], found[2]) if 1 <= int(found[1]) <= 12 else found[0]


def _day_of_month(month: str, day: str, as_written: str) -> str:
    return _day(_MONTHS[month], day) if 1 <= int(day) <= 31 else as_written


def _day(month: int | str, day: str) -> str:
    """One word for a day of the year, however it was written."""
    return f" d{int(month):02d}{int(day):02d} "
