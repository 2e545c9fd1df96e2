"""What a caller of this dialect asks for: the body, in any of the forms it is sent in, as a job."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request

from tunesmith.errors import InvalidRequest
from tunesmith.jobs.job import Submission
from tunesmith.request import GenerationRequest
from tunesmith.server.dialects.bodies import in_thread_if_large
from tunesmith.server.dialects.forms import is_form, read_form
from tunesmith.server.dialects.huggingface.formats import CONTENT_TYPES, Answer
from tunesmith.server.json_text import NotJson, decode_text, parse_json
from tunesmith.server.refusals import BadRequest

DIALECT = "huggingface"
DEFAULT_MODEL = "facebook/musicgen-small"
USUAL_SECONDS = 10.0
MUSICGEN_RATE = 32_000
FRAME_RATE, DELAY_FRAMES = 50, 3

NOT_THEIRS = ("prompt", "model", "soundfont", "audio", "melody")
"""Fields of a request that no parameter sets: some are said elsewhere, some are paths on this machine."""
FIELDS = {name: name for name in GenerationRequest.model_fields if name not in NOT_THEIRS} | {"bpm": "tempo_bpm"}
"""Our field by their parameter; the others of theirs mean nothing here and are let through."""
GROUPS = ("generation_parameters", "generate_kwargs")
BESIDE_INPUTS = {*FIELDS, *GROUPS, "max_new_tokens", "format"}
"""Parameters that are also taken beside ``inputs``, where a form has to put them and many a script does."""


def documented_inputs() -> dict[str, Any]:
    """Return the part of an OpenAPI operation that describes the body."""
    known = GenerationRequest.model_json_schema()["properties"]
    fields = {name: known[field] for name, field in FIELDS.items() if field != "hits"}
    about = "The length in MusicGen's steps, of which 50 are a second, and 3 more; duration says it in seconds."
    fields["max_new_tokens"] = {"type": "integer", "minimum": DELAY_FRAMES + 1, "description": about}
    fields["format"] = {"type": "string", "enum": list(CONTENT_TYPES)}
    options = {"wait_for_model": {"type": "boolean", "default": True}, "use_cache": {"type": "boolean"}}
    inputs = {"type": "string", "description": "What the music is like."}
    schema = {
        "type": "object", "required": ["inputs"],
        "properties": {
            "inputs": inputs,
            "parameters": {"type": "object", "properties": fields},
            "options": {"type": "object", "properties": options},
        },
    }  # fmt: skip
    content = {"application/json": {"schema": schema}, "text/plain": {"schema": inputs}}
    return {"requestBody": {"required": True, "content": content}}


async def asked_for(request: Request) -> dict[str, Any]:
    """Read the body of a request, which may also be a form in parts."""
    content_type = request.headers.get("content-type", "")
    body = await in_thread_if_large(read_body, await request.body(), content_type)
    form = await _parts(request) if is_form(request) else {}
    return form if "inputs" in form else body


async def _parts(request: Request) -> dict[str, Any]:
    """Return the texts of a form in parts; none where it only says that it is one."""
    try:
        async with read_form(request) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except BadRequest:
        return {}


def read_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """Read JSON whatever the Content-Type says; a form and a bare prompt are read too.

    Raises BadRequest for bytes that are no text, and for what began as a JSON object and is none.
    """
    try:
        body = parse_json(raw)
    except NotJson:
        text = decode_text(raw)
        if text.lstrip().startswith("{"):
            raise
        form = parse_qs(text) if "form-urlencoded" in content_type else {}
        return {name: values[0] for name, values in form.items()} if "inputs" in form else {"inputs": text}
    return body if isinstance(body, dict) else {"inputs": body}


def submission_of(body: Mapping[str, Any], model: str | None, owner: str | None, accept: str) -> Submission:
    """Return the job that a body asks for: 10 s of mono at 32 kHz unless it says otherwise, as MusicGen makes."""
    parameters = _parameters(body)
    asked = model or str(body.get("model") or DEFAULT_MODEL)
    fields = {FIELDS[name]: value for name, value in parameters.items() if name in FIELDS and value is not None}
    usual = {"duration": _seconds(parameters), "sample_rate": MUSICGEN_RATE, "mono": True}
    request = GenerationRequest.checked(prompt=_prompt(body), model=asked, **{**usual, **fields})
    answer = Answer.wanted(parameters.get("format"), accept)
    return Submission(request, DIALECT, owner, model=asked, extra={"format": answer.format})


def waits_for_model(body: Mapping[str, Any], header: str | None, usually: bool) -> bool:
    """Tell whether a caller waits for a model to be loaded: as the header says, the body's options, or the settings."""
    if header is not None:
        return header.strip().lower() not in ("false", "0", "no")
    options = body.get("options")
    said = options.get("wait_for_model") if isinstance(options, dict) else None
    return said if isinstance(said, bool) else usually


def _prompt(body: Mapping[str, Any]) -> str:
    prompt = body.get("inputs", body.get("input"))
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if prompt is None:
        raise BadRequest("inputs: is missing")
    if not isinstance(prompt, str):
        raise BadRequest(f"inputs: must be text, got {type(prompt).__name__}")
    if not prompt.strip():
        raise InvalidRequest("inputs", "must say something: it is empty")
    return prompt


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with those beside and inside of them, of which the inner and the later group wins."""
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest("parameters", f"must be an object, got {type(parameters).__name__}")
    merged = {name: value for name, value in body.items() if name in BESIDE_INPUTS} | parameters
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
    try:
        number = math.nan if isinstance(tokens, bool) else float(tokens)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (number.is_integer() and number > DELAY_FRAMES):
        raise InvalidRequest("max_new_tokens", f"must be a whole number above {DELAY_FRAMES}, got {tokens!r:.80}")
    return (number - DELAY_FRAMES) / FRAME_RATE
