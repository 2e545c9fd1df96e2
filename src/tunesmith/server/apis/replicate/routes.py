"""Replicate's API: predictions, output files, streams and webhooks, models, uploads.

``request.py`` turns requests into jobs and ``response.py`` jobs into predictions; every other group of routes has a
file of its own.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends

from tunesmith.server.apis.replicate.errors import errors
from tunesmith.server.apis.replicate.files import Files, FileStore
from tunesmith.server.apis.replicate.models import Account, Models
from tunesmith.server.apis.replicate.predictions import Outputs, Predictions, Streams
from tunesmith.server.apis.replicate.request import PredictionParser
from tunesmith.server.apis.replicate.response import PredictionSerializer
from tunesmith.server.apis.replicate.url_signing import Secret
from tunesmith.server.context import ApiContext
from tunesmith.server.ssrf_guard import AddressGuard
from tunesmith.server.webhooks import WebhookClient, WebhookOutbox, WebhookSender

__all__ = ["errors", "router"]


def router(context: ApiContext) -> APIRouter:
    """Return the routes of Replicate's API, all under ``/v1``."""
    settings = context.settings
    secret = Secret.kept_in(settings.data_dir)
    guard = AddressGuard(settings.allow_private_addresses)
    views = PredictionSerializer(context, secret)
    uploads = context.uploads
    files = FileStore(settings.data_dir / "files", context.clock, uploads.reserve)
    sender = WebhookClient(guard, context.clock)
    follower = WebhookSender(sender, WebhookOutbox(settings.data_dir / "webhooks"))
    predictions = Predictions(context, PredictionParser(context.service, files, guard, uploads), views, follower)

    private = APIRouter(prefix="/v1", tags=["replicate"], dependencies=[Depends(context.authenticate)])
    for group in (predictions, Files(files, views, uploads), Models(), Account(secret)):
        group.add_to(private)
    # Outputs and streams take no token: their signed URLs are the authorization.
    both = APIRouter(prefix="/v1", tags=["replicate"], lifespan=predictions.following)
    for public in (Outputs(context, secret), Streams(context, secret, views)):
        public.add_to(both)
    # Not include_router, which would match each route twice in every request.
    both.routes.extend(private.routes)
    return both
