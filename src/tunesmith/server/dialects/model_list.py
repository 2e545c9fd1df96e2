"""``GET /v1/models``, which OpenAI's and Replicate's clients both ask for: one answer that satisfies both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from tunesmith.errors import UnknownName
from tunesmith.server.dialects.contract import Context

OWNER = "tunesmith"
Names = Callable[[], Iterable[str]]


def router(context: Context, names: Names) -> APIRouter:
    """Return the routes; ``names`` gives the models that can be asked for now."""
    routes = APIRouter(tags=["Models"], dependencies=[Depends(context.authenticate)])

    @routes.get("/v1/models", summary="The models, for OpenAI's and Replicate's clients")
    async def models() -> JSONResponse:
        entries = [model_object(name) for name in names()]
        return JSONResponse({"object": "list", "data": entries, "results": entries, "next": None, "previous": None})

    @routes.get("/v1/models/{name:path}", summary="One model, its slashes unencoded")
    async def model(name: str) -> JSONResponse:
        known = list(names())
        if name not in known:
            raise UnknownName("model", name, known)
        return JSONResponse(model_object(name))

    return routes


def model_object(name: str) -> dict[str, Any]:
    """Return a model as OpenAI (id, object, created, owned_by) and Replicate (owner, name, url, …) describe one."""
    owner, _, short = name.rpartition("/")
    return {
        "id": name, "object": "model", "created": 0, "owned_by": owner or OWNER,
        "url": "", "owner": owner or OWNER, "name": short, "description": None, "visibility": "public",
        "github_url": None, "paper_url": None, "license_url": None, "run_count": 0, "cover_image_url": None,
        "default_example": None, "latest_version": None,
    }  # fmt: skip
