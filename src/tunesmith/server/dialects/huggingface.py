"""The Hugging Face Inference API: a prompt in, the bytes of a sound out.

Its clients read bytes on success and ``{"error": "…"}`` on failure, and send JSON under any Content-Type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.jobs.job import Job, Submission
from tunesmith.request import GenerationRequest
from tunesmith.server.context import DialectContext
from tunesmith.server.dialects.contract import error_response, message_of, status_of
from tunesmith.server.dialects.holding import headers_of, make, whole
from tunesmith.server.loading import ModelIsLoading

DIALECT = "huggingface"
DEFAULT_MODEL = "facebook/musicgen-small"
USUAL_SECONDS = 10.0
MUSICGEN_RATE = 32_000
FRAME_RATE, DELAY_FRAMES = 50, 3

MEDIA_TYPES: Mapping[str, str] = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/flac": "flac", "audio/x-flac": "flac",
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/ogg": "ogg", "audio/opus": "opus",
}  # fmt: skip
"""Formats by what an Accept header may say."""
CONTENT_TYPES = {"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "opus": "audio/ogg"}

FIELDS = {
    "duration": "duration", "seed": "seed", "loop": "loop", "bpm": "tempo_bpm", "tempo_bpm": "tempo_bpm", "key": "key",
    "negative_prompt": "negative_prompt", "guidance_scale": "guidance_scale", "top_k": "top_k", "top_p": "top_p",
    "temperature": "temperature",
}  # fmt: skip
"""Our field by their parameter; the others of theirs mean nothing here and are let through."""
GROUPS = ("generation_parameters", "generate_kwargs")

WAIT_HEADER = "x-wait-for-model"
NO_WAIT_SECONDS = 1.0
"""How long a caller who does not want to wait for a model waits all the same: some retry without any delay."""


def router(context: DialectContext) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["Hugging Face"])
    caller_of = Depends(context.authenticate)

    async def generate(request: Request, model: str | None, owner: str | None) -> Response:
        body = read_body(await request.body(), request.headers.get("content-type", ""))
        submission = submission_of(body, model, owner, request.headers.get("accept", ""))
        if not waits_for_model(body, request.headers.get(WAIT_HEADER), context.settings.cold_start == "hold"):
            await context.loading.wait(submission.request.model, NO_WAIT_SECONDS)
        job = await make(context.service, submission, request)
        media_type = CONTENT_TYPES[str(submission.extra["format"])]
        return await whole(context.service.result_path(job), media_type, all_headers(job))

    @routes.post("/models/{owner}/{name}", summary="Music from a prompt")
    @routes.post("/hf-inference/models/{owner}/{name}", summary="Music from a prompt, as through the router")
    async def of_model(request: Request, owner: str, name: str, caller: Any = caller_of) -> Response:
        return await generate(request, f"{owner}/{name}", caller.owner)

    @routes.post("/models/{name}", summary="Music from a prompt, by a model's short name")
    async def of_short_name(request: Request, name: str, caller: Any = caller_of) -> Response:
        return await generate(request, name, caller.owner)

    @routes.post("/pipeline/{task}/{owner}/{name}", summary="Music from a prompt, as older clients ask")
    async def of_pipeline(request: Request, task: str, owner: str, name: str, caller: Any = caller_of) -> Response:  # noqa: ARG001
        return await generate(request, f"{owner}/{name}", caller.owner)

    @routes.post("/", summary="Music from a prompt, as of an Inference Endpoint")
    @routes.post("/predict", summary="Music from a prompt")
    async def of_default(request: Request, caller: Any = caller_of) -> Response:
        return await generate(request, None, caller.owner)

    @routes.get("/status/{owner}/{name}", summary="Whether a model is loaded")
    async def status(owner: str, name: str) -> dict[str, Any]:
        loaded = await context.loading.is_ready(f"{owner}/{name}")
        state = "Loaded" if loaded else "Loadable"
        return {"loaded": loaded, "state": state, "compute_type": "cpu", "framework": "tunesmith"}

    return routes


def read_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """Read JSON whatever the Content-Type says; a form and a bare prompt are read too."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("inputs", "must be text in UTF-8") from None
    try:
        body = json.loads(text)
    except ValueError:
        form = parse_qs(text) if "form-urlencoded" in content_type else {}
        return {name: values[0] for name, values in form.items()} if "inputs" in form else {"inputs": text}
    return body if isinstance(body, dict) else {"inputs": body}


