"""Tunesmith's own API, all under ``/api``: music and jobs, explanations, models, and what is loaded.

``request.py`` turns requests into jobs, ``schemas.py`` defines the responses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

import tunesmith
from tunesmith.jobs.estimates import QueueEstimator
from tunesmith.jobs.runners.tasks import LoadedModel
from tunesmith.server.apis.native.edits import add_edits
from tunesmith.server.apis.native.explain import add_explain
from tunesmith.server.apis.native.jobs import add_jobs, encoded
from tunesmith.server.apis.native.live import add_live
from tunesmith.server.apis.native.models import add_models
from tunesmith.server.apis.native.request import RequestParser
from tunesmith.server.apis.native.schemas import (
    LoadedDocument,
    LoadedModels,
    VersionDocument,
    errors,
    responses,
    to_iso8601,
)
from tunesmith.server.apis.native.scores import add_scores
from tunesmith.server.auth import require_admin
from tunesmith.server.context import ApiContext
from tunesmith.server.model_pulls import Pulls
from tunesmith.server.remote_audio import RemoteAudioFetcher
from tunesmith.server.ssrf_guard import AddressGuard


def add_about(routes: APIRouter, context: ApiContext) -> None:
    """Add the routes for loaded models and the version."""
    known = [Depends(context.authenticate)]

    @routes.get(
        "/api/ps", dependencies=known, summary="Models in memory", response_model=LoadedModels, responses=responses()
    )
    async def loaded() -> Response:
        now = context.clock()
        return encoded(LoadedModels(models=[_loaded(one, now) for one in context.loading.loaded()]))

    @routes.delete(
        "/api/ps/{name:path}", dependencies=[Depends(require_admin(context.authenticate))], status_code=204,
        responses=responses(403), summary="Unload an idle model from memory",
    )  # fmt: skip
    async def unload(name: str) -> Response:
        await context.loading.unload(name)
        return Response(status_code=204)

    @routes.get("/api/version", summary="The version", response_model=VersionDocument)
    async def version() -> Response:
        return encoded(VersionDocument(version=tunesmith.__version__))


def _loaded(one: LoadedModel, now: float) -> LoadedDocument:
    return LoadedDocument(
        name=one.model,
        process_id=one.process_id,
        memory_bytes=one.memory_bytes,
        requests_running=one.busy,
        loading_seconds=one.loading_for,
        expires_at=None if one.expires_in is None else to_iso8601(now + one.expires_in),
        expires_in_seconds=one.expires_in,
    )


__all__ = ["errors", "router"]


def router(context: ApiContext) -> APIRouter:
    """Return the routes of Tunesmith's own API."""
    service, loading = context.service, context.loading
    estimator = QueueEstimator(service.queue, lambda: {one.model for one in loading.loaded()}, context.clock)
    fetcher = RemoteAudioFetcher(AddressGuard(context.settings.allow_private_addresses))
    parser = RequestParser(service, fetcher, context.uploads, context.settings)
    pulls = Pulls()

    @asynccontextmanager
    async def ending_pulls(_: Any) -> AsyncIterator[None]:
        yield
        # Pulls run in processes of their own, which must not outlive the server.
        await pulls.close()

    routes = APIRouter(tags=["Tunesmith"], lifespan=ending_pulls)
    add_jobs(routes, service, parser, estimator, Depends(context.authenticate))
    add_explain(routes, parser, Depends(context.authenticate))
    add_about(routes, context)
    add_models(routes, context, pulls)
    add_scores(routes, context)
    add_edits(routes, context)
    add_live(routes, context)
    return routes
