"""OpenAI's form: indexes as models, chat completions and responses, streamed or not.

The text carries its marks `[n]`; each is an annotation `url_citation` whose `start_index` and
`end_index` are the mark's span in the text. The field `rag` has what that form has no place for
(`rag.serving.citing.Checked`). Instructions, tools and how a model is to sample are passed over.
"""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from rag.answering.answer import Answer
from rag.answering.events import Event
from rag.errors import IndexMissingError, QuestionError, RagError
from rag.index.opened import IndexInfo
from rag.serving.citing import Address, Placed, addresses, checked, placed
from rag.serving.gone import event_stream, frame, unless_gone
from rag.serving.problems import IN_OTHER_FORMS, as_openai, problem_of
from rag.serving.service import Asked, Service, last
from rag.serving.talk import Message, asked

_MAX_MESSAGES = 1000
_ANSWER = {"description": "In OpenAI's form, with the field `rag`; with `stream` as events."}
Form = dict[str, Any]


class _Form(BaseModel):
    model_config = ConfigDict(extra="allow", protected_namespaces=())

    model: Annotated[str, Field(min_length=1, max_length=200)]
    stream: bool | None = False


class ChatRequest(_Form):
    """A conversation that ends with a question; `model` names the index."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=_MAX_MESSAGES)]
    n: int | None = None
    stream_options: dict[str, Any] | None = None


class Item(Message):
    """An item of `input`; only messages are read."""

    role: str = Field("", max_length=40)
    type: str = "message"


class ResponsesRequest(_Form):
    """A question, or a conversation that ends with one; `model` names the index."""

    input: str | Annotated[list[Item], Field(min_length=1, max_length=_MAX_MESSAGES)]
    previous_response_id: str | None = None


def router(service: Service) -> APIRouter:
    """The addresses below /v1."""
    routes = APIRouter(prefix="/v1", responses=IN_OTHER_FORMS)
    _models(routes, service)

    @routes.post("/chat/completions", responses={200: _ANSWER})
    async def chat(body: ChatRequest, request: Request) -> Response:
        """Answer the last message; those before it are the conversation."""
        if body.n not in (None, 1):
            raise QuestionError("one answer is made, not n", mend="leave n out")
        question = asked(body.model, body.messages)
        address = addresses(str(request.base_url), body.model)
        if body.stream:
            with_usage = bool((body.stream_options or {}).get("include_usage"))
            events = await _begun(service, question)
            return event_stream(_chat_frames(events, body.model, address, with_usage))
        answer = await unless_gone(request, service.answer(question))
        return JSONResponse(_completion(answer, body.model, address))

    @routes.post("/responses", responses={200: _ANSWER})
    async def responses(body: ResponsesRequest, request: Request) -> Response:
        """Answer the last message of the input; those before it are the conversation."""
        if body.previous_response_id:
            raise QuestionError(
                "responses are not kept", mend="send the conversation along, as input"
            )
        given = body.input
        messages: list[Message] = (
            [Message(role="user", content=given)]
            if isinstance(given, str)
            else [item for item in given if item.type == "message"]
        )
        question = asked(body.model, messages)
        address = addresses(str(request.base_url), body.model)
        if body.stream:
            events = await _begun(service, question)
            return event_stream(_response_frames(events, body.model, address))
        answer = await unless_gone(request, service.answer(question))
        return JSONResponse(_whole(answer, _Ids(body.model), address))

    return routes


def _models(routes: APIRouter, service: Service) -> None:
    @routes.get("/models")
    async def models() -> Form:
        """The indexes that can be asked."""
        infos = [_model(info) for info in await service.read(service.indexes) if _is_ready(info)]
        ends: Form = {"first_id": infos[0]["id"], "last_id": infos[-1]["id"]} if infos else {}
        return {"object": "list", "data": infos, "has_more": False} | ends

    @routes.get("/models/{name}")
    async def model(name: str) -> Form:
        """One of them."""
        for info in await service.read(service.indexes):
            if info.name == name and _is_ready(info):
                return _model(info)
        raise IndexMissingError(f"there is no index {name!r}", mend="GET /v1/models lists them")


def _is_ready(info: IndexInfo) -> bool:
    return info.state == "ready"


def _model(info: IndexInfo) -> Form:
    """An index as a model: what OpenAI's form has, and what Anthropic's has."""
    assert info.created is not None
    return {
        "id": info.name,
        "object": "model",
        "created": int(info.created.timestamp()),
        "owned_by": "rag",
        "type": "model",
        "display_name": f"{info.name}: {info.n_articles:,} articles",
        "created_at": info.created.isoformat(),
    }


async def _begun(service: Service, question: Asked) -> AsyncGenerator[Event, None]:
    """The events behind the first: what fails before it has a status of its own."""
    events = service.events(question)
    await anext(events)
    return events


def citations_of(answer: Answer, sentence: Placed, address: Address) -> Iterator[Form]:
    """The marks of a sentence, as OpenAI's citations."""
    cited = {citation.number: citation for citation in answer.citations}
    for mark in sentence.marks:
        citation = cited[mark.number]
        yield {
            "start_index": mark.start,
            "end_index": mark.end,
            "title": citation.title or citation.article_id,
            "url": address(citation),
        }


# Chat completions


