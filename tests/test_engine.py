"""`Rag` with fake models on a real index: every way an answer can come about."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answering.answer import Answer, AnswerStatus
from rag.answering.attribution import Status
from rag.answering.events import AnswerReady, EvidenceFound, TextWritten
from rag.engine import Rag
from rag.errors import CancelledError, IndexFormatError, QuestionError
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, open_index, write_articles

SETTINGS = Settings(min_evidence=0)
QUESTION = "What would the repairs of the harbour bridge cost?"
COST = "Mayor Lena Holm said the work would cost 4.2 million crowns."


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    return index_dir


@pytest.fixture
def ask(index_dir: Path) -> Iterator[object]:
    opened: list[Rag] = []

    def run(completion: str, question: str = QUESTION, settings: Settings = SETTINGS) -> Answer:
        rag = Rag(open_index(index_dir), FakeEmbedder(), FakeLLM([completion]), settings)
        opened.append(rag)
        answer = rag.ask(question)
        texts = {article.article_id: article.text for article in rag.articles()}
        for citation in answer.citations:
            assert citation.quote == texts[citation.article_id][citation.start : citation.end]
        assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
        return answer

    yield run
    for rag in opened:
        rag.close()


def test_supported_answer_is_cited(ask) -> None:  # type: ignore[no-untyped-def]
    answer = ask("The repairs would cost 4.2 million crowns, mayor Lena Holm said.")
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.text == "The repairs would cost 4.2 million crowns, mayor Lena Holm said. [1]"
    assert [c.quote for c in answer.citations] == [COST]
    assert answer.citations[0].source == "Osterby Post"
    assert (answer.index, answer.version, answer.model) == ("news", 1, "fake")
    assert Answer.model_validate_json(answer.model_dump_json()) == answer


def test_marks_of_the_model_are_not_trusted(ask) -> None:  # type: ignore[no-untyped-def]
    answer = ask("The repairs would cost 4.2 million crowns [7][99], Holm said.")
    assert answer.text == "The repairs would cost 4.2 million crowns, Holm said. [1]"
    assert [c.quote for c in answer.citations] == [COST]


def test_unsupported_sentence_is_left_out(ask) -> None:  # type: ignore[no-untyped-def]
    answer = ask("The work would cost 4.2 million crowns, she said. The king paid half of it.")
    assert answer.status is AnswerStatus.ANSWERED
    assert [s.text for s in answer.sentences] == [
        "The work would cost 4.2 million crowns, she said."
    ]
    assert [(s.text, s.status) for s in answer.withheld] == [
        ("The king paid half of it.", Status.UNSUPPORTED)
    ]
    assert "king" not in answer.text


def test_what_somebody_said_is_not_made_a_fact(ask) -> None:  # type: ignore[no-untyped-def]
    answer = ask("The work would cost 4.2 million crowns.")
    assert answer.status is AnswerStatus.EXTRACTED
    assert answer.text == f"{COST} [1]"
    assert answer.sentences[0].status is Status.QUOTED
    assert [s.status for s in answer.withheld] == [Status.PARTLY]
    assert answer.note


@pytest.mark.parametrize(
    "completion",
    ["", "   ", "The king paid 9 million.", "1 1 1 1 1 1", "Das weiß ich nicht.", "<|im_end|>"],
)
def test_nothing_supported_means_verbatim_sentences(ask, completion: str) -> None:  # type: ignore[no-untyped-def]
    answer = ask(completion)
    assert answer.status is AnswerStatus.EXTRACTED
    assert [s.status for s in answer.sentences] == [Status.QUOTED] * len(answer.sentences)
    assert answer.text == " ".join(s.text + f" [{s.citations[0]}]" for s in answer.sentences)
    assert answer.citations[0].article_id == "harbour"


def test_low_confidence_is_no_answer(ask) -> None:  # type: ignore[no-untyped-def]
    answer = ask("Anything.", "Who is the emperor of Zanzibar?", Settings(min_evidence=0.5))
    assert answer.status is AnswerStatus.NO_ANSWER
    assert (answer.sentences, answer.citations, answer.model) == ((), (), None)
    assert answer.hits
    assert answer.text == "The 3 articles of the index “news” do not answer this question."


def test_stream_gives_evidence_then_text_then_the_answer(index_dir: Path) -> None:
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM(), SETTINGS) as rag:
        events = list(rag.stream(QUESTION))
    assert isinstance(events[0], EvidenceFound)
    assert events[0].hits[0].article_id == "harbour"
    assert isinstance(events[-1], AnswerReady)
    pieces = [event.text for event in events if isinstance(event, TextWritten)]
    assert "".join(pieces) == COST
    assert events[-1].answer.hits == events[0].hits


def test_stop_while_it_writes(index_dir: Path) -> None:
    cancelled = threading.Event()
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM(), SETTINGS) as rag:
        events = rag.stream(QUESTION, cancelled=cancelled)
        next(events)
        next(events)
        cancelled.set()
        with pytest.raises(CancelledError):
            list(events)


def test_filter_that_leaves_nothing_is_no_answer(index_dir: Path) -> None:
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM(), SETTINGS) as rag:
        answer = rag.ask(QUESTION, since="2050-01-01")
        assert answer.status is AnswerStatus.NO_ANSWER
        assert (answer.hits, answer.confidence) == ((), 0.0)
        with pytest.raises(QuestionError):
            rag.ask("  ")


def test_index_of_another_model_does_not_open(index_dir: Path) -> None:
    with (
        open_index(index_dir) as index,
        pytest.raises(IndexFormatError, match="rag build news --full"),
    ):
        Rag(index, FakeEmbedder(dimension=32), FakeLLM())


def test_leaving_frees_the_model(index_dir: Path) -> None:
    llm = FakeLLM()
    with Rag(open_index(index_dir), FakeEmbedder(), llm):
        pass
    assert llm.closed


def test_articles_can_be_read(index_dir: Path) -> None:
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM()) as rag:
        article = rag.article("ferry")
        assert article is not None
        assert article.text == ARTICLES[1]["text"]
        assert rag.article("nowhere") is None
        assert [a.article_id for a in rag.articles()] == ["harbour", "ferry", "museum"]
