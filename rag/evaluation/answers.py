"""Figures of one answer, and of confidence over many.

What counts as right: the text of the answer contains a gold answer (`rag.evaluation.squad`), or
what the form of the question says (`rag.evaluation.quiz`, `premises`, `broad`, `remarks`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from rag.answering.answer import Answer, AnswerStatus, Citation
from rag.article import Article
from rag.evaluation.broad import broad_metrics
from rag.evaluation.dataset import EvalQuestion
from rag.evaluation.premises import premise_metrics
from rag.evaluation.quiz import quiz_metrics
from rag.evaluation.remarks import remark_metrics
from rag.evaluation.squad import f1, holds, normal
from rag.text.sentences import split

_MARKS = re.compile(r"\[\d+\]")


def answer_metrics(
    question: EvalQuestion, answer: Answer, article: Callable[[str], Article | None]
) -> dict[str, float]:
    """The figures of one answer; shares and flags in [0, 1], times in seconds.

    `contains`, `exact_match`, `f1`: against the gold answers, the best of them; 0 for
    `no_answer`. Only for questions with gold answers.
    `citation_precision`: share of the citations that lie in the right article; that each supports
    the sentence it stands on has been checked by `rag.answering.attribution`.
    `gold_citation_precision`: share of those that overlap the sentence of a gold answer.
    `gold_cited`: whether such a sentence is among the citations. Only for answers with citations
    to questions with gold. `citation_recall`: share of the sentences that carry a citation.
    `quote_exact`: share of the quotes that equal their span.

    Questions of a form have its figures too: `quiz_metrics`, `premise_metrics`, `broad_metrics`,
    `remark_metrics`.
    """
    plain = _MARKS.sub(" ", answer.text)
    given = answer.status is not AnswerStatus.NO_ANSWER
    metrics = {
        f"{status.value}_rate": float(answer.status is status)
        for status in (AnswerStatus.ANSWERED, AnswerStatus.EXTRACTED, AnswerStatus.NO_ANSWER)
    }
    if answer.confidence is not None:
        metrics["confidence"] = answer.confidence
    if question.answers:
        golds = [gold.text for gold in question.answers]
        metrics["contains"] = float(given and any(holds(plain, gold) for gold in golds))
        metrics["exact_match"] = float(
            given and any(normal(plain) == normal(gold) for gold in golds)
        )
        metrics["f1"] = max(f1(plain, gold) for gold in golds) if given else 0.0
        if answer.citations:
            metrics |= _citation_metrics(question, answer, article)
    if given:
        cited = [bool(sentence.citations) for sentence in answer.sentences]
        metrics["citation_recall"] = float(np.mean(cited))
        if answer.citations:
            exact = [_exact(citation, article) for citation in answer.citations]
            metrics["quote_exact"] = float(np.mean(exact))
        metrics["words"] = float(len(plain.split()))
    if answer.model is not None:
        metrics["prompt_tokens"] = float(answer.n_prompt_tokens)
    for name in ("evidence", "first_token", "total"):
        if name in answer.timings:
            metrics[f"seconds_to_{name}" if name != "total" else "seconds_total"] = answer.timings[
                name
            ]
    return metrics | _form_metrics(question, answer)


def _form_metrics(question: EvalQuestion, answer: Answer) -> dict[str, float]:
    if question.quiz is not None:
        return quiz_metrics(question.quiz, answer)
    if question.premise is not None:
        return premise_metrics(question.premise, answer)
    if question.broad is not None:
        return broad_metrics(question.broad, answer)
    if question.remark is not None:
        return remark_metrics(question.remark, answer)
    return {}


def _citation_metrics(
    question: EvalQuestion, answer: Answer, article: Callable[[str], Article | None]
) -> dict[str, float]:
    text = found.text if (found := article(question.article_id or "")) else ""
    gold = [
        (span.start, span.end)
        for span in split(text)
        if any(span.start < g.end and g.start < span.end for g in question.answers)
    ]
    right = [c.article_id == question.article_id for c in answer.citations]
    on_gold = [
        c.article_id == question.article_id
        and any(c.start < end and start < c.end for start, end in gold)
        for c in answer.citations
    ]
    return {
        "citation_precision": float(np.mean(right)),
        "gold_citation_precision": float(np.mean(on_gold)),
        "gold_cited": float(any(on_gold)),
    }


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive scores above a negative, ties as a half: area under the ROC curve."""
    ours, theirs = np.array(positive)[:, None], np.array(negative)[None, :]
    return float(np.mean((ours > theirs) + 0.5 * (ours == theirs)))


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """Share of answers given, and of those the share that is wrong, the surest first.

    As in El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR
    2010.
    """
    order = np.argsort(-np.array(confidences), kind="stable")
    wrong = np.cumsum(~np.array(right, dtype=bool)[order])
    n = np.arange(1, len(order) + 1)
    pairs = zip((n / len(n)).tolist(), (wrong / n).tolist(), strict=True)
    return [(coverage, risk) for coverage, risk in pairs]


def _exact(citation: Citation, article: Callable[[str], Article | None]) -> bool:
    found = article(citation.article_id)
    return found is not None and found.text[citation.start : citation.end] == citation.quote
