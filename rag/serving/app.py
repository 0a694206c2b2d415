"""The application: every interface, guarded, logged and counted."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.middleware import Middleware

from rag import __version__
from rag.api import build as build_index
from rag.building.report import BuildReport
from rag.pool import EnginePool
from rag.serving import anthropic, following, guard, openai, problems, rest
from rag.serving.log import Told
from rag.serving.metrics import CONTENT_TYPE
from rag.serving.service import Limits, Service
from rag.serving.tokens import Tokens
from rag.settings import Settings

_DESCRIPTION = (
    "Asks questions of news articles. Every sentence of an answer cites exact spans, and a quote is"
    " always `article.text[start:end]`."
)


def create_app(
    pool: EnginePool,
    settings: Settings,
    *,
    index: str = "seeds",
    tokens: Tokens | None = None,
    hosts: Sequence[str] | None = guard.LOCAL_NAMES,
    read_only: bool = False,
    log_questions: bool = False,
    build: Callable[..., BuildReport] = build_index,
    limits: Limits | None = None,
) -> FastAPI:
    """The server as an ASGI application.

    Args:
        pool: Where engines are opened; its owner closes it.
        settings: How they work, and where indexes lie.
        index: Name of the one that is asked when a request names none; opened at the start.
        tokens: Who may come in; None lets everybody.
        hosts: Names that it may be asked by; None lets every name pass, and takes tokens.
        read_only: Leave out builds.
        log_questions: Write questions into the log.
        build: Like `rag.build`.
        limits: What it takes on.
    """
    assert hosts is not None or tokens is not None, "without tokens names must be guarded"
    limits = limits or Limits()
    service = Service(
        pool, settings, index=index, build=build, limits=limits, log_questions=log_questions
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.warm_up()
        yield
        service.close()

    app = FastAPI(
        title="rag",
        description=_DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        max_body_size=limits.body_bytes,
        middleware=[
            Middleware(Told, metrics=service.metrics),
            *guard.middleware(hosts, tokens, limits.body_bytes),
        ],
    )
    problems.install(app)
    app.include_router(rest.router(service, read_only=read_only))
    app.include_router(following.router(service, read_only=read_only))
    app.include_router(openai.router(service))
    app.include_router(anthropic.router(service))
    _health(app, service)
    return app


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the server runs; it need not be ready."""
        return {"status": "ok", "version": __version__}

    @app.get("/ready", responses={503: {"description": "Not yet, or it failed."}})
    async def ready() -> JSONResponse:
        """Whether the usual index and its models are loaded."""
        is_ready, error = service.readiness()
        state = "ready" if is_ready else "failed" if error else "loading"
        return JSONResponse({"status": state}, 200 if is_ready else 503)

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Counts and seconds, for Prometheus."""
        return Response(await service.read(service.metrics.text), media_type=CONTENT_TYPE)
