"""The Hugging Face Inference API: a prompt in, audio bytes out.

Its clients read bytes on success and ``{"error": "…"}`` on failure, and send JSON under any Content-Type.
``request.py`` parses requests and selects the format of the response.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute

import tunesmith
from tunesmith.errors import TunesmithError, UnknownName
from tunesmith.jobs.job import Job
from tunesmith.server.apis.errors import error_response, message_of, status_of
from tunesmith.server.apis.huggingface.request import (
    DEFAULT_MODEL,
    MUSICGEN_RATE,
    ResponseFormat,
    documented_inputs,
    parse_request,
    to_submission,
    waits_for_model,
)
from tunesmith.server.apis.live_responses import Live, submit_and_stream
from tunesmith.server.apis.responses import full_response, headers_of, run_and_wait, streaming_response
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.errors import ModelIsLoading

LEAST_SECONDS = 1.0
"""The minimum duration in seconds of a request that gets a 503."""
COME_BACK = 503


class DelayedUnavailableRoute(APIRoute):
    """A route that delays a 503 until the request has lasted ``LEAST_SECONDS``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, wrapped in the delay."""
        handle = super().get_route_handler()

        async def unhurried(request: Request) -> Response:
            began = time.monotonic()
            try:
                return await handle(request)
            except TunesmithError as error:
                if status_of(error) == COME_BACK:
                    await asyncio.sleep(began + LEAST_SECONDS - time.monotonic())
                raise

        return unhurried


COMPUTE_TYPE = "cpu"


def add_about(routes: APIRouter, context: ApiContext) -> None:
    """Add the routes; each returns 404 for a model that cannot serve requests."""

    @routes.get("/status/{model:path}", summary="Whether a model is loaded")
    async def status(model: str) -> dict[str, Any]:
        loaded = await context.loading.is_ready(model.strip("/"))
        state = "Loaded" if loaded else "Loadable"
        return {"loaded": loaded, "state": state, "compute_type": COMPUTE_TYPE, "framework": "tunesmith"}

    @routes.get("/models/{model:path}/health", summary="Whether a model accepts requests")
    async def health(model: str) -> dict[str, str]:
        await context.loading.is_ready(model)
        return {"status": "ok"}

    @routes.get("/models/{model:path}/info", summary="Information about a model")
    async def info_of_model(model: str) -> dict[str, Any]:
        return await info(model)

    @routes.get("/info", summary="Information about the default model, as at an Inference Endpoint")
    async def info(model: str = DEFAULT_MODEL) -> dict[str, Any]:
        resolved = await context.loading.resolved_model(model)
        return {
            "model_id": model, "model_pipeline_tag": "text-to-audio", "model_device_type": COMPUTE_TYPE,
            "sampling_rate": MUSICGEN_RATE, "generated_by": resolved.generated_by,
            "is_stand_in": resolved.is_fallback, "loaded": context.loading.is_loaded(resolved.generated_by),
            "router": "tunesmith", "version": tunesmith.__version__,
        }  # fmt: skip


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

    async def generate(request: Request, model: str | None, owner: str | None, stream: bool) -> Response:
        body = await parse_request(request)
        accept = request.headers.get("accept", "")
        submission = to_submission(body, model, owner, accept)
        if not waits_for_model(body, request.headers.get(WAIT_HEADER), context.settings.cold_start == "hold"):
            # Starts the load and raises ModelIsLoading (503) if it takes longer.
            resolved = await context.loading.wait(submission.model or submission.request.model, NO_WAIT_SECONDS)
            submission = replace(submission, generated_by=resolved.generated_by)
        answer = ResponseFormat.from_accept_header(submission.options.format, accept)
        if stream and not answer.in_json:
            music = await submit_and_stream(context.service, submission, request)
            return streaming_response(music.chunks, answer.media_type, all_headers(music.job))
        return await _answer(context, await run_and_wait(context.service, submission, request), answer)

    @routes.post("/models/{model:path}", openapi_extra=body, summary="Music from a prompt")
    @routes.post(
        "/hf-inference/models/{model:path}", openapi_extra=body, summary="Music from a prompt, at the router's path"
    )
    async def of_model(request: Request, model: str, stream: Live = False, caller: Caller = caller_of) -> Response:
        return await generate(request, model.strip("/"), caller.owner, stream)

    @routes.post("/pipeline/{task}/{model:path}", openapi_extra=body, summary="Music from a prompt, for older clients")
    # The task is always text-to-audio, whatever the path says.
    async def of_pipeline(
        request: Request,
        task: str,  # noqa: ARG001
        model: str,
        stream: Live = False,
        caller: Caller = caller_of,
    ) -> Response:
        return await generate(request, model.strip("/"), caller.owner, stream)

    @routes.post("/", openapi_extra=body, summary="Music from a prompt, as at an Inference Endpoint")
    @routes.post("/predict", openapi_extra=body, summary="Music from a prompt")
    async def of_default(request: Request, stream: Live = False, caller: Caller = caller_of) -> Response:
        return await generate(request, None, caller.owner, stream)

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
