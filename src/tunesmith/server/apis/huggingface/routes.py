"""The Hugging Face Inference API: a prompt in, audio bytes out.

Its clients read bytes on success and ``{"error": "…"}`` on failure, and send JSON under any Content-Type.
``request.py`` parses requests, ``response.py`` selects the response format, ``model_info.py`` describes models.
"""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from tunesmith.errors import TunesmithError, UnknownName
from tunesmith.jobs.job import Job
from tunesmith.server.apis.errors import error_response, message_of, status_of
from tunesmith.server.apis.huggingface.delayed_503 import DelayedUnavailableRoute
from tunesmith.server.apis.huggingface.model_info import COMPUTE_TYPE, add_about
from tunesmith.server.apis.huggingface.request import documented_inputs, parse_request, to_submission, waits_for_model
from tunesmith.server.apis.huggingface.response import ResponseFormat
from tunesmith.server.apis.responses import full_response, headers_of, run_and_wait
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.errors import ModelIsLoading

__all__ = ["errors", "router"]

WAIT_HEADER = "x-wait-for-model"
NO_WAIT_SECONDS = 1.0
"""How long a caller that does not wait for a model waits in seconds all the same: it may be loaded by then."""
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)


def router(context: ApiContext) -> APIRouter:
    """Return the routes of the Hugging Face API."""
    routes = APIRouter(
        tags=["Hugging Face"], route_class=DelayedUnavailableRoute, dependencies=[Depends(context.authenticate)]
    )
    add_about(routes, context)
    caller_of, body = Depends(context.authenticate), documented_inputs()

    async def generate(request: Request, model: str | None, owner: str | None) -> Response:
        body = await parse_request(request)
        accept = request.headers.get("accept", "")
        submission = to_submission(body, model, owner, accept)
        if not waits_for_model(body, request.headers.get(WAIT_HEADER), context.settings.cold_start == "hold"):
            # Starts the load and raises ModelIsLoading (503) if it takes longer.
            resolved = await context.loading.wait(submission.model or submission.request.model, NO_WAIT_SECONDS)
            submission = replace(submission, generated_by=resolved.generated_by)
        job = await run_and_wait(context.service, submission, request)
        return await _answer(context, job, ResponseFormat.from_accept_header(submission.options.format, accept))

    @routes.post("/models/{model:path}", openapi_extra=body, summary="Music from a prompt")
    @routes.post(
        "/hf-inference/models/{model:path}", openapi_extra=body, summary="Music from a prompt, at the router's path"
    )
    async def of_model(request: Request, model: str, caller: Caller = caller_of) -> Response:
        return await generate(request, model.strip("/"), caller.owner)

    @routes.post("/pipeline/{task}/{model:path}", openapi_extra=body, summary="Music from a prompt, for older clients")
    # The task is always text-to-audio, whatever the path says.
    async def of_pipeline(request: Request, task: str, model: str, caller: Caller = caller_of) -> Response:  # noqa: ARG001
        return await generate(request, model.strip("/"), caller.owner)

    @routes.post("/", openapi_extra=body, summary="Music from a prompt, as at an Inference Endpoint")
    @routes.post("/predict", openapi_extra=body, summary="Music from a prompt")
    async def of_default(request: Request, caller: Caller = caller_of) -> Response:
        return await generate(request, None, caller.owner)

    return routes


async def _answer(context: ApiContext, job: Job, answer: ResponseFormat) -> Response:
    """Return the audio, or a JSON list in the format of the Inference API for clients that accept only JSON."""
    path, headers = context.service.result_path(job), all_headers(job)
    if not answer.in_json:
        return await full_response(path, answer.media_type, headers)
    sound = await asyncio.to_thread(path.read_bytes)
    # Encoding a large file would block the event loop.
    blob = await asyncio.to_thread(base64.b64encode, sound)
    result = {"label": job.generated_by, "blob": blob.decode(), "content-type": answer.media_type}
    return JSONResponse([result], headers=headers)


def all_headers(job: Job) -> dict[str, str]:
    """Return the headers that describe the audio: those of the Inference API and ours."""
    took = job.generate_seconds or 0.0
    theirs = {"x-compute-type": COMPUTE_TYPE, "x-compute-time": f"{took:.3f}"}
    return {**theirs, "x-compute-characters": str(len(job.request.prompt)), **headers_of(job)}


def errors(error: TunesmithError) -> JSONResponse:
    """Return an error in the format of the Inference API: ``{"error": "…"}``."""
    status = status_of(error)
    body: dict[str, Any] = {"error": message_of(error) + _how_to_install(error)}
    # The two texts are those of the Inference API itself.
    if status == 401:
        body = {"error": "Authorization header is correct, but the token seems invalid"}
    if status == 429:
        body = {"error": f"Rate limit reached. {error}"}
    if status == 422:
        body["error_type"] = "validation"
    if isinstance(error, ModelIsLoading):
        body["estimated_time"] = round(error.estimated_time, 1)
    return error_response(error, body)


def _how_to_install(error: TunesmithError) -> str:
    """Return the command that may install a model that was requested by its hub id, or nothing."""
    named = error.name if isinstance(error, UnknownName) and error.field == "model" else ""
    return f"; if it is a MusicGen, install it with: tunesmith pull {named}" if _HUB_ID.fullmatch(named) else ""
