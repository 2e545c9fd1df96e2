"""The application: the APIs mounted on the server's parts, with errors in the shape of the API called."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline

import tunesmith
from tunesmith.config import Settings
from tunesmith.errors import DatabaseError, FolderUnavailable, TunesmithError
from tunesmith.logs import RepeatedFault
from tunesmith.server.apis import elevenlabs, openai
from tunesmith.server.apis import v1_models as model_list
from tunesmith.server.apis.errors import SERVER_FAULT, add_exception_handlers
from tunesmith.server.apis.huggingface import routes as huggingface
from tunesmith.server.apis.mcp import routes as mcp
from tunesmith.server.apis.native import routes as own
from tunesmith.server.apis.native import tracks
from tunesmith.server.apis.replicate import routes as replicate
from tunesmith.server.apis.routing import dialect_of
from tunesmith.server.auth import require_admin
from tunesmith.server.description import describe
from tunesmith.server.errors import JobFailed
from tunesmith.server.middleware.request_limits import AllowedHosts, BodyLimits
from tunesmith.server.middleware.stack import MiddlewareParts, add_middleware
from tunesmith.server.observability.health import health_routes
from tunesmith.server.observability.metrics import metrics_routes
from tunesmith.server.server import Server, ServerOptions
from tunesmith.server.uvicorn_server import ShutdownHooks
from tunesmith.server.web_page import web_page_routes

__all__ = ["ServerOptions", "create_app", "error_response_for"]

Errors = Callable[[TunesmithError], Response]
DIALECTS = (own, huggingface, tracks, elevenlabs, openai, replicate, model_list, mcp)
ERRORS: Mapping[str, Errors] = {
    "elevenlabs": elevenlabs.errors,
    "openai": openai.errors,
    "models": model_list.errors,
    "replicate": replicate.errors,
    "mcp": mcp.errors,
    "api": own.errors,
    "metrics": own.errors,
    "health": own.errors,
    "docs": own.errors,
    "huggingface": huggingface.errors,
}
"""The error response of each API."""

NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""FastAPI would look for OpenTelemetry in every request; the server has its own metrics and request log."""


def create_app(settings: Settings, options: ServerOptions | None = None) -> FastAPI:
    """Return the application; it opens the database now and starts work when it is served."""
    options = options or ServerOptions()
    server = Server(settings, options)
    routers = [
        *(dialect.router(server.context) for dialect in DIALECTS),
        web_page_routes(),
        health_routes(server.health),
        metrics_routes(server.metrics_collector, require_admin(server.context.authenticate)),
    ]
    app = FastAPIOffline(
        title="Tunesmith", version=tunesmith.__version__, lifespan=_lifespan(server, routers), redoc_url=None,
        static_url="/docs/static", favicon_url="/docs/static/favicon.png", telemetry=NO_TELEMETRY,
    )  # fmt: skip
    for router in routers:
        # include_router would match each route of the router twice in every request, a tenth of a request's cost.
        app.router.routes.extend(router.routes)
    describe(app, settings.public_url)
    app.state.ending = ShutdownHooks(server.drain, server.dismiss, settings.drain_seconds, server.live.stop)
    app.state.limit_log = server.limit_log
    app.state.faults = RepeatedFault(logging.getLogger("tunesmith.server"))
    app.add_exception_handler(TunesmithError, _handle_error)
    add_exception_handlers(app, error_response_for)
    add_middleware(app, MiddlewareParts(
        error_response_for, AllowedHosts.of(settings, options.host), BodyLimits.of(settings), server.limit_log,
        server.service.quota_of, server.metrics.answered,
    ))  # fmt: skip
    return app


def _lifespan(server: Server, routers: Sequence[APIRouter]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the lifespan of the server, with those of its routers inside."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            await running.enter_async_context(server.running())
            for router in routers:
                # Routers stop before the server whose parts they use.
                await running.enter_async_context(router.lifespan_context(app))
            yield

    return lifespan


async def _handle_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TunesmithError)
    response = error_response_for(request.url.path, error)
    # A failed job is in the job log already.
    is_unexplained = response.status_code == SERVER_FAULT and not isinstance(error, JobFailed)
    if is_unexplained or isinstance(error, (DatabaseError, FolderUnavailable)):
        request.app.state.faults.report(f"a request cannot be answered: {error}")
    return response


def error_response_for(path: str, error: TunesmithError) -> Response:
    """Return the response for an error, in the shape that the path's clients expect."""
    return ERRORS[dialect_of(path)](error)
