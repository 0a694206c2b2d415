"""The prompt: order, budget, hostile text."""

from __future__ import annotations

import datetime

import numpy as np

from rag.answering.evidence import Evidence
from rag.answering.prompt import SYSTEM, write_prompt
from rag.answering.question import Question
from rag.article import Article
from rag.retrieval import Hit, HitScores
from rag.text.analysis import analyzer
from rag.text.language import language
from rag.text.paragraphs import Paragraphs


def asked(text: str) -> Question:
    return Question.read(text, language("en"), asked_on=datetime.date(2024, 1, 5))


def count(text: str) -> int:
    return len(text.split())


def sentence(article: Article, text: str, score: float) -> Evidence:
    start = article.text.index(text)
    end = start + len(text)
    hit = Hit(
        rank=1, score=score, scores=HitScores(dense=0.5, sentence=0.5, lexical=0.5),
        article_id=article.article_id, title=article.title, published=article.published,
        source=None, url=None, path=None, start=0, end=len(article.text), text=article.text,
        sentence_start=start, sentence_end=end,
    )  # fmt: skip
    return Evidence(
        article,
        Paragraphs(article.text),
        analyzer("en"),
        hit,
        start,
        end,
        cosine=0.5,
        coverage=0.5,
        score=score,
        vector=np.ones(1, dtype=np.float32),
    )


ONE = Article(article_id="1", title="Bridge", text="First things first. Then\nthe second.")
TWO = Article(article_id="2", text="Another article.")


def test_passages_by_article_in_reading_order() -> None:
    evidence = [
        sentence(ONE, "Then\nthe second.", 3.0),
        sentence(TWO, "Another article.", 2.0),
        sentence(ONE, "First things first.", 1.0),
    ]
    prompt = write_prompt(asked(" Why? "), evidence, count_tokens=count, max_tokens=1000)
    assert prompt.system == SYSTEM
    assert prompt.user == (
        "[Bridge]\nFirst things first. Then the second.\n\nAnother article.\n\n"
        "Today is 5 January 2024.\nQuestion: Why?"
    )
    assert prompt.passages == tuple(item.text for item in evidence)


def test_least_evidence_is_left_out_when_it_does_not_fit() -> None:
    evidence = [
        sentence(ONE, "First things first.", 3.0),
        sentence(TWO, "Another article.", 2.0),
    ]
    whole = write_prompt(asked("Why?"), evidence, count_tokens=count, max_tokens=1000)
    budget = count(SYSTEM) + count(whole.user)
    exact = write_prompt(asked("Why?"), evidence, count_tokens=count, max_tokens=budget)
    less = write_prompt(asked("Why?"), evidence, count_tokens=count, max_tokens=budget - 1)
    assert exact.passages == tuple(item.text for item in evidence)
    assert less.passages == (evidence[0].text,)
    assert "Another" not in less.user
