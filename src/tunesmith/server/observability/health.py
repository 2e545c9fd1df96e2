"""Health: whether the process is alive, and whether it can serve at present, for monitors and load balancers."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import JSONResponse

import tunesmith
from tunesmith.errors import DatabaseDamaged, DatabaseError, DatabaseGone, FolderUnavailable
from tunesmith.ttl_cache import TtlCache

PATIENCE_SECONDS = 3.0
"""How long the database may take to answer."""

REMEMBERED_SECONDS = 1.0
LEAST_FREE_BYTES = 64e6
"""The free disk space below which no job starts: a long track would not fit."""

log = logging.getLogger("tunesmith.server")


@dataclass(frozen=True, slots=True)
class HealthProbes:
    """The probes of the server. ``is_stopping`` and ``problem`` run on the event loop, ``ping`` in a thread.

    ``problem`` returns in one line why no jobs can run; ``ping`` raises DatabaseError; ``folder`` is where results go;
    ``prepare`` recreates missing folders, or raises FolderUnavailable.
    """

    is_stopping: Callable[[], bool]
    problem: Callable[[], str | None]
    ping: Callable[[], object]
    folder: Path
    prepare: Callable[[], object] = lambda: None


class Health:
    """The health of the server; concurrent requests share one check."""

    def __init__(self, vitals: HealthProbes) -> None:
        self._vitals = vitals
        self._looked: TtlCache[None, str | None] = TtlCache(REMEMBERED_SECONDS)

    async def problem(self) -> str | None:
        """Return in one line why the server cannot serve, None if it can; reveals no internals."""
        if self._vitals.is_stopping():
            return "the server is stopping"
        return await self._missing() or self._vitals.problem()

    async def _missing(self) -> str | None:
        try:
            # The ping's thread cannot be cancelled; callers only stop waiting for it.
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._looked.get(None, self._look)
        except TimeoutError:
            return "the database does not answer"

    def _look(self) -> str | None:
        try:
            self._vitals.ping()
        except (DatabaseDamaged, DatabaseGone) as error:
            log.warning("not ready: %s", error)
            # The problem alone: the full message has the path of the database.
            return f"the database {error.problem}"
        except DatabaseError as error:
            log.warning("not ready: %s", error)
            return "the database cannot be reached"
        try:
            self._vitals.prepare()
        except FolderUnavailable as error:
            log.warning("not ready: %s", error)
            return error.problem
        try:
            free = shutil.disk_usage(self._vitals.folder).free
        except OSError as error:
            log.warning("not ready: %s", error)
            return "the folder of results cannot be reached"
        return "the disk of the results is full" if free < LEAST_FREE_BYTES else None


def health_routes(health: Health) -> APIRouter:
    """Return the health routes; they are open, because monitors have no token."""
    routes = APIRouter(tags=["Health"])

    @routes.get("/health/live", summary="Whether the process answers")
    @routes.get("/health", summary="Whether the process answers")
    async def live() -> dict[str, str]:
        return {"status": "ok", "version": tunesmith.__version__}

    @routes.get("/health/ready", summary="Whether the server can serve", responses={503: {"description": "Not ready"}})
    async def ready() -> JSONResponse:
        problem = await health.problem()
        if problem is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": problem}, 503, {"Retry-After": "5"})

    return routes
