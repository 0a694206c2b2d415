"""The interface of its own: questions, searches, articles, builds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from rag.answering.answer import Answer
from rag.answering.events import Event
from rag.answering.question import Kind
from rag.errors import IndexMissingError, NotFoundError, RagError
from rag.index.check import CheckReport
from rag.index.opened import IndexInfo
from rag.retrieval import Hit
from rag.serving.bodies import (
    ArticleLine,
    ArticlePage,
    ArticleText,
    AskRequest,
    BuildRequest,
    IndexName,
    IndexRequest,
    SearchRequest,
    Span,
    SubjectRequest,
)
from rag.serving.gone import event_stream, frame, unless_gone
from rag.serving.jobs import Job
from rag.serving.problems import PROBLEMS, problem_of
from rag.serving.service import Asked, Service
from rag.text.sentences import split

_MAX_PAGE = 1000
_SSE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "The answer; with `stream` the events `evidence`, `text` and `answer` as"
        " they come, or `problem`. Of these only `answer` is checked.",
    }
}


def router(service: Service, *, read_only: bool) -> APIRouter:
    """The addresses.

    Args:
        service: What they ask.
        read_only: Leave out builds.
    """
    routes = APIRouter(responses=PROBLEMS)
    _questions(routes, service)
    _articles(routes, service)
    _upkeep(routes, service)
    if not read_only:
        _builds(routes, service)
    return routes


def _questions(routes: APIRouter, service: Service) -> None:
    @routes.post("/ask", response_model=Answer, responses=_SSE)
    async def ask(body: AskRequest, request: Request) -> Response:
        """Answer a question, with citations of exact spans."""
        asked = Asked(
            index=body.index or service.index,
            question=body.question,
            filter=body.filter,
            asked_on=body.asked_on,
            kind=body.kind,
            any_time=body.any_time,
            earlier=tuple(
                (one.question, tuple(one.answer[s.start : s.end] for s in split(one.answer)))
                for one in body.earlier
            ),
        )
        if body.stream or "text/event-stream" in request.headers.get("accept", ""):
            events = service.events(asked)
            first = await anext(events)  # what fails before anything is found has its own status
            return event_stream(_frames(first, events))
        return _json(await unless_gone(request, service.answer(asked)))

    async def told(body: SubjectRequest, request: Request, kind: Kind) -> Response:
        index = body.index or service.index
        asked = Asked(index=index, question=body.subject, filter=body.filter, kind=kind)
        return _json(await unless_gone(request, service.answer(asked)))

    @routes.post("/timeline", response_model=Answer)
    async def timeline(body: SubjectRequest, request: Request) -> Response:
        """What happened to a subject, by the day it happened."""
        return await told(body, request, Kind.TIMELINE)

    @routes.post("/summarize", response_model=Answer)
    async def summarize(body: SubjectRequest, request: Request) -> Response:
        """What the articles say of a subject, in a few of their sentences."""
        return await told(body, request, Kind.SUMMARY)

    @routes.post("/search", response_model=list[Hit])
    async def search(body: SearchRequest) -> Response:
        """Find the passages that bear on a question or on words, best first."""
        index = body.index or service.index
        hits = await service.search(index, body.query, body.k, body.filter)
        return _json_list(hits)


def _articles(routes: APIRouter, service: Service) -> None:
    @routes.get("/indexes")
    async def indexes() -> list[IndexInfo]:
        """Every index, with its state."""
        return await service.read(service.indexes)

    @routes.get("/indexes/{name}")
    async def index(name: IndexName) -> IndexInfo:
        """An index, with its state."""
        found = {info.name: info for info in await service.read(service.indexes)}
        if name not in found:
            raise IndexMissingError(f"there is no index {name!r}", mend="GET /indexes lists them")
        return found[name]

    @routes.get("/indexes/{name}/articles")
    async def articles(
        name: IndexName,
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=_MAX_PAGE)] = 100,
    ) -> ArticlePage:
        """Articles of an index, without their texts, in the order of reading."""
        return await service.read(lambda: _page(service, name, offset, limit))

    @routes.get("/indexes/{name}/articles/{article_id:path}")
    async def article(
        name: IndexName,
        article_id: str,
        start: Annotated[int | None, Query(ge=0, le=2**53)] = None,
        end: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> ArticleText:
        """An article with its text, the spans of its sentences, and the quote that is asked for."""
        return await service.read(lambda: _article(service, name, article_id, start, end))


def _upkeep(routes: APIRouter, service: Service) -> None:
    from rag.api import check as check_index

    @routes.post("/check")
    async def check(body: IndexRequest) -> CheckReport:
        """Verify everything about the live version of an index."""
        name = body.index or service.index
        return await service.check(lambda: check_index(name, settings=service.settings))


def _builds(routes: APIRouter, service: Service) -> None:
    @routes.post("/build", status_code=202)
    async def build(body: BuildRequest, response: Response) -> Job:
        """Bring an index up to date with its sources, in the background."""
        name = body.index or service.index
        if name not in {info.name for info in await service.read(service.indexes)}:
            raise IndexMissingError(f"there is no index {name!r}", mend="GET /indexes lists them")
        job = service.jobs.add(name, full=body.full, allow_removal=body.allow_removal)
        response.headers["Location"] = f"/jobs/{job.id}"
        return job

    @routes.get("/jobs")
    async def jobs() -> list[Job]:
        """The builds that were asked for, the newest first."""
        return service.jobs.all()

    @routes.get("/jobs/{job_id}")
    async def job(job_id: str) -> Job:
        """A build, and how far it is."""
        return service.jobs.get(job_id)


async def _frames(first: Event, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    try:
        yield frame(first.model_dump_json(), first.kind)
        async for event in events:
            yield frame(event.model_dump_json(), event.kind)
    except RagError as error:
        yield frame(problem_of(error).model_dump_json(exclude_none=True), "problem")
    finally:
        await events.aclose()


def _page(service: Service, name: str, offset: int, limit: int) -> ArticlePage:
    index = service.engine(name).index
    numbers = index.catalog.columns.article_numbers
    found = index.catalog.articles(numbers[offset : offset + limit].tolist())
    kept = set(ArticleLine.model_fields) - {"n_characters"}
    lines = (
        ArticleLine(**one.model_dump(include=kept), n_characters=len(one.text))
        for _, one in sorted(found.items())
    )
    return ArticlePage(
        index=index.name,
        version=index.version,
        n_articles=len(numbers),
        offset=offset,
        articles=tuple(lines),
    )


def _article(
    service: Service, name: str, article_id: str, start: int | None, end: int | None
) -> ArticleText:
    index = service.engine(name).index
    article = index.catalog.article(article_id)
    if article is None:
        raise NotFoundError(
            f"index {name!r} has no article {article_id!r}",
            mend=f"GET /indexes/{name}/articles lists them",
        )
    quote = None
    if start is not None or end is not None:
        start, end = start or 0, len(article.text) if end is None else end
        if not start <= end <= len(article.text):
            raise NotFoundError(
                f"[{start}, {end}) is no span of the text of {len(article.text)} characters"
            )
        quote = article.text[start:end]
    return ArticleText(
        index=index.name,
        version=index.version,
        article=article,
        sentences=tuple(Span(start=one.start, end=one.end) for one in split(article.text)),
        quote=quote,
    )


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


def _json_list(models: Sequence[BaseModel]) -> Response:
    return Response(
        f"[{','.join(one.model_dump_json() for one in models)}]", media_type="application/json"
    )
