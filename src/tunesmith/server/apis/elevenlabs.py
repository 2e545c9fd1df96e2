"""ElevenLabs' API for music and sound generation.

https://elevenlabs.io/docs/api-reference/music and …/text-to-sound-effects
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.fields import ModelName, Prompt, shown
from tunesmith.jobs.job import Job, JobOptions, Submission
from tunesmith.request import IS_NUMBER, RANDOM_SEED
from tunesmith.server.apis.errors import error_response, message_of, status_of
from tunesmith.server.apis.extensions import ForeignBody, documented_with_extensions
from tunesmith.server.apis.live_responses import Live, LiveMusic, submit_and_stream
from tunesmith.server.apis.request_body import read_body
from tunesmith.server.apis.responses import full_response, headers_of, run_and_wait, streaming_response
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext

if TYPE_CHECKING:
    from tunesmith.audio.pcm_g711 import RawCoding

DIALECT = "elevenlabs"
DEFAULT_MODEL = "composer"
THEIR_MODELS = ("music_v1", "music_v2", "music_v2_5", "eleven_text_to_sound_v2")
"""ElevenLabs' own models, which its clients send by default; the composer is their fallback."""

# What the parameter output_format of ElevenLabs names, such as mp3_44100_128.
MP3_RATES, PCM_RATES = (22050, 24000, 44100, 48000), (8000, 16000, 22050, 24000, 32000, 44100, 48000)
MP3_KBPS = {22050: (32,), 24000: (48,), 44100: (32, 64, 96, 128, 192), 48000: (128, 192, 240, 320)}
OPUS_KBPS = (32, 64, 96, 128, 192)
DEFAULT_FORMAT = "mp3_44100_128"


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """An output format of ElevenLabs: the ``format`` of the file, and the ``raw`` encoding of the samples sent, if any.

    The bit rates in the names are nominal: files are written at the encoder's variable rate.
    """

    format: str
    sample_rate: int
    media_type: str
    raw: RawCoding | None = None
    mono: bool = False


def _formats() -> dict[str, OutputFormat]:
    mp3 = {
        f"mp3_{rate}_{kbps}": OutputFormat("mp3", rate, "audio/mpeg") for rate in MP3_RATES for kbps in MP3_KBPS[rate]
    }
    # Raw samples are cut out of a WAV file when they are sent.
    pcm = {f"pcm_{rate}": OutputFormat("wav", rate, "audio/pcm", "pcm") for rate in PCM_RATES}
    opus = {f"opus_48000_{kbps}": OutputFormat("opus", 48000, "audio/ogg") for kbps in OPUS_KBPS}
    telephone = {
        # Telephony is mono.
        "ulaw_8000": OutputFormat("wav", 8000, "audio/basic", "ulaw", mono=True),
        "alaw_8000": OutputFormat("wav", 8000, "audio/x-alaw-basic", "alaw", mono=True),
    }
    return {**mp3, **pcm, **opus, **telephone, "auto": mp3[DEFAULT_FORMAT]}


OUTPUT_FORMATS: Mapping[str, OutputFormat] = _formats()


Format = Annotated[str, Query(json_schema_extra={"enum": list(OUTPUT_FORMATS)})]


class MusicBody(ForeignBody):
    """The request body of ``/v1/music``."""

    THEIR_NAMES: ClassVar[Mapping[str, str]] = {"music_length_ms": "duration"}

    prompt: Prompt | None = None
    composition_plan: Any = None
    music_length_ms: Annotated[int, Field(ge=3_000, le=600_000), IS_NUMBER] | None = None
    model_id: ModelName | None = None
    seed: Annotated[int, Field(ge=RANDOM_SEED, le=2**31 - 1), IS_NUMBER] | None = None
    # Accepted for compatibility: all music is instrumental here.
    force_instrumental: bool = False

    def request(self) -> dict[str, Any]:
        """Return the fields of the request for music. Raises InvalidRequest."""
        # Refused rather than ignored: the result would not be what the plan describes.
        if self.composition_plan is not None:
            raise InvalidRequest("composition_plan", "is not supported here; describe the music in prompt")
        if self.prompt is None:
            raise InvalidRequest("prompt", "is missing")
        length = None if self.music_length_ms is None else self.music_length_ms / 1000
        return {"prompt": self.prompt, "music_length_ms": length, "seed": self.seed}


