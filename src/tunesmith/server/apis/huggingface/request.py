"""Requests of the Hugging Face API: bodies in any of the forms that clients send, and the format of the response."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request

from tunesmith.errors import InvalidRequest
from tunesmith.field_names import FIELD_ALIASES, field_for
from tunesmith.fields import MAX_PROMPT_CHARACTERS, checked, or_null, settled, shown
from tunesmith.jobs.job import JobOptions, Submission
from tunesmith.request import MAX_DURATION_SECONDS, MIN_DURATION_SECONDS, PATHS, GenerationRequest
from tunesmith.server.apis.extensions import music_fields
from tunesmith.server.apis.request_body import (
    MAX_FIELDS,
    decode_text,
    in_thread_if_large,
    is_form,
    parse_json,
    read_form,
)
from tunesmith.server.errors import BadRequest, NotJson

CONTENT_TYPES = {"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "opus": "audio/ogg"}
MEDIA_TYPES: Mapping[str, str] = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/flac": "flac", "audio/x-flac": "flac",
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/ogg": "ogg", "audio/opus": "opus",
    "audio/ogg;codecs=opus": "opus",
}  # fmt: skip
"""The audio format of each media type in an Accept header."""
ANY_SOUND = ("*/*", "audio/*")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The format of a response, and whether the audio is wrapped in JSON."""

    format: str
    in_json: bool

    @classmethod
    def from_accept_header(cls, named: object, accept: str) -> ResponseFormat:
        """Return the format named in the body, else the first that the Accept header names, else WAV.

        JSON is only for clients that accept JSON and no audio, because some libraries add ``application/json`` to every
        request. Raises InvalidRequest for an unknown name.
        """
        kinds = list(_accepted(accept))
        sounds = [MEDIA_TYPES[kind] for kind in kinds if kind in MEDIA_TYPES]
        if named is not None and named not in tuple(CONTENT_TYPES):
            raise InvalidRequest("format", f"must be one of {', '.join(CONTENT_TYPES)}, got {shown(named)}")
        in_json = JSON in kinds and not sounds and not set(ANY_SOUND) & set(kinds)
        return cls(str(named or next(iter(sounds), "wav")), in_json)

    @property
    def media_type(self) -> str:
        """The Content-Type of the audio."""
        return CONTENT_TYPES[self.format]


def _accepted(accept: str) -> Iterator[str]:
    """Yield the media types of an Accept header in order, without those that it excludes with ``q=0``."""
    for part in accept.lower().split(","):
        kind, *options = (token.replace(" ", "").replace('"', "") for token in part.split(";"))
        if not any(option in ("q=0", "q=0.0", "q=0.00", "q=0.000") for option in options):
            yield f"{kind};codecs=opus" if kind == "audio/ogg" and "codecs=opus" in options else kind


DIALECT = "huggingface"
DEFAULT_MODEL = "facebook/musicgen-small"
USUAL_SECONDS = 10.0
MUSICGEN_RATE = 32_000
# max_new_tokens counts MusicGen's frames, and three more for the delay pattern.
FRAME_RATE, DELAY_FRAMES = 50, 3
# The delay pattern of MusicGen takes extra steps that are no audio.
MIN_TOKENS = round(MIN_DURATION_SECONDS * FRAME_RATE) + DELAY_FRAMES
MAX_TOKENS = round(MAX_DURATION_SECONDS * FRAME_RATE) + DELAY_FRAMES

NOT_THEIRS = ("prompt", "model", *PATHS)
"""Fields of GenerationRequest that no parameter sets: given elsewhere, or paths on this machine."""
FIELDS = tuple(name for name in GenerationRequest.model_fields if name not in NOT_THEIRS)
"""Fields of GenerationRequest that are parameters here; other parameters are ignored."""
GROUPS = ("generation_parameters", "generate_kwargs")
BESIDE_INPUTS = {*FIELDS, *GROUPS, "max_new_tokens", "format"}
"""Parameters that are also accepted beside ``inputs``, where forms must put them and many scripts do."""


def documented_inputs() -> dict[str, Any]:
    """Return the OpenAPI description of the body."""
    about = "Length in MusicGen's steps: 50 per second, plus 3; duration gives it in seconds."
    tokens = {"type": "integer", "minimum": MIN_TOKENS, "maximum": MAX_TOKENS, "description": about}
    fields = music_fields(FIELDS) | {
        "max_new_tokens": or_null(tokens),
        "format": or_null({"type": "string", "enum": list(CONTENT_TYPES)}),
    }
    options = {"wait_for_model": or_null({"type": "boolean", "default": True}), "use_cache": {}}
    inputs = {"type": "string", "maxLength": MAX_PROMPT_CHARACTERS, "description": "Description of the music."}
    schema = {
        "type": "object", "title": "Inputs", "required": ["inputs"],
        "properties": {
            "inputs": inputs,
            "parameters": or_null({"type": "object", "properties": fields}),
            "options": or_null({"type": "object", "properties": options}),
        },
    }  # fmt: skip
    content = {"application/json": {"schema": schema}, "text/plain": {"schema": inputs}}
    return {"requestBody": {"required": True, "content": content}}


