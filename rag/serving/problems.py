"""Errors as each interface writes them: problem details, OpenAI's form, Anthropic's form.

Problem details are RFC 9457, with the `mend` of the error besides.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request

from rag.errors import (
    BusyError,
    CancelledError,
    ClosedError,
    ExistsError,
    FullError,
    IndexLockedError,
    IndexMissingError,
    MissingExtraError,
    ModelError,
    NotFoundError,
    QuestionError,
    RagError,
    RemovalError,
    SourceError,
    TooLongError,
)

_log = logging.getLogger(__name__)
CLIENT_GONE = 499
"""Nobody reads it: the client went. As other servers log it."""
_BUSY_SECONDS = 5.0
# The first that fits.
_STATUS: tuple[tuple[type[RagError], int], ...] = (
    (QuestionError, 422),
    (IndexMissingError, 404),
    (NotFoundError, 404),
    (ExistsError, 409),
    (TooLongError, 504),
    (IndexLockedError, 409),
    (RemovalError, 409),
    (SourceError, 422),
    (BusyError, 503),
    (ClosedError, 503),
    (ModelError, 503),
    (MissingExtraError, 501),
    (CancelledError, CLIENT_GONE),
)
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
_ANTHROPIC_TYPES = {
    **{400: "invalid_request_error", 401: "authentication_error", 403: "permission_error"},
    **{404: "not_found_error", 413: "request_too_large", 422: "invalid_request_error"},
    **{503: "overloaded_error", 504: "timeout_error"},
}


STATUSES = (400, 401, 403, 404, 409, 413, 422, 500, 501, 503, 504)
"""What an answer that is a problem may have."""
IN_OTHER_FORMS: dict[int | str, dict[str, Any]] = {
    status: {"description": "What went wrong.", "content": {"application/json": {}}}
    for status in STATUSES
}
"""Problems of interfaces with a form of their own, as OpenAPI describes them."""


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it.

    Attributes:
        type: Which kind of error; "about:blank" where the status says it all.
        title: That kind, in words.
        status: As of the answer.
        detail: What is wrong, and where.
        mend: What mends it.
        errors: What of a request does not fit: where it stands, and why.
    """

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    mend: str | None = None
    errors: tuple[dict[str, Any], ...] = ()


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": "What went wrong.",
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
    for status in STATUSES
}
"""The same of the server's own interface."""


def problem_of(error: RagError) -> Problem:
    """An error of `rag`, told."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    name = type(error).__name__.rstrip("_").removesuffix("Error")
    return Problem(
        type=f"urn:rag:error:{name}",
        title=(type(error).__doc__ or name).partition("\n")[0],
        status=status,
        detail=error.message,
        mend=error.mend,
    )


def as_openai(problem: Problem) -> dict[str, Any]:
    """A problem in OpenAI's form."""
    kind = _OPENAI_TYPES.get(
        problem.status, "invalid_request_error" if problem.status < 500 else "server_error"
    )
    told = {"message": _message(problem), "type": kind, "param": None, "code": _code(problem)}
    return {"error": told | {"mend": problem.mend}}


def as_anthropic(problem: Problem) -> dict[str, Any]:
    """A problem in Anthropic's form."""
    kind = _ANTHROPIC_TYPES.get(problem.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": _message(problem)}}


def response(request: Request, problem: Problem, seconds: float | None = None) -> JSONResponse:
    """A problem in the form of the interface that was asked.

    Args:
        request: What was asked.
        problem: What went wrong.
        seconds: When it is worth trying again.
    """
    path = request.url.path
    headers = {} if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if path.startswith("/v1/messages"):
        return JSONResponse(as_anthropic(problem), problem.status, headers)
    if path.startswith("/v1/"):
        return JSONResponse(as_openai(problem), problem.status, headers)
    return JSONResponse(
        problem.model_dump(mode="json", exclude_defaults=True) | {"type": problem.type},
        problem.status,
        headers,
        media_type="application/problem+json",
    )


def install(app: FastAPI) -> None:
    """Answer errors of an application this way."""

    @app.exception_handler(RagError)
    async def of_rag(request: Request, error: RagError) -> JSONResponse:
        problem = problem_of(error)
        if problem.status >= 500 and not isinstance(error, BusyError):
            _log.error("%s", error.message, extra={"error": type(error).__name__})
        return response(request, problem, retry_after(error))

    @app.exception_handler(RequestValidationError)
    async def of_request(request: Request, error: RequestValidationError) -> JSONResponse:
        found = tuple({"at": _place(one["loc"]), "why": one["msg"]} for one in error.errors())
        detail = "; ".join(f"{one['at']}: {one['why']}" for one in found[:3])
        return response(
            request,
            Problem(title="The request does not fit.", status=422, detail=detail, errors=found),
        )

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        told = Problem(title=error.detail, status=error.status_code, detail=error.detail)
        made = response(request, told)
        made.headers.update(error.headers or {})
        if error.status_code == 405:  # by itself it names the methods of one route only
            path = getattr(request.scope.get("route"), "path_format", "")
            if methods := app.openapi()["paths"].get(path):
                made.headers["Allow"] = ", ".join(sorted(map(str.upper, methods)))
        return made

    @app.exception_handler(Exception)
    async def of_nobody(request: Request, error: Exception) -> JSONResponse:
        detail = "an error that nobody foresaw; the server's log has it"
        return response(request, Problem(title="Internal error", status=500, detail=detail))


def retry_after(error: RagError) -> float | None:
    """Seconds after which it is worth trying again; None where it is not."""
    if isinstance(error, FullError):
        return error.seconds
    return _BUSY_SECONDS if isinstance(error, BusyError | TooLongError) else None


def _place(location: Sequence[int | str]) -> str:
    return ".".join(map(str, location))


def _message(problem: Problem) -> str:
    return f"{problem.detail} (to mend it: {problem.mend})" if problem.mend else problem.detail


def _code(problem: Problem) -> str | None:
    name = problem.type.rpartition(":")[2]
    return None if problem.type == "about:blank" else name
