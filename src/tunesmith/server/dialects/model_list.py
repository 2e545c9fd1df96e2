"""``GET /v1/models``, which OpenAI's and Replicate's clients both ask for: one answer that satisfies both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from tunesmith.errors import UnknownName
from tunesmith.generator import Registry
from tunesmith.models.store import Store
from tunesmith.server.dialects.contract import Context

OWNER = "tunesmith"
Names = Callable[[], Iterable[str]]


def installed_names() -> tuple[str, ...]:
    """Return the built-in generators and the installed models."""
    return (*Registry.discover().names(), *sorted(model.name for model in Store.default().models()))


def router(context: Context, names: Names = installed_names) -> APIRouter:
    """Return the routes; ``names`` gives the models that can be asked for now."""
    routes = APIRouter(tags=["Models"], dependencies=[Depends(context.authenticate)])

    @routes.get("/v1/models", summary="The models, for OpenAI's and Replicate's clients")
    async def models() -> JSONResponse:
        entries = [model_object(name) for name in await _now(names)]
        return JSONResponse({"object": "list", "data": entries, "results": entries, "next": None, "previous": None})

    @routes.get("/v1/models/{name:path}", summary="One model, its slashes unencoded")
    async def model(name: str) -> JSONResponse:
        known = await _now(names)
        if name not in known:
            raise UnknownName("model", name, known)
        return JSONResponse(model_object(name))

    return routes


async def _now(names: Names) -> list[str]:
    """Ask for the names in a thread, because they are read from disk."""
    return await run_in_threadpool(lambda: list(names()))


def model_object(name: str) -> dict[str, Any]:
    """Return a model as OpenAI (id, object, created, owned_by) and Replicate (owner, name, url, …) describe one."""
    owner, _, short = name.rpartition("/")
    return {
        "id": name, "object": "model", "created": 0, "owned_by": owner or OWNER,
        "url": "", "owner": owner or OWNER, "name": short, "description": None, "visibility": "public",
        "github_url": None, "paper_url": None, "license_url": None, "run_count": 0, "cover_image_url": None,
        "default_example": None, "latest_version": None,
    }  # fmt: skip
