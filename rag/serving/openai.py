"""OpenAI's form: indexes as models, chat completions and responses, streamed or not.

The text carries its marks `[n]`; each is an annotation `url_citation` whose `start_index` and
`end_index` are the mark's span in the text. The field `rag` has what that form has no place for
(`rag.serving.citing.Checked`). Instructions, tools and how a model is to sample are passed over.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from rag.answering.answer import Answer
from rag.answering.events import Event
from rag.errors import IndexMissingError, QuestionError, RagError
from rag.index.opened import IndexInfo
from rag.serving.bodies import Words
from rag.serving.citing import Address, addresses, checked, citations_of, pieces, placed
from rag.serving.gone import event_stream, frame, new_id, unless_gone
from rag.serving.openai_responses import Ids, response_frames, whole
from rag.serving.problems import IN_OTHER_FORMS, as_openai, problem_of
from rag.serving.service import Asked, Service, last
from rag.serving.talk import HOLDS_A_QUESTION, Message, asked

_MAX_MESSAGES = 1000
_ANSWER = {"description": "In OpenAI's form, with the field `rag`; with `stream` as events."}
Form = dict[str, Any]


class _Form(BaseModel):
    model_config = ConfigDict(extra="allow", protected_namespaces=())

    model: Annotated[str, Field(min_length=1, max_length=200)]
    stream: bool | None = False


class ChatRequest(_Form):
    """A conversation that ends with a question; `model` names the index."""

    messages: Annotated[
        list[Message],
        Field(min_length=1, max_length=_MAX_MESSAGES, json_schema_extra=HOLDS_A_QUESTION),
    ]
    n: Annotated[int | None, WithJsonSchema({"enum": [1, None]})] = None
    stream_options: dict[str, Any] | None = None


class Item(Message):
    """An item of `input`; only messages are read."""

    role: str = Field("", max_length=40)
    type: str = "message"


class ResponsesRequest(_Form):
    """A question, or a conversation that ends with one; `model` names the index."""

    input: (
        Words
        | Annotated[
            list[Item],
            Field(min_length=1, max_length=_MAX_MESSAGES, json_schema_extra=HOLDS_A_QUESTION),
        ]
    )
    previous_response_id: Annotated[str | None, WithJsonSchema({"enum": [None, ""]})] = None


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
            return event_stream(response_frames(events, body.model, address))
        answer = await unless_gone(request, service.answer(question))
        return JSONResponse(whole(answer, Ids(body.model), address))

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
        "id": new_id("chatcmpl"),
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
    head: Form = {"id": new_id("chatcmpl"), "object": "chat.completion.chunk"}
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


def _usage(answer: Answer) -> Form:
    read, written = answer.n_prompt_tokens, answer.n_answer_tokens
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }
