"""The application: the parts put together, the dialects mounted, and errors told in the words of whoever asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

import tunesmith
from tunesmith.config import Settings
from tunesmith.errors import TunesmithError
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.quotas import Quotas
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.runners.local import LocalPool, pool_limits
from tunesmith.jobs.store import JobStore
from tunesmith.jobs.workers import Workers
from tunesmith.library.rate import Allowance, Rate
from tunesmith.library.schema import open_database
from tunesmith.library.tokens import Tokens
from tunesmith.library.tracks import Tracks
from tunesmith.server.auth import Access, Authenticator
from tunesmith.server.changes import Changes
from tunesmith.server.context import DialectContext
from tunesmith.server.dialects import elevenlabs, huggingface, mcp, model_list, openai, own, replicate, tracks
from tunesmith.server.dialects.contract import error_response, message_of
from tunesmith.server.dispatcher import Dispatcher
from tunesmith.server.inputs import InputFiles
from tunesmith.server.limits import LimitHeaders, RateLimits
from tunesmith.server.listening import Names, is_loopback
from tunesmith.server.loading import ModelLoading
from tunesmith.server.refusals import add_refusals
from tunesmith.server.safety import add_safety
from tunesmith.server.service import Files, MusicService

Errors = Callable[[TunesmithError], Response]
DIALECTS = (own, tracks, elevenlabs, openai, replicate, model_list, mcp, huggingface)
ERRORS_BY_PATH: Mapping[str, Errors] = {
    "/v1/music": elevenlabs.errors,
    "/v1/sound-generation": elevenlabs.errors,
    "/v1/audio": openai.errors,
    "/v1/models": model_list.errors,
    "/v1/": replicate.errors,
    "/mcp": mcp.errors,
    "/api/": own.errors,
    "/": huggingface.errors,
}
"""The shape of an error by how the path begins; the first that fits."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """``anonymous`` lets people call without a token where tokens exist; ``stand_ins`` lets the composer stand in.

    ``host`` is the address that is listened on, None where another app holds this one and sees to who may reach it.
    """

    anonymous: bool = False
    stand_ins: bool = True
    host: str | None = None

    def access(self, settings: Settings) -> Access:
        """Return who may call at all."""
        open_at_first = self.host is None or is_loopback(self.host)
        return Access(self.anonymous, open_at_first, Rate.parse("setting anonymous_rate", settings.anonymous_rate))


class Server:
    """Everything that lives as long as the server does."""

    def __init__(self, settings: Settings, options: ServerOptions) -> None:
        self._database = open_database(settings)
        self._results = ResultFiles(settings.data_dir / "results")
        self._changes = Changes()
        files = Files(self._results, InputFiles(settings.data_dir / "inputs"))
        quotas = Quotas(Rate.parse("setting anonymous_quota", settings.anonymous_quota))
        self._store = JobStore(self._database, settings.queue_limit, quotas=quotas)
        queue = JobQueue(self._database)
        self._drain_seconds = settings.drain_seconds
        self._pool = LocalPool(pool_limits(settings))
        workers = Workers(self._database)
        self._dispatcher = Dispatcher(queue, workers, self._results, self._pool, self._changes)
        self.drain = self._dispatcher.drain
        wake = self._dispatcher.wake
        self.service = MusicService(self._store, files, self._changes, wake, stand_ins=options.stand_ins)
        self._loading = ModelLoading(self._pool, queue, stand_ins=options.stand_ins)
        self._limits = RateLimits(settings.rate_limit_url)
        authenticate = Authenticator(Tokens(self._database), options.access(settings), self._limits)
        self.context = DialectContext(self.service, settings, authenticate, self._loading, Tracks(self._database))

    @contextlib.asynccontextmanager
    async def running(self, _: Any = None) -> AsyncIterator[None]:
        """Work on jobs as long as the body runs."""
        working = asyncio.create_task(self._dispatcher.run())
        try:
            yield
        finally:
            await self._dispatcher.close(self._drain_seconds)
            await working
            await self._loading.close()
            await self._pool.close(0)
            await self._limits.close()
            self._database.close()

    async def quota_of(self, owner: str) -> Allowance | None:
        """Return what is left of an owner's quota."""
        return await asyncio.to_thread(self._store.allowance, owner)


def create_app(settings: Settings, options: ServerOptions | None = None) -> FastAPI:
    """Return the application; it opens the database now and starts to work when it is served."""
    options = options or ServerOptions()
    server = Server(settings, options)
    app = FastAPI(title="Tunesmith", version=tunesmith.__version__, lifespan=server.running)
    for dialect in DIALECTS:
        app.include_router(dialect.router(server.context))
    app.include_router(_health())
    app.state.drain = server.drain
    app.add_exception_handler(TunesmithError, _told)
    add_refusals(app, tell)
    app.add_middleware(LimitHeaders, quota_of=server.quota_of)
    add_safety(app, tell, Names.of(settings, options.host), settings.max_body_megabytes * 1e6)
    return app


def _health() -> APIRouter:
    routes = APIRouter(tags=["Health"])

    @routes.get("/health/live", summary="Whether the process answers")
    @routes.get("/health", summary="Whether the process answers")
    async def live() -> dict[str, str]:
        return {"status": "ok", "version": tunesmith.__version__}

    return routes


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, TunesmithError)
    return tell(request.url.path, error)


def tell(path: str, error: TunesmithError) -> Response:
    """Tell an error in the shape that the path's clients read."""
    shape = next((tell for begin, tell in ERRORS_BY_PATH.items() if path.startswith(begin)), None)
    return shape(error) if shape else error_response(error, {"error": message_of(error)})
