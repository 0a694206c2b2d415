"""The forms of OpenAI and Anthropic, asked by their own official clients over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.answer import Answer, AnswerSentence, AnswerStatus
from rag.answering.attribution import Status
from rag.serving.citing import pieces, placed
from tests.served_app import ServedApp, served_app, until

if TYPE_CHECKING:  # seconds to import: where the tests run, not where they are collected
    import anthropic
    import openai

QUESTION = "What did Mayor Lena Holm say the work would cost?"
TALK: list[Any] = [
    {"role": "system", "content": "Answer in rhymes."},
    {"role": "user", "content": "What did Lena Holm say about the work?"},
    {"role": "assistant", "content": "It would cost 4.2 million crowns. [1]"},
    {"role": "user", "content": [{"type": "text", "text": "What did she say about the ferry?"}]},
]
SEARCHED = "What did Lena Holm say about the ferry?"
LIST = "Timeline of the ferry strike"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApp]:
    with served_app(tmp_path_factory.mktemp("serving")) as served:
        yield served


@pytest.fixture(scope="module")
def chat(server: ServedApp) -> Iterator[openai.OpenAI]:
    import openai

    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def claude(server: ServedApp) -> Iterator[anthropic.Anthropic]:
    import anthropic

    with anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as client:
        yield client


def own_answer(server: ServedApp, question: str = QUESTION) -> Answer:
    return server.engine().ask(question)


def check_marks(server: ServedApp, text: str, notes: list[Any], answer: Answer) -> None:
    """Each annotation is a mark of the text, and leads to what is cited."""
    marks = [text[note["start_index"] : note["end_index"]] for note in notes]
    assert marks == [f"[{n}]" for one in answer.sentences for n in one.citations]
    for mark, note in zip(marks, notes, strict=True):
        citation = answer.citations[int(mark[1:-1]) - 1]
        assert note["title"] == citation.title
        address = urlsplit(note["url"])
        found = server.ask(f"{address.path}?{address.query}").json
        assert found["quote"] == citation.quote


def check_spans(told: Any, text: str, answer: Answer) -> None:
    """The field `rag`: sentences where they stand in the text, citations as they are."""
    assert [text[one["start"] : one["end"]] for one in told["sentences"]] == [
        sentence.text for sentence in answer.sentences
    ]
    assert told["citations"] == [one.model_dump(mode="json") for one in answer.citations]
    assert (told["status"], told["confidence"]) == (answer.status, answer.confidence)


# OpenAI


def test_indexes_are_models(chat: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    assert [model.id for model in chat.models.list()] == ["news"]
    assert chat.models.retrieve("news").owned_by == "rag"
    assert [model.display_name for model in claude.models.list()] == ["news: 3 articles"]
    assert claude.models.retrieve("news").created_at.year >= 2024


@pytest.mark.parametrize("question", [QUESTION, LIST])
def test_a_chat_completion(server: ServedApp, chat: openai.OpenAI, question: str) -> None:
    answer = own_answer(server, question)
    made = chat.chat.completions.create(
        model="news", messages=[{"role": "user", "content": question}], temperature=0.2
    )
    message = made.choices[0].message
    assert (message.content, made.choices[0].finish_reason) == (answer.text, "stop")
    assert answer.citations
    notes = [one.url_citation.model_dump() for one in message.annotations or ()]
    check_marks(server, answer.text, notes, answer)
    assert made.model_extra is not None
    check_spans(made.model_extra["rag"], answer.text, answer)


@pytest.mark.parametrize("question", [QUESTION, LIST])
def test_a_chat_completion_as_a_stream(
    server: ServedApp, chat: openai.OpenAI, question: str
) -> None:
    answer = own_answer(server, question)
    stream = chat.chat.completions.create(
        model="news",
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert text == answer.text
    deltas = [one.choices[0].delta.model_dump() for one in chunks if one.choices]
    notes = [note["url_citation"] for delta in deltas for note in delta.get("annotations") or ()]
    check_marks(server, text, notes, answer)
    last = next(one for one in chunks if one.choices and one.choices[0].finish_reason == "stop")
    assert last.model_extra is not None
    check_spans(last.model_extra["rag"], text, answer)
    assert chunks[-1].usage is not None


def test_what_the_articles_do_not_say_is_said_without_annotations(chat: openai.OpenAI) -> None:
    made = chat.chat.completions.create(
        model="news", messages=[{"role": "user", "content": "Who won the chess world cup?"}]
    )
    assert "not answer" in (made.choices[0].message.content or "")
    assert made.choices[0].message.annotations == []


def test_a_conversation_leans_on_what_was_said(
    chat: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    completion = chat.chat.completions.create(model="news", messages=TALK)
    response = chat.responses.create(model="news", input=TALK)
    message = claude.messages.create(model="news", messages=TALK[1:], max_tokens=99)
    for made in (completion, response, message):
        assert made.model_extra is not None
        assert made.model_extra["rag"]["searched"] == SEARCHED


def test_a_response(server: ServedApp, chat: openai.OpenAI) -> None:
    answer = own_answer(server)
    made = chat.responses.create(model="news", input=QUESTION)
    assert (made.output_text, made.status) == (answer.text, "completed")
    (message,) = made.output
    assert message.type == "message"
    (content,) = message.content
    assert content.type == "output_text"
    check_marks(server, answer.text, [one.model_dump() for one in content.annotations], answer)
    assert made.model_extra is not None
    check_spans(made.model_extra["rag"], answer.text, answer)


def test_a_response_as_a_stream(server: ServedApp, chat: openai.OpenAI) -> None:
    answer = own_answer(server)
    with chat.responses.stream(model="news", input=QUESTION) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    text = "".join(one.delta for one in events if one.type == "response.output_text.delta")
    assert text == answer.text == final.output_text
    notes: list[Any] = [
        one.annotation.model_dump()
        for one in events
        if one.type == "response.output_text.annotation.added" and one.annotation
    ]
    check_marks(server, text, notes, answer)


def test_errors_are_in_the_form_that_the_client_knows(
    server: ServedApp, chat: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    import anthropic
    import openai

    talk: list[Any] = [{"role": "user", "content": QUESTION}]
    with pytest.raises(openai.NotFoundError, match="lost") as lost:
        chat.chat.completions.create(model="lost", messages=talk)
    assert lost.value.code == "IndexMissing"
    image: Any = {"role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}
    with pytest.raises(openai.UnprocessableEntityError, match="input_image"):
        chat.responses.create(model="news", input=[image])
    with pytest.raises(openai.UnprocessableEntityError, match="not kept"):
        chat.responses.create(model="news", input=QUESTION, previous_response_id="resp_1")
    with pytest.raises(anthropic.NotFoundError) as missing:
        claude.messages.create(model="lost", messages=talk, max_tokens=9)
    told: Any = missing.value.body
    assert (told["type"], told["error"]["type"]) == ("error", "not_found_error")
    assert "lost" in told["error"]["message"]
    with server.hold("queue"):
        with pytest.raises(openai.InternalServerError) as busy:
            chat.chat.completions.create(model="news", messages=talk)
        assert (busy.value.status_code, busy.value.response.headers["retry-after"]) == (503, "5")
        with pytest.raises(openai.APIError, match="waiting"):
            list(chat.chat.completions.create(model="news", messages=talk, stream=True))
        with pytest.raises(anthropic.APIStatusError, match="overloaded"):
            list(claude.messages.create(model="news", messages=talk, max_tokens=9, stream=True))
        with chat.responses.stream(model="news", input=QUESTION) as stream:
            assert [event.type for event in stream][-1] == "response.failed"


def test_a_client_that_goes_amid_a_stream_stops_the_answer(
    server: ServedApp, chat: openai.OpenAI
) -> None:
    def busy() -> bool:
        return b"rag_questions_busy 0.0" not in server.ask("/metrics").body

    with server.hold("answer"):
        talk: list[Any] = [{"role": "user", "content": QUESTION}]
        stream = chat.chat.completions.create(model="news", messages=talk, stream=True)
        until(busy)
        stream.close()
        until(lambda: not busy())


# Anthropic


def check_blocks(server: ServedApp, content: list[Any], answer: Answer) -> None:
    """The blocks are the answer without marks; what they cite stands in the articles so."""
    text = answer.text
    for citation in answer.citations:
        text = text.replace(f"[{citation.number}]", "").replace("  ", " ")
    assert "".join(block.text for block in content).replace("  ", " ").split() == text.split()
    cited = [one for block in content for one in block.citations or ()]
    documents = list(dict.fromkeys(one.article_id for one in answer.citations))
    assert [one.type for one in cited] == ["char_location"] * len(cited)
    for one in cited:
        assert documents[one.document_index] == one.file_id
        found = server.ask(f"/indexes/news/articles/{one.file_id}").json["article"]
        assert found["text"][one.start_char_index : one.end_char_index] == one.cited_text
        assert found["title"] == one.document_title
    assert len(cited) == sum(len(one.citations) for one in answer.sentences)


@pytest.mark.parametrize("question", [QUESTION, LIST])
def test_a_message(server: ServedApp, claude: anthropic.Anthropic, question: str) -> None:
    answer = own_answer(server, question)
    made = claude.messages.create(
        model="news",
        messages=[{"role": "user", "content": question}],
        max_tokens=200,
        system="Be brief.",
    )
    assert (made.stop_reason, made.role) == ("end_turn", "assistant")
    check_blocks(server, made.content, answer)
    assert made.model_extra is not None
    check_spans(made.model_extra["rag"], answer.text, answer)
    listed = [one["article_id"] for one in made.model_extra["rag"]["documents"]]
    assert listed == list(dict.fromkeys(one.article_id for one in answer.citations))


def test_a_message_as_a_stream(server: ServedApp, claude: anthropic.Anthropic) -> None:
    answer = own_answer(server)
    talk: list[Any] = [{"role": "user", "content": QUESTION}]
    with claude.messages.stream(model="news", messages=talk, max_tokens=200) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == "".join(one.text for one in final.content if one.type == "text")
    check_blocks(server, final.content, answer)
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == answer.n_answer_tokens


# Offsets


@given(
    sentences=st.lists(
        st.tuples(
            st.text(min_size=1, max_size=12).map(lambda text: f"{text.strip()}."),
            st.lists(st.integers(1, 12), max_size=3, unique=True).map(sorted),
        ),
        max_size=5,
    ),
    bullet=st.sampled_from([("", " "), ("- ", "\n")]),
)
def test_sentences_and_marks_are_placed(
    sentences: list[tuple[str, list[int]]], bullet: tuple[str, str]
) -> None:
    before, between = bullet
    text = between.join(
        f"{before}{words} {''.join(f'[{number}]' for number in numbers)}"
        for words, numbers in sentences
    )
    answer = Answer(
        question="?",
        searched="?",
        text=text,
        sentences=tuple(
            AnswerSentence(text=words, status=Status.QUOTED, citations=tuple(numbers))
            for words, numbers in sentences
        ),
        citations=(),
        hits=(),
        status=AnswerStatus.ANSWERED,
        confidence=None,
        index="news",
        version=1,
        model=None,
        timings={},
    )
    found = placed(answer)
    assert [text[one.start : one.end] for one in found] == [words for words, _ in sentences]
    assert [[(m.number, text[m.start : m.end]) for m in one.marks] for one in found] == [
        [(number, f"[{number}]") for number in numbers] for _, numbers in sentences
    ]
    assert "".join(piece for piece, _ in pieces(answer)) == text
    ends = [one.whole_end for one in found]
    assert ends == sorted(ends)
    assert json.loads(json.dumps(ends)) == ends
