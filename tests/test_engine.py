"""`Rag` with fake models on a real index: every way an answer can come about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.answering.answer import Answer, AnswerStatus
from rag.answering.attribution import Status
from rag.answering.events import AnswerReady, EvidenceFound, TextWritten
from rag.engine import Rag
from rag.errors import CancelledError, ClosedError, IndexFormatError, QuestionError, RagError
from rag.llm import Prompt, Token
from rag.retrieval import Filter
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM, fake_calibration
from rag.text.analysis import Analyzer
from rag.text.language import language
from tests.support import ARTICLES, build, in_fork, open_index, write_articles

SETTINGS = Settings(min_evidence=0)
QUESTION = "What would the repairs of the harbour bridge cost?"
COST = "Mayor Lena Holm said the work would cost 4.2 million crowns."
Ask = Callable[..., Answer]
"""Completion, question, settings."""


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    return index_dir


@pytest.fixture
def ask(index_dir: Path) -> Iterator[Ask]:
    opened: list[Rag] = []

    def run(completion: str, question: str = QUESTION, settings: Settings = SETTINGS) -> Answer:
        rag = Rag(
            open_index(index_dir),
            FakeEmbedder(),
            FakeLLM([completion]),
            settings,
            calibration=fake_calibration(),
        )
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


def test_supported_answer_is_cited(ask: Ask) -> None:
    answer = ask("The repairs would cost 4.2 million crowns, mayor Lena Holm said.")
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.text == "The repairs would cost 4.2 million crowns, mayor Lena Holm said. [1]"
    assert [c.quote for c in answer.citations] == [COST]
    assert answer.citations[0].source == "Osterby Post"
    assert (answer.index, answer.version, answer.model) == ("news", 1, "fake")
    assert Answer.model_validate_json(answer.model_dump_json()) == answer


def test_marks_of_the_model_are_not_trusted(ask: Ask) -> None:
    answer = ask("The repairs would cost 4.2 million crowns [7][99], Holm said.")
    assert answer.text == "The repairs would cost 4.2 million crowns, Holm said. [1]"
    assert [c.quote for c in answer.citations] == [COST]


def test_unsupported_sentence_is_left_out(ask: Ask) -> None:
    answer = ask("The work would cost 4.2 million crowns, she said. The king paid half of it.")
    assert answer.status is AnswerStatus.ANSWERED
    assert [s.text for s in answer.sentences] == [
        "The work would cost 4.2 million crowns, she said."
    ]
    assert [(s.text, s.status) for s in answer.withheld] == [
        ("The king paid half of it.", Status.UNSUPPORTED)
    ]
    assert "king" not in answer.text


def test_what_somebody_said_is_not_made_a_fact(ask: Ask) -> None:
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
def test_nothing_supported_means_verbatim_sentences(ask: Ask, completion: str) -> None:
    answer = ask(completion)
    assert answer.status is AnswerStatus.EXTRACTED
    assert [s.status for s in answer.sentences] == [Status.QUOTED] * len(answer.sentences)
    assert answer.text == " ".join(s.text + f" [{s.citations[0]}]" for s in answer.sentences)
    assert answer.citations[0].article_id == "harbour"


def test_low_confidence_is_no_answer(ask: Ask) -> None:
    answer = ask("Anything.", "Who is the emperor of Zanzibar?", Settings(min_evidence=0.5))
    assert answer.status is AnswerStatus.NO_ANSWER
    assert (answer.sentences, answer.citations, answer.model) == ((), (), None)
    assert answer.hits
    assert answer.text == (
        "The 3 articles of the index “news” do not answer this question."
        " What was found does not bear out “Zanzibar”."
    )


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
    fitted = fake_calibration()
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM(), SETTINGS, calibration=fitted) as rag:
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


class HeldLLM(FakeLLM):
    """Writes one word, then waits until it may go on; it does not look whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        yield Token("Mayor ")
        self.begun.set()
        self.go_on.wait(20)
        yield Token("Lena Holm said it. ")


def test_closing_while_somebody_asks_cancels_the_answer(index_dir: Path) -> None:
    llm = HeldLLM()
    rag = Rag(open_index(index_dir), FakeEmbedder(), llm, SETTINGS)
    raised: list[RagError] = []

    def ask() -> None:
        try:
            rag.ask(QUESTION)
        except RagError as error:
            raised.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    assert llm.begun.wait(20)
    closing = threading.Thread(target=rag.close)
    closing.start()
    while not llm.closed:
        time.sleep(0.01)
    assert rag._version.now().index.catalog.article("ferry") is not None  # open while it is read
    llm.go_on.set()
    for thread in (asker, closing):
        thread.join(20)
        assert not thread.is_alive()
    assert [type(error) for error in raised] == [CancelledError]


