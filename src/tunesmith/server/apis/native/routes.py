"""Tunesmith's own API, all under ``/api``: music and jobs, explanations, models, and what is loaded.

``request.py`` turns requests into jobs, ``schemas.py`` defines the responses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter

from tunesmith.jobs.estimates import QueueEstimator
from tunesmith.server.apis.native.errors import errors
from tunesmith.server.apis.native.info import add_about
from tunesmith.server.apis.native.jobs import Jobs, add_jobs
from tunesmith.server.apis.native.models import add_models
from tunesmith.server.apis.native.request import RequestParser
from tunesmith.server.context import ApiContext
from tunesmith.server.model_pulls import Pulls
from tunesmith.server.remote_audio import RemoteAudioFetcher
from tunesmith.server.ssrf_guard import AddressGuard

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
    add_jobs(routes, Jobs(service, parser, estimator), context.authenticate)
    add_about(routes, context)
    add_models(routes, context, pulls)
    return routes
