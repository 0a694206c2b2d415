"""Anthropic's form: messages whose text blocks cite `char_location`, streamed or not.

A block is a sentence; its citations are spans of articles, so the text carries no marks. What
`document_index` counts are the articles in `rag.documents`, in the order in which they are cited;
`file_id` is the id of the article.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from rag.answering.answer import Answer
from rag.answering.events import Event
from rag.errors import RagError
from rag.serving.citing import checked, placed
from rag.serving.gone import event_stream, frame, new_id, unless_gone
from rag.serving.problems import IN_OTHER_FORMS, as_anthropic, problem_of
from rag.serving.service import Service, last
from rag.serving.talk import HOLDS_A_QUESTION, Message, asked

_ANSWER = {"description": "In Anthropic's form, with the field `rag`; with `stream` as events."}
Form = dict[str, Any]


class MessagesRequest(BaseModel):
    """A conversation that ends with a question; `model` names the index."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[
        list[Message], Field(min_length=1, max_length=1000, json_schema_extra=HOLDS_A_QUESTION)
    ]
    stream: bool | None = False


def router(service: Service) -> APIRouter:
    """The address /v1/messages."""
    routes = APIRouter(prefix="/v1", responses=IN_OTHER_FORMS)

    @routes.post("/messages", responses={200: _ANSWER})
    async def messages(body: MessagesRequest, request: Request) -> Response:
        """Answer the last message; those before it are the conversation."""
        question = asked(body.model, body.messages)
        if body.stream:
            events = service.events(question)
            await anext(events)  # what fails before anything is found has a status of its own
            return event_stream(_frames(events, body.model))
        answer = await unless_gone(request, service.answer(question))
        return JSONResponse(_message(body.model, blocks(answer), _usage(answer), _told(answer)))

    return routes


def documents(answer: Answer) -> list[str]:
    """Ids of the articles that an answer cites, in the order in which it does."""
    return list(dict.fromkeys(citation.article_id for citation in answer.citations))


def blocks(answer: Answer) -> list[Form]:
    """The sentences of an answer as text blocks; joined they are its text without marks."""
    places = {article_id: n for n, article_id in enumerate(documents(answer))}
    cited = {
        citation.number: {
            "type": "char_location",
            "cited_text": citation.quote,
            "document_index": places[citation.article_id],
            "document_title": citation.title or None,
            "start_char_index": citation.start,
            "end_char_index": citation.end,
            "file_id": citation.article_id,
        }
        for citation in answer.citations
    }
    made = [
        {
            "type": "text",
            "text": sentence.before + sentence.text,
            "citations": [cited[mark.number] for mark in sentence.marks],
        }
        for sentence in placed(answer)
    ]
    return made or [{"type": "text", "text": answer.text, "citations": None}]


def _told(answer: Answer) -> Form:
    documents_ = [
        {"article_id": article_id, "title": first.title, "url": first.url, "source": first.source}
        for article_id in documents(answer)
        for first in [next(c for c in answer.citations if c.article_id == article_id)]
    ]
    return checked(answer).model_dump(mode="json") | {"documents": documents_}


def _usage(answer: Answer | None) -> Form:
    if answer is None:
        return {"input_tokens": 0, "output_tokens": 0}
    return {"input_tokens": answer.n_prompt_tokens, "output_tokens": answer.n_answer_tokens}


def _message(model: str, content: list[Form], usage: Form, told: Form | None) -> Form:
    return {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "end_turn" if told else None,
        "stop_sequence": None,
        "usage": usage,
    } | ({"rag": told} if told else {})


async def _frames(events: AsyncGenerator[Event, None], model: str) -> AsyncGenerator[str, None]:
    """Nothing that was not checked: the answer, block by block, when it is ready."""

    def told(kind: str, **values: Any) -> str:
        return frame(json.dumps({"type": kind} | values), kind)

    try:
        yield told("message_start", message=_message(model, [], _usage(None), None))
        yield told("ping")
        answer = await last(events)
        for index, block in enumerate(blocks(answer)):
            empty = block | {"text": "", "citations": None if block["citations"] is None else []}
            yield told("content_block_start", index=index, content_block=empty)
            for delta in _deltas(block):
                yield told("content_block_delta", index=index, delta=delta)
            yield told("content_block_stop", index=index)
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        yield told("message_delta", delta=end, usage=_usage(answer), rag=_told(answer))
        yield told("message_stop")
    except RagError as error:
        yield frame(json.dumps(as_anthropic(problem_of(error))), "error")
    finally:
        await events.aclose()


def _deltas(block: Form) -> Iterator[Form]:
    yield {"type": "text_delta", "text": block["text"]}
    for citation in block["citations"] or ():
        yield {"type": "citations_delta", "citation": citation}
