"""``GET /v1/models`` and ``/v1/models/{name}``, which clients of OpenAI and of Replicate share.

One response serves both: OpenAI's clients read ``data``, Replicate's ``results``; errors have both formats.
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
from tunesmith.server.apis.replicate.models import find_model, model_json, published_models
from tunesmith.server.context import ApiContext

OWNER = "tunesmith"
Names = Callable[[], Iterable[str]]


def installed_names() -> tuple[str, ...]:
    """Return the models that can generate now; hosted ones only if they are open to callers."""
    return tuple(model.name for model in list_models() if model.is_ready)


def router(context: ApiContext, names: Names = installed_names) -> APIRouter:
    """Return the routes; ``names`` returns the models that are available now."""
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
    """Return an error in Replicate's format, with OpenAI's ``error`` added."""
    theirs = replicate.errors(error)
    body = json.loads(bytes(theirs.body))
    known = theirs.status_code == status_of(error)
    # Replicate's API has errors of its own.
    message = (message_of(error) if known else body["detail"]).strip()
    body |= openai.error_body(theirs.status_code, message, getattr(error, "field", None))
    # The body has changed, so its length has too.
    headers = {name: value for name, value in theirs.headers.items() if name not in ("content-length", "content-type")}
    return JSONResponse(body, theirs.status_code, headers, media_type=theirs.media_type)


async def _now(names: Names) -> list[str]:
    """Return the names, read from the disk in a thread."""
    return await run_in_threadpool(lambda: list(names()))


def _origin(context: ApiContext, request: Request) -> str:
    return (context.settings.public_url or str(request.base_url)).rstrip("/")


def _as_openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": name.rpartition("/")[0] or OWNER}
