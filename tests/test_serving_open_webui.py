"""Asked as Open WebUI asks: its headers, its further fields, and how it reads a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.answering.answer import Answer
from tests.served_app import Reply, ServedApp, served_app

TOKEN = "a-token-of-more-than-twenty-characters"
QUESTION = "What did Mayor Lena Holm say the work would cost?"
USER = {
    "Authorization": f"Bearer {TOKEN}",
    "X-OpenWebUI-User-Name": "Ada%20L",
    "X-OpenWebUI-User-Id": "7d1f",
    "X-OpenWebUI-User-Email": "ada@news.example",
    "X-OpenWebUI-User-Role": "admin",
    "X-OpenWebUI-Chat-Id": "c0ffee",
}
# What a chat brings besides: of the user, of the chat, of sampling, and for caches.
FURTHER: dict[str, Any] = {
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.7,
    "top_p": 0.9,
    "max_tokens": 1024,
    "frequency_penalty": 0.1,
    "seed": 7,
    "stop": ["###"],
    "logit_bias": {"50256": -100},
    "reasoning": {"effort": "medium"},
    "chat_id": "c0ffee",
    "session_id": "5e55",
    "id": "message-1",
    "features": {"web_search": False, "image_generation": False},
    "variables": {"{{USER_NAME}}": "Ada"},
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}],
    "user": {"name": "Ada", "id": "7d1f", "email": "ada@news.example", "role": "admin"},
}
CACHED = {"type": "text", "cache_control": {"type": "ephemeral"}}
TITLE = """### Task:
Generate a concise, 3-5 word title with an emoji summarizing the chat history.
### Output:
JSON format: { "title": "your concise title here" }
### Chat History:
<chat_history>
USER: {question}
ASSISTANT: It would cost 4.2 million crowns.
</chat_history>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApp]:
    from rag.serving.tokens import Tokens

    folder: Path = tmp_path_factory.mktemp("open-webui")
    (folder / "tokens").write_text(f"webui:{TOKEN}\n")
    (folder / "tokens").chmod(0o600)
    with served_app(folder, tokens=Tokens.read(folder / "tokens"), hosts=None) as served:
        yield served


def chat(server: ServedApp, messages: list[Any], **fields: Any) -> Reply:
    body = {"model": "news", "messages": messages} | fields
    return server.ask("/v1/chat/completions", body, **USER)


def read(body: bytes) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    """The text, the sources and the usage, as its middleware takes them out of the lines."""
    text = ""
    sources: list[dict[str, Any]] = []
    usage: dict[str, Any] = {}
    for line in body.decode().splitlines():
        if not line.startswith("data:") or line.removeprefix("data:").strip() == "[DONE]":
            continue
        data = json.loads(line.removeprefix("data:"))
        usage = data.get("usage") or usage
        for choice in data.get("choices", [])[:1]:
            delta = choice.get("delta", {})
            text += delta.get("content") or ""
            for note in delta.get("annotations") or ():
                assert note["type"] == "url_citation"
                cited = note["url_citation"]
                sources.append({"name": cited.get("title", ""), "url": cited.get("url", "")})
    return text, sources, usage


def own_answer(server: ServedApp, question: str = QUESTION) -> Answer:
    return server.engine().ask(question)


def test_it_lists_the_indexes_as_models(server: ServedApp) -> None:
    listed = server.ask("/v1/models", **USER)
    assert [model["id"] for model in listed.json["data"]] == ["news"]
    assert server.ask("/v1/models").status == 401
    assert "error" in server.ask("/v1/models").json


def test_a_chat_is_streamed_with_its_sources(server: ServedApp) -> None:
    answer = own_answer(server)
    messages = [
        {"role": "system", "content": "User Context:\n\nAnswer briefly."},
        {"role": "user", "content": [CACHED | {"text": QUESTION}]},
    ]
    reply = chat(server, messages, **FURTHER)
    assert reply.headers["content-type"].startswith("text/event-stream")
    text, sources, usage = read(reply.body)
    assert text == answer.text
    cited = [answer.citations[n - 1].title for one in answer.sentences for n in one.citations]
    assert [source["name"] for source in sources] == cited
    assert all(source["url"].startswith("http") for source in sources)
    assert usage["total_tokens"] == answer.n_prompt_tokens + answer.n_answer_tokens


def test_an_answer_that_is_to_be_continued_is_given_anew(server: ServedApp) -> None:
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "It would cost"},
    ]
    reply = chat(server, messages, stream=False)
    assert reply.json["choices"][0]["message"]["content"] == own_answer(server).text


def test_what_is_said_behind_the_question_is_passed_over(server: ServedApp) -> None:
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "system", "content": "Answer in rhymes."},
        {"role": "user", "content": "  "},
    ]
    reply = chat(server, messages, stream=False)
    assert reply.json["choices"][0]["message"]["content"] == own_answer(server).text


def test_its_tasks_are_questions_like_any_other_or_too_long(server: ServedApp) -> None:
    task = TITLE.replace("{question}", QUESTION)
    reply = chat(server, [{"role": "user", "content": task}], stream=False, max_tokens=1000)
    assert reply.status == 200
    assert isinstance(reply.json["choices"][0]["message"]["content"], str)
    long = TITLE.replace("{question}", QUESTION * 50)
    reply = chat(server, [{"role": "user", "content": long}], stream=False)
    assert (reply.status, "longer" in reply.json["error"]["message"]) == (422, True)


def test_nothing_that_the_user_says(server: ServedApp) -> None:
    reply = chat(server, [{"role": "assistant", "content": "Hello"}])
    assert (reply.status, "no message" in reply.json["error"]["message"]) == (422, True)