def submission_of(body: Mapping[str, Any], model: str | None, owner: str | None, accept: str) -> Submission:
    """Return the job that a body asks for: 10 s of mono at 32 kHz unless it says otherwise, as MusicGen makes."""
    prompt = body.get("inputs", body.get("input"))
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise InvalidRequest("inputs", f"must be text, got {type(prompt).__name__}")
    parameters = _parameters(body)
    asked = model or str(body.get("model") or DEFAULT_MODEL)
    fields = {FIELDS[name]: value for name, value in parameters.items() if name in FIELDS and value is not None}
    fields.setdefault("duration", _seconds(parameters))
    request = GenerationRequest.checked(prompt=prompt, model=asked, sample_rate=MUSICGEN_RATE, mono=True, **fields)
    return Submission(request, DIALECT, owner, model=asked, extra={"format": wanted_format(parameters, accept)})


def waits_for_model(body: Mapping[str, Any], header: str | None, usually: bool) -> bool:
    """Tell whether a caller waits for a model to be loaded: as the header says, the body's options, or the settings."""
    if header is not None:
        return header.strip().lower() not in ("false", "0", "no")
    options = body.get("options")
    said = options.get("wait_for_model") if isinstance(options, dict) else None
    return said if isinstance(said, bool) else usually


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest("parameters", f"must be an object, got {type(parameters).__name__}")
    merged = dict(parameters)
    for group in GROUPS:
        inner = merged.pop(group, None) or {}
        if not isinstance(inner, dict):
            raise InvalidRequest(f"parameters.{group}", f"must be an object, got {type(inner).__name__}")
        merged |= inner
    return merged


def _seconds(parameters: Mapping[str, Any]) -> float:
    """Return the length: that of so many new tokens, or the usual one."""
    tokens = parameters.get("max_new_tokens")
    if tokens is None:
        return USUAL_SECONDS
    if not isinstance(tokens, int) or tokens <= DELAY_FRAMES:
        raise InvalidRequest("max_new_tokens", f"must be a whole number above {DELAY_FRAMES}, got {tokens!r}")
    return (tokens - DELAY_FRAMES) / FRAME_RATE


def wanted_format(parameters: Mapping[str, Any], accept: str) -> str:
    """Return the format asked for by name, or the first that the Accept header names; WAV otherwise."""
    named = parameters.get("format")
    if named is not None:
        if named not in CONTENT_TYPES:
            raise InvalidRequest("format", f"must be one of {', '.join(CONTENT_TYPES)}, got {named!r}")
        return str(named)
    kinds = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return next((MEDIA_TYPES[kind] for kind in kinds if kind in MEDIA_TYPES), "wav")


def all_headers(job: Job) -> dict[str, str]:
    """Return what the answer says about the music, in their words and ours."""
    took = job.generate_seconds or 0.0
    theirs = {"x-compute-type": "cpu", "x-compute-time": f"{took:.3f}"}
    return {**theirs, "x-compute-characters": str(len(job.request.prompt)), **headers_of(job)}


def errors(error: TunesmithError) -> JSONResponse:
    """Answer in their shape: ``{"error": "…"}``, and what kind it is where the input is to blame."""
    status = status_of(error)
    body: dict[str, Any] = {"error": message_of(error)}
    if status == 401:
        body = {"error": "Authorization header is correct, but the token seems invalid"}
    if status == 429:
        body = {"error": f"Rate limit reached. {error}"}
    if status == 422:
        body["error_type"] = "validation"
    if isinstance(error, ModelIsLoading):
        body["estimated_time"] = round(error.estimated_time, 1)
    return error_response(error, body)
