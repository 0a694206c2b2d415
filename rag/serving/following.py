"""Questions that are followed, and news about them, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from rag.following import follow
from rag.following.feed import CONTENT_TYPE
from rag.following.followed import Followed, News
from rag.serving.bodies import FollowRequest, IndexName, QuestionName
from rag.serving.problems import PROBLEMS
from rag.serving.service import Service

_MAX_NEWS = 1000
_ATOM: dict[int | str, dict[str, Any]] = {
    200: {"description": "An Atom feed.", "content": {CONTENT_TYPE: {}}}
}


def router(service: Service, *, read_only: bool) -> APIRouter:
    """The addresses.

    Args:
        service: What they ask.
        read_only: Leave out what changes the questions.
    """
    routes = APIRouter(prefix="/indexes/{name}", responses=PROBLEMS)
    _reading(routes, service)
    if not read_only:
        _changing(routes, service)
    return routes


def _reading(routes: APIRouter, service: Service) -> None:
    settings = service.settings

    @routes.get("/followed")
    async def followed(name: IndexName) -> list[Followed]:
        """The questions that are followed in an index."""
        return await service.read(lambda: follow.followed(name, settings=settings))

    @routes.get("/news")
    async def news(
        name: IndexName,
        followed: QuestionName | None = None,
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=_MAX_NEWS)] = 100,
    ) -> list[News]:
        """New stories about the questions, in the order of finding; `after` a number."""
        return await service.read(
            lambda: follow.news(
                name, followed=followed, after=after, limit=limit, settings=settings
            )
        )

    @routes.get("/news.atom", response_class=Response, responses={**PROBLEMS, **_ATOM})
    async def feed(
        name: IndexName, request: Request, followed: QuestionName | None = None
    ) -> Response:
        """The newest of them as an Atom feed."""
        at = str(request.url)
        made = await service.read(
            lambda: follow.feed(name, followed=followed, at=at, settings=settings)
        )
        return Response(made, media_type=CONTENT_TYPE)


def _changing(routes: APIRouter, service: Service) -> None:
    @routes.post("/followed", status_code=201)
    async def add(name: IndexName, body: FollowRequest, response: Response) -> Followed:
        """Follow a question: stories that come into the index from now on are news."""
        kept = await service.check(
            lambda: follow.follow(
                body.question,
                name,
                name=body.name,
                filter=body.filter,
                min_score=body.min_score,
                versions=body.versions,
                settings=service.settings,
                open_embedder=lambda *_: service.engine(name).embedder,
            )
        )
        response.headers["Location"] = f"/indexes/{name}/news?followed={kept.name}"
        return kept

    @routes.delete("/followed/{question}", status_code=204)
    async def remove(name: IndexName, question: QuestionName) -> None:
        """Forget a question, and the news about it."""
        await service.check(lambda: follow.unfollow(question, name, settings=service.settings))
