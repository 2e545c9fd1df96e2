"""OpenAI's ``POST /v1/audio/speech``, where the input describes music.

https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.fields import ModelName, Prompt, shown
from tunesmith.jobs.job import JobOptions, Submission
from tunesmith.request import IS_NUMBER
from tunesmith.server.apis.errors import error_response, message_of, status_of
from tunesmith.server.apis.extensions import ForeignBody, documented_with_extensions
from tunesmith.server.apis.live_responses import LiveMusic, submit_and_stream
from tunesmith.server.apis.request_body import read_body
from tunesmith.server.apis.responses import headers_of, streaming_response
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext

DIALECT = "openai"
DEFAULT_MODEL = "composer"
THEIR_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15")
"""OpenAI's own models, which existing programs send; the composer is their fallback."""


@dataclass(frozen=True, slots=True)
class SpeechFormat:
    """A ``response_format``: the ``format`` of the file, its ``sample_rate`` in Hz, whether it is sent as raw PCM."""

    format: str
    media_type: str
    sample_rate: int = 44_100
    raw: bool = False


RESPONSE_FORMATS: Mapping[str, SpeechFormat] = {
    "mp3": SpeechFormat("mp3", "audio/mpeg"),
    "opus": SpeechFormat("opus", "audio/ogg", 48_000),
    "flac": SpeechFormat("flac", "audio/flac"),
    "wav": SpeechFormat("wav", "audio/wav"),
    "ogg": SpeechFormat("ogg", "audio/ogg"),
    "pcm": SpeechFormat("wav", "audio/pcm", 24_000, raw=True),
}
"""OpenAI's formats without AAC, for which no free encoder is available here, plus Ogg Vorbis; ``pcm`` is mono, as
OpenAI's is."""


class SpeechBody(ForeignBody):
    """The request body of ``/v1/audio/speech``; a voice has no meaning here."""

    THEIR_NAMES: ClassVar[Mapping[str, str]] = {"input": "prompt"}

    input: Prompt
    model: ModelName = DEFAULT_MODEL
    instructions: Prompt | None = None
    response_format: Annotated[str, Field(json_schema_extra={"enum": list(RESPONSE_FORMATS)})] = "mp3"
    stream_format: Literal["audio", "sse"] = "audio"
    # Music has its own tempo, so no other speed than 1 can be honoured.
    speed: Annotated[float, Field(ge=1, le=1), IS_NUMBER] = 1.0

    @property
    def target(self) -> SpeechFormat:
        """Return the requested format. Raises InvalidRequest, which lists the supported ones."""
        found = RESPONSE_FORMATS.get(self.response_format)
        if found is None:
            known = ", ".join(RESPONSE_FORMATS)
            raise InvalidRequest("response_format", f"must be one of {known}, got {shown(self.response_format)}")
        return found

    def submission(self, owner: str | None) -> Submission:
        """Return the job to submit. Raises InvalidRequest."""
        theirs = self.model in THEIR_MODELS
        # Both describe the music, so both belong to the prompt.
        text = ", ".join(text for text in (self.input, self.instructions) if text)
        request = self.music(
            {"input": text, "model": DEFAULT_MODEL if theirs else self.model},
            sample_rate=self.target.sample_rate,
            # Raw samples have no header to state their channels.
            mono=self.target.raw,
        )
        # Stated here, because the catalog has none of OpenAI's models.
        generated_by = DEFAULT_MODEL if theirs else None
        options = JobOptions(self.target.format)
        return Submission(request, DIALECT, owner, model=self.model, generated_by=generated_by, options=options)


def router(context: ApiContext) -> APIRouter:
    """Return the route of OpenAI's API."""
    routes = APIRouter(tags=["OpenAI"])
    caller_of = Depends(context.authenticate)

    @routes.post(
        "/v1/audio/speech", openapi_extra=documented_with_extensions(SpeechBody), summary="Music from a description"
    )
    async def speech(request: Request, caller: Caller = caller_of) -> Response:
        body = await read_body(request, SpeechBody)
        # OpenAI's own responses are chunked too, so its clients need not ask for a stream.
        music = await submit_and_stream(context.service, body.submission(caller.owner), request)
        chunks, headers = _chunks(music, body.target), headers_of(music.job)
        if body.stream_format == "sse":
            return streaming_response(_as_events(chunks), "text/event-stream", headers)
        return streaming_response(chunks, body.target.media_type, headers)

    return routes


def _chunks(music: LiveMusic, target: SpeechFormat) -> AsyncIterator[bytes]:
    if target.raw:
        from tunesmith.audio.pcm_g711 import raw_live_chunks

        return raw_live_chunks(music.chunks)
    return music.chunks


async def _as_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Wrap the audio in server-sent events; the usage is zero, because music has no tokens to count."""
    async for chunk in chunks:
        yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(chunk).decode()})
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    yield _event({"type": "speech.audio.done", "usage": usage})


def _event(fields: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


TYPES: Mapping[int, str] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
CODES: Mapping[int, str] = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
SERVER_FAULTS = 500


def errors(error: TunesmithError) -> JSONResponse:
    """Return an error in OpenAI's format: ``{"error": {"message", "type", "param", "code"}}``."""
    return error_response(error, error_body(status_of(error), message_of(error), getattr(error, "field", None)))


def error_body(status: int, message: str, field: str | None = None) -> dict[str, Any]:
    """Return the body of an error in OpenAI's format."""
    usual = "server_error" if status >= SERVER_FAULTS else "invalid_request_error"
    error = {"message": message, "type": TYPES.get(status, usual), "param": field, "code": CODES.get(status)}
    return {"error": error}