async def parse_request(request: Request) -> dict[str, Any]:
    """Read the body of a request: JSON, a form or plain text. Raises BadRequest."""
    content_type = request.headers.get("content-type", "")
    body = await in_thread_if_large(read_body, await request.body(), content_type)
    # Some clients declare a form and send JSON, so the JSON is read first.
    form = await _parts(request) if is_form(request) else {}
    return form if "inputs" in form else body


def _pairs(text: str) -> dict[str, str]:
    try:
        form = parse_qs(text, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadRequest(f"body: must have at most {MAX_FIELDS} fields") from None
    return {name: values[0] for name, values in form.items()}


async def _parts(request: Request) -> dict[str, Any]:
    """Return the text fields of a multipart form; empty if the body is not what its Content-Type declares."""
    try:
        async with read_form(request) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except BadRequest:
        return {}


def read_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """Parse JSON whatever the Content-Type; form fields and a bare prompt are accepted too.

    Raises BadRequest for bytes that are not text, and for invalid JSON that starts as an object.
    """
    try:
        body = parse_json(raw)
    except NotJson:
        text = decode_text(raw)
        # Broken JSON must not become a prompt.
        if text.lstrip().startswith("{"):
            raise
        form = _pairs(text) if "form-urlencoded" in content_type else {}
        return form if "inputs" in form else {"inputs": text}
    return body if isinstance(body, dict) else {"inputs": body}


def to_submission(body: Mapping[str, Any], model: str | None, owner: str | None, accept: str) -> Submission:
    """Return the job of a body; defaults are MusicGen's: 10 s, mono, 32 kHz. Raises BadRequest and InvalidRequest.

    ``accept`` is the Accept header, which selects the format unless the body does.
    """
    parameters = _parameters(body)
    requested = model or _model(body)
    ours = {name: value for name, value in parameters.items() if field_for(name, FIELDS)}
    # musicgen-small generates about 10 s, mono, 32 kHz; this API keeps that for every model.
    usual = {"duration": _seconds(parameters), "sample_rate": MUSICGEN_RATE, "mono": True}
    # A default must not collide with a field given under an alias.
    left_open = {name: value for name, value in usual.items() if name not in settled(ours, FIELDS)[0]}
    music = {"inputs": _prompt(body), "model": requested, **left_open, **ours}
    request = checked(GenerationRequest, music, aliases={**FIELD_ALIASES, "inputs": "prompt"})
    answer = ResponseFormat.from_accept_header(parameters.get("format"), accept)
    return Submission(request, DIALECT, owner, model=requested, options=JobOptions(answer.format))


def waits_for_model(body: Mapping[str, Any], header: str | None, usually: bool) -> bool:
    """Return whether the caller waits for a model to load: by header, else by the body, else ``usually``.

    ``usually`` is the server's setting. Raises InvalidRequest.
    """
    if header is not None:
        return header.strip().lower() not in ("false", "0", "no")
    waits = _object("options", body.get("options")).get("wait_for_model")
    if not isinstance(waits, bool | None):
        raise InvalidRequest("options.wait_for_model", f"must be true or false, got {shown(waits)}")
    return usually if waits is None else waits


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str | None):
        raise InvalidRequest("model", f"must be text, got {shown(model)}")
    return model or DEFAULT_MODEL


def _prompt(body: Mapping[str, Any]) -> str:
    prompt = body.get("inputs")
    prompt = body.get("input") if prompt is None else prompt
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if prompt is None:
        raise BadRequest("inputs: is missing")
    if not isinstance(prompt, str):
        raise BadRequest(f"inputs: must be text, got {shown(prompt)}")
    if not prompt.strip():
        raise InvalidRequest("inputs", "must not be empty")
    return prompt


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters merged with those beside them and nested in them; the inner, and later, group wins."""
    beside = {name: value for name, value in body.items() if name in BESIDE_INPUTS or field_for(name, FIELDS)}
    merged = _without_nulls(beside) | _object("parameters", body.get("parameters"))
    for group in GROUPS:
        merged |= _object(f"parameters.{group}", merged.pop(group, None))
    return merged


def _object(field: str, given: Any) -> dict[str, Any]:
    """Return an object without its nulls; empty if missing. Raises InvalidRequest."""
    if not isinstance(given, dict | None):
        raise InvalidRequest(field, f"must be an object, got {shown(given)}")
    return _without_nulls(given or {})


def _without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _seconds(parameters: Mapping[str, Any]) -> float:
    """Return the duration in seconds, from ``max_new_tokens`` or the default. Raises InvalidRequest."""
    tokens = parameters.get("max_new_tokens")
    if tokens is None:
        return USUAL_SECONDS
    try:
        # A bool would pass as the number 1.
        number = math.nan if isinstance(tokens, bool) else float(tokens)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (number.is_integer() and MIN_TOKENS <= number <= MAX_TOKENS):
        limit = f"must be a whole number from {MIN_TOKENS} to {MAX_TOKENS}"
        raise InvalidRequest("max_new_tokens", f"{limit}, got {shown(tokens)}")
    return (number - DELAY_FRAMES) / FRAME_RATE
