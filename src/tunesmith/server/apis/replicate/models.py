"""The versions of models; ``v1_models.py`` lists the models, for OpenAI's clients too."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from tunesmith.server.apis.replicate.errors import ProblemDetail
from tunesmith.server.apis.replicate.json_types import Json
from tunesmith.server.apis.replicate.model_versions import (
    VERSION_CREATED,
    PublishedModel,
    find_model,
    runs_for,
)
from tunesmith.server.apis.replicate.openapi import openapi_schema


class Models:
    """The handlers of the routes for versions."""

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to the router."""
        router.add_api_route("/models/{owner}/{name}/versions", self.versions, methods=["GET"])
        router.add_api_route("/models/{owner}/{name}/versions/{version_id}", self.version, methods=["GET"])

    async def versions(self, owner: str, name: str) -> Response:
        """List the only version of a model."""
        return JSONResponse({"previous": None, "next": None, "results": [version_json(await named_model(owner, name))]})

    async def version(self, owner: str, name: str, version_id: str) -> Response:
        """Return a version, with the OpenAPI schema that clients read."""
        model = await named_model(owner, name, version_id)
        # The client expects the id that it sent.
        return JSONResponse({**version_json(model), "id": version_id})


def model_json(model: PublishedModel, origin: str) -> Json:
    """Return a model as a JSON object of Replicate's API."""
    owner, _, name = model.name.partition("/")
    return {
        "url": f"{origin}/v1/models/{model.name}", "owner": owner, "name": name, "description": model.about,
        "visibility": "public", "github_url": None, "paper_url": None, "license_url": None, "run_count": 0,
        "cover_image_url": None, "default_example": None, "latest_version": version_json(model),
    }  # fmt: skip


def version_json(model: PublishedModel) -> Json:
    """Return a version as a JSON object of Replicate's API."""
    return {
        "id": model.version, "created_at": VERSION_CREATED, "cog_version": "0.8.3", "openapi_schema": openapi_schema(),
    }  # fmt: skip


async def named_model(owner: str, name: str, version: str | None = None) -> PublishedModel:
    """Return the model, which must have the version if one is given. Raises ProblemDetail (404)."""
    model = await asyncio.to_thread(find_model, f"{owner}/{name}")
    if model is None:
        raise ProblemDetail(404, f"There is no model {f'{owner}/{name}'[:80]!r} here; GET /v1/models lists them.")
    if version is not None and not runs_for(model, version):
        raise ProblemDetail(404, f"There is no version {version[:80]!r} of {model.name}.")
    return model
