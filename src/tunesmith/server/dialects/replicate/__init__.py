"""The Replicate dialect: predictions, their files, streams and webhooks, models, uploads.

``contract.py`` says what it asks of the server; ``orders.py`` turns what comes in into a job, ``views.py`` jobs into
what goes out; the rest is one file a group of routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request

from tunesmith.server.dialects.replicate.account import Account
from tunesmith.server.dialects.replicate.contract import Caller, Context
from tunesmith.server.dialects.replicate.file_store import FileStore
from tunesmith.server.dialects.replicate.files import Files
from tunesmith.server.dialects.replicate.models import Models
from tunesmith.server.dialects.replicate.orders import Orders
from tunesmith.server.dialects.replicate.predictions import Outputs, Predictions
from tunesmith.server.dialects.replicate.problems import errors
from tunesmith.server.dialects.replicate.signing import Secret
from tunesmith.server.dialects.replicate.streams import Streams
from tunesmith.server.dialects.replicate.views import Views
from tunesmith.server.outgoing import Guard
from tunesmith.server.undelivered import Undelivered
from tunesmith.server.webhooks import Follower, Sender

__all__ = ["errors", "router"]


def router(context: Context) -> APIRouter:
    """Return the routes, all under ``/v1``."""
    settings = context.settings
    secret = Secret.kept_in(settings.data_dir)
    guard = Guard(settings.allow_private_addresses)
    views = Views(context, secret)
    uploads = context.uploads
    files = FileStore(settings.data_dir / "files", context.clock, uploads.reserve)
    sender = Sender(guard, context.clock)
    follower = Follower(sender, Undelivered(settings.data_dir / "webhooks"))
    predictions = Predictions(context, Orders(context.service, files, guard, uploads), views, follower)

    private = APIRouter(prefix="/v1", tags=["replicate"], dependencies=[Depends(_remembering(context))])
    for group in (predictions, Files(files, views, uploads), Models(), Account(secret)):
        group.add_to(private)
    both = APIRouter(prefix="/v1", tags=["replicate"], lifespan=predictions.following)
    for public in (Outputs(context, secret), Streams(context, secret, views)):
        public.add_to(both)
    both.routes.extend(private.routes)
    return both


def _remembering(context: Context) -> Callable[..., Awaitable[None]]:
    """Return a dependency that notes who sent the request."""
    authenticated = Depends(context.authenticate)

    async def remember(request: Request, caller: Caller = authenticated) -> None:
        request.state.caller = caller

    return remember
