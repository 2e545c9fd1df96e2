"""Account routes: the caller's account, hardware, deployments and the secret of webhooks."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from tunesmith.server.apis.replicate.errors import ProblemDetail
from tunesmith.server.apis.replicate.json_types import Json
from tunesmith.server.apis.replicate.model_versions import PublishedModel, find_model, published_models
from tunesmith.server.apis.replicate.response import caller_of
from tunesmith.server.apis.replicate.url_signing import Secret
from tunesmith.server.errors import Forbidden
from tunesmith.server.webhooks.delivery import secret_text

HARDWARE = ({"name": "This machine", "sku": "local"},)


class Account:
    """The handlers of the account routes; every model has a deployment of the same name."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to the router."""
        router.add_api_route("/account", self.account, methods=["GET"])
        router.add_api_route("/hardware", self.hardware, methods=["GET"])
        router.add_api_route("/webhooks/default/secret", self.webhook_secret, methods=["GET"])
        router.add_api_route("/deployments", self.deployments, methods=["GET"])
        router.add_api_route("/deployments/{owner}/{name}", self.deployment, methods=["GET"])

    async def account(self, request: Request) -> Response:
        """Return the caller's account."""
        # Without tokens there is a single, local user.
        name = caller_of(request).owner or "local"
        return JSONResponse({"type": "user", "username": name, "name": name, "github_url": None})

    async def hardware(self) -> Response:
        """List the hardware."""
        return JSONResponse(list(HARDWARE))

    async def webhook_secret(self, request: Request) -> Response:
        """Return the key that signs the caller's webhooks."""
        caller = caller_of(request)
        # Anyone who holds the key can forge webhooks.
        if caller.is_anonymous:
            raise Forbidden("callers without a token have no webhook key, because their IP address may change")
        return JSONResponse({"key": secret_text(self._secret.webhook_key(caller.owner))})

    async def deployments(self) -> Response:
        """List the deployments."""
        shown = [_deployment(model) for model in await asyncio.to_thread(published_models)]
        return JSONResponse({"previous": None, "next": None, "results": shown})

    async def deployment(self, owner: str, name: str) -> Response:
        """Return a deployment."""
        model = await asyncio.to_thread(find_model, f"{owner}/{name}")
        if model is None:
            raise ProblemDetail(404, f"There is no deployment {f'{owner}/{name}'[:80]!r}.")
        return JSONResponse(_deployment(model))


def _deployment(model: PublishedModel) -> Json:
    owner, _, name = model.name.partition("/")
    release = {
        "number": 1, "model": model.name, "version": model.version, "created_at": "2023-06-12T00:00:00.000Z",
        "created_by": {"type": "organization", "username": owner, "name": owner, "github_url": None},
        "configuration": {"hardware": "local", "min_instances": 0, "max_instances": 1},
    }  # fmt: skip
    return {"owner": owner, "name": name, "current_release": release}
