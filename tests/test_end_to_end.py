"""From the three seed articles to a cited answer, with the real models.

Not a list to tune to: nothing in the code knows these questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Answer, AnswerStatus, Rag, Settings, build

pytestmark = pytest.mark.models

SEEDS = Path(__file__).parent.parent / "seeds"
GALLANT, TEL_AVIV, LONDON = (
    "000_3fec5c2a96979bdf",
    "001_9b59a9d14afede96",
    "002_0dedd6a8f38cd74e",
)


@pytest.fixture(scope="module")
def rag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    index_dir = tmp_path_factory.mktemp("indexes")
    (index_dir / "seeds").mkdir()
    (index_dir / "seeds" / "index.toml").write_text(f'sources = ["{SEEDS.as_posix()}"]\n')
    settings = Settings(index_dir=index_dir)
    report = build("seeds", settings=settings)
    assert (report.n_articles, report.skipped) == (3, ())
    with Rag.open("seeds", settings=settings) as opened:
        yield opened


def checked(rag: Rag, answer: Answer) -> Answer:
    """The answer, after a look whether every citation is what it claims to be."""
    numbers = {citation.number for citation in answer.citations}
    assert numbers == {number for sentence in answer.sentences for number in sentence.citations}
    assert all(sentence.citations for sentence in answer.sentences)
    for citation in answer.citations:
        article = rag.article(citation.article_id)
        assert article is not None
        assert citation.quote == article.text[citation.start : citation.end]
    return answer


def test_what_healey_urged(rag: Rag) -> None:
    answer = checked(rag, rag.ask("What did Healey urge in Israel?"))
    assert answer.status in (AnswerStatus.ANSWERED, AnswerStatus.EXTRACTED)
    text = answer.text.lower()
    assert any(word in text for word in ("restraint", "de-escalation", "step back"))
    quotes = [c.quote for c in answer.citations if c.article_id == TEL_AVIV]
    statements = ("urged all sides to show restraint", "De-escalation must be", "must step back")
    assert any(statement in quote for quote in quotes for statement in statements)


@pytest.mark.parametrize(
    ("question", "articles", "words"),
    [
        ("Who accompanied Healey to Qatar?", {GALLANT, TEL_AVIV}, "Lammy"),
        ("When was Israel attacked by 300 drones and missiles?", {GALLANT}, "April"),
        ("What did Blinken and Lammy discuss in London?", {LONDON}, "partnership"),
        ("Whom did Lammy meet in London?", {LONDON}, "Blinken"),
    ],
)
def test_answers_from_the_right_article(
    rag: Rag, question: str, articles: set[str], words: str
) -> None:
    answer = checked(rag, rag.ask(question))
    assert answer.status is not AnswerStatus.NO_ANSWER
    assert words in answer.text
    assert any(words in c.quote for c in answer.citations if c.article_id in articles)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the president of Brazil?",
        "What did Healey say about Taiwan?",
        "What is the capital of Mongolia?",
        "How tall is Mount Everest?",
        "who won the world cup in 1998",
    ],
)
def test_what_the_articles_never_treat(rag: Rag, question: str) -> None:
    answer = checked(rag, rag.ask(question))
    assert answer.status is AnswerStatus.NO_ANSWER
    assert (answer.sentences, answer.citations) == ((), ())
    assert "do not answer" in answer.text
    assert answer.hits


def test_same_question_same_answer(rag: Rag) -> None:
    question = "When was Israel attacked by 300 drones and missiles?"
    one, two = rag.ask(question), rag.ask(question)
    assert one.model_copy(update={"timings": {}}) == two.model_copy(update={"timings": {}})