class SoundBody(ForeignBody):
    """The request body of ``/v1/sound-generation``."""

    THEIR_NAMES: ClassVar[Mapping[str, str]] = {"text": "prompt", "duration_seconds": "duration"}

    text: Prompt
    duration_seconds: Annotated[float, Field(ge=0.5, le=30), IS_NUMBER] | None = None
    loop: bool = False
    model_id: ModelName | None = None

    def request(self) -> dict[str, Any]:
        """Return the fields of the request for music; durations below 1 s are raised to it, the shortest supported."""
        length = None if self.duration_seconds is None else max(1.0, self.duration_seconds)
        return {"text": self.text, "duration_seconds": length, "loop": self.loop}


def router(context: ApiContext) -> APIRouter:
    """Return the routes of ElevenLabs' API."""
    routes = APIRouter(tags=["ElevenLabs"])
    caller_of = Depends(context.authenticate)

    async def answer(
        request: Request, kind: type[MusicBody | SoundBody], output_format: str, caller: Caller, *, stream: bool
    ) -> Response:
        target = _format_of(output_format)
        submission = _submission(await read_body(request, kind), target, caller.owner)
        if stream:
            return _live_answer(await submit_and_stream(context.service, submission, request), target)
        return await _answer(context, await run_and_wait(context.service, submission, request), target)

    @routes.post("/v1/music", openapi_extra=documented_with_extensions(MusicBody), summary="Music as a file")
    async def music(
        request: Request, output_format: Format = DEFAULT_FORMAT, stream: Live = False, caller: Caller = caller_of
    ) -> Response:
        return await answer(request, MusicBody, output_format, caller, stream=stream)

    @routes.post("/v1/music/stream", openapi_extra=documented_with_extensions(MusicBody), summary="Music as a stream")
    async def music_stream(
        request: Request, output_format: Format = DEFAULT_FORMAT, caller: Caller = caller_of
    ) -> Response:
        return await answer(request, MusicBody, output_format, caller, stream=True)

    @routes.post(
        "/v1/sound-generation", openapi_extra=documented_with_extensions(SoundBody), summary="A sound or a loop"
    )
    async def sound(
        request: Request, output_format: Format = DEFAULT_FORMAT, stream: Live = False, caller: Caller = caller_of
    ) -> Response:
        return await answer(request, SoundBody, output_format, caller, stream=stream)

    return routes


def _format_of(name: str) -> OutputFormat:
    found = OUTPUT_FORMATS.get(name)
    if found is None:
        raise InvalidRequest("output_format", f"must be one of {', '.join(OUTPUT_FORMATS)}, got {shown(name)}")
    return found


def _submission(body: MusicBody | SoundBody, target: OutputFormat, owner: str | None) -> Submission:
    # No model at all is the same as ElevenLabs' default model.
    theirs = body.model_id in (None, *THEIR_MODELS)
    model = DEFAULT_MODEL if theirs else body.model_id
    request = body.music(body.request(), model=model, sample_rate=target.sample_rate, mono=target.mono)
    return Submission(
        request,
        DIALECT,
        owner,
        model=body.model_id or DEFAULT_MODEL,
        # Stated here, because the catalog has none of ElevenLabs' models.
        generated_by=DEFAULT_MODEL if theirs else None,
        options=JobOptions(target.format),
    )


def _live_answer(music: LiveMusic, target: OutputFormat) -> Response:
    chunks = music.chunks
    if target.raw:
        from tunesmith.audio.pcm_g711 import raw_live_chunks

        chunks = raw_live_chunks(chunks, target.raw)
    return streaming_response(chunks, target.media_type, headers_of(music.job))


async def _answer(context: ApiContext, job: Job, target: OutputFormat) -> Response:
    path, headers = context.service.result_path(job), headers_of(job)
    if target.raw:
        from tunesmith.audio.pcm_g711 import raw_chunks

        # The length is unknown until the samples are converted, so the response is chunked.
        return streaming_response(raw_chunks(path, target.raw), target.media_type, headers)
    return await full_response(path, target.media_type, headers)


STATUS_WORDS: Mapping[int, str] = {
    400: "bad_request", 401: "invalid_api_key", 403: "missing_permissions", 404: "model_not_found",
    405: "method_not_allowed", 408: "request_timeout", 409: "conflict", 413: "too_large",
    422: "invalid_request", 429: "too_many_concurrent_requests", 499: "cancelled", 503: "system_busy",
    507: "disk_full",
}  # fmt: skip


def errors(error: TunesmithError) -> JSONResponse:
    """Return an error in ElevenLabs' format: ``{"detail": {"status", "message"}}``."""
    word = STATUS_WORDS.get(status_of(error), "internal_error")
    return error_response(error, {"detail": {"status": word, "message": message_of(error)}})