def _completion(answer: Answer, model: str, address: Address) -> Form:
    notes = [
        {"type": "url_citation", "url_citation": note}
        for sentence in placed(answer)
        for note in citations_of(answer, sentence, address)
    ]
    message = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": notes}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {
        "id": _new("chatcmpl"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": _usage(answer),
        "rag": checked(answer).model_dump(mode="json"),
    }


async def _chat_frames(
    events: AsyncGenerator[Event, None], model: str, address: Address, with_usage: bool
) -> AsyncGenerator[str, None]:
    """Nothing that was not checked: the answer, sentence by sentence, when it is ready."""
    head: Form = {"id": _new("chatcmpl"), "object": "chat.completion.chunk"}
    head |= {"created": int(time.time()), "model": model}

    def chunk(delta: Form, end: str | None = None, **further: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": end, "logprobs": None}
        return frame(json.dumps(head | {"choices": [choice]} | further))

    try:
        yield chunk({"role": "assistant", "content": ""})
        answer = await last(events)
        for text, sentence in pieces(answer):
            notes = [
                {"type": "url_citation", "url_citation": note}
                for note in (citations_of(answer, sentence, address) if sentence else ())
            ]
            yield chunk({"content": text} | ({"annotations": notes} if notes else {}))
        yield chunk({}, "stop", rag=checked(answer).model_dump(mode="json"))
        if with_usage:
            yield frame(json.dumps(head | {"choices": [], "usage": _usage(answer)}))
        yield frame("[DONE]")
    except RagError as error:
        yield frame(json.dumps(as_openai(problem_of(error))))
    finally:
        await events.aclose()


def pieces(answer: Answer) -> Iterator[tuple[str, Placed | None]]:
    """The text of an answer in pieces, each with the sentence that it ends with.

    Joined they are the text.
    """
    at = 0
    for sentence in placed(answer):
        yield answer.text[at : sentence.whole_end], sentence
        at = sentence.whole_end
    if at < len(answer.text):
        yield answer.text[at:], None


def _usage(answer: Answer) -> Form:
    read, written = answer.n_prompt_tokens, answer.n_answer_tokens
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


# Responses


class _Ids:
    def __init__(self, model: str) -> None:
        self.model = model
        self.response = _new("resp")
        self.message = _new("msg")
        self.created = int(time.time())


def _response(ids: _Ids, status: str, output: list[Form], **further: Any) -> Form:
    return {
        "id": ids.response,
        "object": "response",
        "created_at": ids.created,
        "status": status,
        "model": ids.model,
        "output": output,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": False,
        "temperature": None,
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
        "store": False,
    } | further


def _message(ids: _Ids, status: str, content: list[Form]) -> Form:
    head = {"id": ids.message, "type": "message", "role": "assistant"}
    return head | {"status": status, "content": content}


def _text(text: str, notes: list[Form]) -> Form:
    return {"type": "output_text", "text": text, "annotations": notes, "logprobs": []}


def _whole(answer: Answer, ids: _Ids, address: Address) -> Form:
    usage = {
        "input_tokens": answer.n_prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer.n_answer_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.n_prompt_tokens + answer.n_answer_tokens,
    }
    notes = [
        {"type": "url_citation"} | note
        for sentence in placed(answer)
        for note in citations_of(answer, sentence, address)
    ]
    message = _message(ids, "completed", [_text(answer.text, notes)])
    told = checked(answer).model_dump(mode="json")
    return _response(ids, "completed", [message], usage=usage, rag=told)


async def _response_frames(
    events: AsyncGenerator[Event, None], model: str, address: Address
) -> AsyncGenerator[str, None]:
    ids = _Ids(model)
    numbers = itertools.count()

    def told(kind: str, values: Mapping[str, Any]) -> str:
        event = {"type": kind, "sequence_number": next(numbers)} | dict(values)
        return frame(json.dumps(event), kind)

    try:
        begun = _response(ids, "in_progress", [])
        yield told("response.created", {"response": begun})
        yield told("response.in_progress", {"response": begun})
        answer = await last(events)
        whole = _whole(answer, ids, address)
        for kind, values in _parts(answer, whole["output"][0], ids, address):
            yield told(kind, values)
        yield told("response.completed", {"response": whole})
    except RagError as error:
        problem = as_openai(problem_of(error))["error"]
        failed = {"code": "server_error", "message": problem["message"]}
        yield told("response.failed", {"response": _response(ids, "failed", [], error=failed)})
    finally:
        await events.aclose()


def _parts(
    answer: Answer, message: Form, ids: _Ids, address: Address
) -> Iterator[tuple[str, Form]]:
    """The events between the beginning and the end of a response."""
    item = {"output_index": 0}
    part = item | {"item_id": ids.message, "content_index": 0}
    numbers = itertools.count()
    empty = _message(ids, "in_progress", [])
    yield "response.output_item.added", item | {"item": empty}
    yield "response.content_part.added", part | {"part": _text("", [])}
    for text, sentence in pieces(answer):
        yield "response.output_text.delta", part | {"delta": text, "logprobs": []}
        for note in citations_of(answer, sentence, address) if sentence else ():
            values: Form = {"annotation": {"type": "url_citation"} | note}
            values["annotation_index"] = next(numbers)
            yield "response.output_text.annotation.added", part | values
    yield "response.output_text.done", part | {"text": answer.text, "logprobs": []}
    yield "response.content_part.done", part | {"part": message["content"][0]}
    yield "response.output_item.done", item | {"item": message}


def _new(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(12)}"