def test_closing_between_two_events_cancels_the_answer(index_dir: Path) -> None:
    rag = Rag(open_index(index_dir), FakeEmbedder(), FakeLLM(), SETTINGS)
    events = rag.stream(QUESTION)
    articles = rag.articles()
    assert isinstance(next(events), EvidenceFound)
    next(articles)
    rag.close()
    for iterator in (events, articles):
        with pytest.raises(CancelledError, match="'news' was closed"):
            next(iterator)


def every_call(rag: Rag) -> dict[str, object]:
    """What each public call of an engine raises, by name."""
    calls: dict[str, Callable[[], object]] = {
        "search": lambda: rag.search(QUESTION),
        "search_many": lambda: rag.search_many([QUESTION]),
        "ask": lambda: rag.ask(QUESTION),
        "ask_many": lambda: list(rag.ask_many([QUESTION])),
        "stream": lambda: list(rag.stream(QUESTION)),
        "chat": lambda: rag.chat().ask(QUESTION),
        "load": rag.load,
        "article": lambda: rag.article("ferry"),
        "articles": lambda: list(rag.articles()),
        "removed": lambda: rag.removed("ferry"),
        "index": lambda: rag.index,
        "embedder": lambda: rag.embedder,
        "calibration": lambda: rag.calibration,
    }
    raised = {}
    for name, call in calls.items():
        try:
            call()
        except ClosedError as error:
            raised[name] = error.message
    return {name: raised.get(name) for name in calls}


def test_every_call_of_a_closed_engine_says_that_it_is_closed(index_dir: Path) -> None:
    llm = FakeLLM()
    rag = Rag(open_index(index_dir), FakeEmbedder(), llm, SETTINGS)
    rag.close()
    rag.close()
    assert set(every_call(rag).values()) == {"index 'news' was closed"}
    assert (rag.model, rag.settings) == ("fake", SETTINGS)


def test_every_call_of_a_forked_engine_says_that_it_is_a_copy(index_dir: Path) -> None:
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM(), SETTINGS) as rag:

        def all_calls_and_close() -> dict[str, object]:
            told = every_call(rag)
            rag.close()
            return told

        told = in_fork(all_calls_and_close)
        assert [name for name, message in told.items() if "os.fork" not in str(message)] == []
        assert rag.ask(QUESTION).text  # the child closed nothing of the parent's


def test_filter_says_the_same_as_its_parts(index_dir: Path) -> None:
    with Rag(open_index(index_dir), FakeEmbedder(), FakeLLM(), SETTINGS) as rag:
        chosen = Filter.make(since="2024-03-02", undated=True, where={"section": "culture"})
        parts: dict[str, Any] = {
            "since": "2024-03-02",
            "undated": True,
            "where": {"section": "culture"},
        }
        assert [hit.article_id for hit in rag.search(QUESTION, filter=chosen)] == ["museum"]
        assert rag.search(QUESTION, filter=chosen) == rag.search(QUESTION, **parts)
        assert rag.search_many([QUESTION], filter=chosen)[0] == rag.search(QUESTION, **parts)
        assert rag.ask(QUESTION, filter=chosen).text == rag.ask(QUESTION, **parts).text
        with pytest.raises(QuestionError, match="not both"):
            rag.search(QUESTION, filter=chosen, until="2024-05-01")


class CountingAnalyzer(Analyzer):
    """Notes every text that it is given."""

    def __init__(self) -> None:
        super().__init__(language("en"))
        self.read: list[tuple[str, str]] = []

    def terms(self, text: str) -> list[str]:
        self.read.append(("all", text))
        return super().terms(text)

    def content_terms(self, text: str) -> list[str]:
        self.read.append(("content", text))
        return super().content_terms(text)


def test_a_question_is_analyzed_once(index_dir: Path) -> None:
    """Searched twice (its window first) and checked twice (two sentences), it is read once."""
    index = open_index(index_dir)
    index.analyzer = analyzer = CountingAnalyzer()
    with Rag(index, FakeEmbedder(), FakeLLM([f"{COST} The bridge closes."]), SETTINGS) as rag:
        answer = rag.ask(QUESTION, asked_on="2024-03-10")
    assert len(answer.sentences) == 2
    assert sorted(read for read in analyzer.read if read[1] == QUESTION) == [
        ("all", QUESTION),
        ("content", QUESTION),
    ]
