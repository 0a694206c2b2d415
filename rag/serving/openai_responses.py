"""OpenAI's responses: an answer as one of them, and as the events of a stream."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

from rag.answering.answer import Answer
from rag.answering.events import Event
from rag.errors import RagError
from rag.serving.citing import Address, checked, citations_of, pieces, placed
from rag.serving.gone import frame, new_id
from rag.serving.problems import as_openai, problem_of
from rag.serving.service import last

Form = dict[str, Any]


class Ids:
    """What all events of a response have in common.

    Args:
        model: Name of the index.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.response = new_id("resp")
        self.message = new_id("msg")
        self.created = int(time.time())


def _response(ids: Ids, status: str, output: list[Form], **further: Any) -> Form:
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


def _message(ids: Ids, status: str, content: list[Form]) -> Form:
    head = {"id": ids.message, "type": "message", "role": "assistant"}
    return head | {"status": status, "content": content}


def _text(text: str, notes: list[Form]) -> Form:
    return {"type": "output_text", "text": text, "annotations": notes, "logprobs": []}


def whole(answer: Answer, ids: Ids, address: Address) -> Form:
    """An answer as a response."""
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


async def response_frames(
    events: AsyncGenerator[Event, None], model: str, address: Address
) -> AsyncGenerator[str, None]:
    """A response as server-sent events: nothing that was not checked.

    Args:
        events: Of the answer; closed in the end.
        model: Name of the index.
        address: Where a citation can be looked up.
    """
    ids = Ids(model)
    numbers = itertools.count()

    def told(kind: str, values: Mapping[str, Any]) -> str:
        event = {"type": kind, "sequence_number": next(numbers)} | dict(values)
        return frame(json.dumps(event), kind)

    try:
        begun = _response(ids, "in_progress", [])
        yield told("response.created", {"response": begun})
        yield told("response.in_progress", {"response": begun})
        answer = await last(events)
        made = whole(answer, ids, address)
        for kind, values in _parts(answer, made["output"][0], ids, address):
            yield told(kind, values)
        yield told("response.completed", {"response": made})
    except RagError as error:
        problem = as_openai(problem_of(error))["error"]
        failed = {"code": "server_error", "message": problem["message"]}
        yield told("response.failed", {"response": _response(ids, "failed", [], error=failed)})
    finally:
        await events.aclose()


def _parts(answer: Answer, message: Form, ids: Ids, address: Address) -> Iterator[tuple[str, Form]]:
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
