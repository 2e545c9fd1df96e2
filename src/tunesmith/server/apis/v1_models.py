"""``GET /v1/models`` and ``/v1/models/{name}``, which OpenAI's and Replicate's clients both ask for.

One answer satisfies both: OpenAI's read ``data``, Replicate's ``results``; an error says itself both ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from tunesmith.errors import TunesmithError, UnknownName
from tunesmith.models.catalog import list_models
from tunesmith.server.apis import openai
from tunesmith.server.apis.errors import message_of, status_of
from tunesmith.server.apis.replicate import routes as replicate
from tunesmith.server.apis.replicate.model_versions import find_model, published_models
from tunesmith.server.apis.replicate.models import model_json
from tunesmith.server.context import ApiContext

OWNER = "tunesmith"
Names = Callable[[], Iterable[str]]


def installed_names() -> tuple[str, ...]:
    """Return the names of the models that can generate now: the hosted ones are those that callers may use."""
    return tuple(model.name for model in list_models() if model.is_ready)


def router(context: ApiContext, names: Names = installed_names) -> APIRouter:
    """Return the routes; ``names`` gives the models that are here now."""
    routes = APIRouter(tags=["Models"], dependencies=[Depends(context.authenticate)])

    @routes.get("/v1/models", summary="The models, for OpenAI's and Replicate's clients")
    async def models(request: Request) -> JSONResponse:
        here = [_as_openai(name) for name in await _now(names)]
        origin = _origin(context, request)
        everything = await run_in_threadpool(published_models)
        published = [{**_as_openai(one.name), **model_json(one, origin)} for one in everything]
        return JSONResponse({"object": "list", "data": here, "results": published, "next": None, "previous": None})

    @routes.get("/v1/models/{name:path}", summary="One model, its slashes unencoded")
    async def model(request: Request, name: str) -> JSONResponse:
        known, published = await _now(names), await run_in_threadpool(find_model, name)
        if name not in known and published is None:
            raise UnknownName("model", name, known)
        return JSONResponse(
            {**_as_openai(name), **(model_json(published, _origin(context, request)) if published else {})}
        )

    return routes


def errors(error: TunesmithError) -> Response:
    """Answer as Replicate does, with OpenAI's ``error`` beside it, which says the same."""
    theirs = replicate.errors(error)
    body = json.loads(bytes(theirs.body))
    known = theirs.status_code == status_of(error)
    message = (message_of(error) if known else body["detail"]).strip()  # Replicate has errors of its own
    body |= openai.error_body(theirs.status_code, message, getattr(error, "field", None))
    headers = {name: value for name, value in theirs.headers.items() if name not in ("content-length", "content-type")}
    return JSONResponse(body, theirs.status_code, headers, media_type=theirs.media_type)


async def _now(names: Names) -> list[str]:
    """Ask for the names in a thread, because they are read from disk."""
    return await run_in_threadpool(lambda: list(names()))


def _origin(context: ApiContext, request: Request) -> str:
    return (context.settings.public_url or str(request.base_url)).rstrip("/")


def _as_openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": name.rpartition("/")[0] or OWNER}
