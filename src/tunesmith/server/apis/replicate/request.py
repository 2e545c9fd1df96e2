"""Requests for predictions: the body, its ``input`` and the ``Prefer`` header, as jobs in the queue."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import Request

from tunesmith.audio.decode_check import check_sound
from tunesmith.errors import AudioFileError, InvalidRequest
from tunesmith.field_names import field_for
from tunesmith.fields import MAX_CHARACTERS, MAX_RAW_PROMPT_CHARACTERS
from tunesmith.jobs.job import Job, JobOptions, PredictionOptions, Submission, WebhookTarget
from tunesmith.jobs.service import MusicService
from tunesmith.models.catalog import find_installed, find_pullable
from tunesmith.request import STRENGTHS, GenerationRequest
from tunesmith.server.apis.replicate.errors import DIALECT, InvalidField, InvalidInput
from tunesmith.server.apis.replicate.files import FileStore
from tunesmith.server.apis.replicate.input_schema import ALIASES, FIELDS, checked_fields, unknown_fields
from tunesmith.server.apis.replicate.models import META_MUSICGEN, PublishedModel
from tunesmith.server.apis.request_body import WHOLE_BODY, read_object
from tunesmith.server.errors import BadRequest
from tunesmith.server.remote_audio import RemoteAudioFetcher
from tunesmith.server.ssrf_guard import AddressGuard
from tunesmith.server.upload_limits import Uploads
from tunesmith.server.webhooks import EVENTS

RECORDINGS = ("input_audio", "melody")
"""The input fields that may hold a recording as a data URI."""

# Replicate's own limit of the header Prefer: wait.
MAX_WAIT_SECONDS = 60.0
_WAIT = re.compile(r"(?:^|[,;\s])wait(?:\s*=\s*\"?(\d{1,9})\"?)?\s*(?:$|[,;])")


async def read_json(request: Request) -> Mapping[str, Any]:
    """Return the body, a JSON object. Raises BadRequest and InvalidInput."""
    try:
        return await read_object(request, RECORDINGS)
    except InvalidRequest as error:
        if error.field == WHOLE_BODY:
            raise BadRequest(str(error)) from None
        raise InvalidInput([InvalidField("invalid", error.field, error.problem)]) from None


def wait_seconds(prefer: str | None) -> float | None:
    """Return the seconds, 1 to 60, for which ``Prefer`` asks to hold the request; None without ``wait``."""
    found = _WAIT.search((prefer or "").lower())
    if found is None:
        return None
    return min(MAX_WAIT_SECONDS, max(1.0, float(found[1] or MAX_WAIT_SECONDS)))


SAMPLE_RATE = 32_000
"""The sample rate in Hz of responses of this API: MusicGen's, which the composer keeps to."""
STABLE_AUDIO, MAGENTA = "stable-audio", "magenta-rt"
OWN_SAMPLE_RATES = {STABLE_AUDIO: 44_100, MAGENTA: 48_000}
"""The sample rates in Hz of the families that have their own."""

_MAX_SEED = 2**31
_SHOWN_CHARACTERS, _SHOWN_ADDRESS_CHARACTERS = 256, 2_048
_PASSED_ON = {
    "top_k": "top_k", "top_p": "top_p", "temperature": "temperature", "classifier_free_guidance": "guidance_scale",
    "negative_prompt": "negative_prompt", "bpm": "tempo_bpm", "key": "key", "loop": "loop", "steps": "steps",
    "cfg_scale": "guidance_scale",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MusicInput:
    """A validated input: ``fields`` by their present names, ``notes`` for the caller about ignored fields.

    ``seed`` is the given one, or a random one.
    """

    fields: Mapping[str, Any]
    notes: tuple[str, ...]
    seed: int

    @property
    def source(self) -> str | None:
        """The URL of the recording to follow or continue, or None."""
        source: str | None = self.fields.get("input_audio")
        return source or None

    @property
    def format(self) -> str:
        """The format of the output file, without a dot."""
        chosen: str = self.fields.get("output_format", FIELDS["output_format"].default)
        return chosen

    def model(self, requested: str) -> str:
        """Return the model's name; for meta/musicgen, ``model_version`` selects it."""
        version = self.fields.get("model_version")
        return f"facebook/musicgen-{version}" if requested == META_MUSICGEN and version else requested

    def request(self, model: str, recording: Path | None) -> GenerationRequest:
        """Return the request for a model. Raises InvalidRequest.

        ``recording`` is the source as a file, trimmed to the part to continue, if any; reading it blocks.
        """
        duration = float(self.fields.get("duration", FIELDS["duration"].default))
        continues = recording is not None and self.fields.get("continuation", False)
        fields = {ours: self.fields[name] for name, ours in _PASSED_ON.items() if name in self.fields}
        version = self.fields.get("model_version", FIELDS["model_version"].default)
        if recording and continues:
            from tunesmith.audio.reader import read_audio

            # Replicate's duration counts the new audio only, ours the whole file.
            duration += read_audio(recording).duration
        family = _family(model)
        if family == STABLE_AUDIO:
            strength = self.fields.get("strength", STRENGTHS["redress"]) if recording and not continues else None
            return GenerationRequest.checked(
                prompt=self.fields["prompt"], model=model, seed=self.seed, sample_rate=OWN_SAMPLE_RATES[family],
                duration=duration, audio=recording, strength=strength, **fields,
            )  # fmt: skip
        return GenerationRequest.checked(
            prompt=self.fields["prompt"], model=model, seed=self.seed,
            sample_rate=OWN_SAMPLE_RATES.get(family, SAMPLE_RATE), duration=duration,
            mono=family != MAGENTA and _is_mono(model, version), audio=recording if continues else None,
            # A recording is either continued or followed, as in Replicate's model.
            melody=None if continues else recording, **fields,
        )  # fmt: skip


def read_input(given: Mapping[str, Any], idempotency_key: str | None = None) -> MusicInput:
    """Validate an input. Raises InvalidInput. With an idempotency key, an open seed is the same for every retry."""
    fields = checked_fields(given)
    seed = fields.get("seed", 0)
    # Replicate's API takes null, -1 and 0 as a random seed.
    if seed <= 0:
        drawn = secrets.token_bytes(8) if idempotency_key is None else idempotency_key.encode()
        # Never 0, which would mean a random seed again.
        seed = int.from_bytes(hashlib.sha256(drawn).digest()[:8], "big") % (_MAX_SEED - 1) + 1
    return MusicInput(fields, tuple(_notes(given, fields)), seed)


def shown_input(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input as responses show it: long values, such as data URIs, are truncated."""
    return {name: _shown(name, value) for name, value in given.items()}


def cut_for_continuation(source: Path, fields: Mapping[str, Any], target: Path) -> Path:
    """Write the part of a recording to continue to ``target``.

    Raises InvalidRequest if the part is empty or the recording unreadable.
    """
    from tunesmith.audio.edit import trim
    from tunesmith.audio.reader import read_audio
    from tunesmith.audio.writer import write_audio

    start, end = float(fields.get("continuation_start", 0)), fields.get("continuation_end", -1)
    try:
        part = trim(read_audio(source), start, None if end < 0 else float(end))
    except InvalidRequest as error:
        raise InvalidRequest("continuation_start", error.problem) from None
    except AudioFileError:
        raise InvalidRequest("input_audio", "is not a sound file that can be read") from None
    return write_audio(part, target)


def _family(model: str) -> str:
    """Return the family of the requested model, by its name or its manifest; empty if neither tells."""
    known = find_pullable(model)
    named = next((family for family in OWN_SAMPLE_RATES if family in (known.name if known else model.lower())), None)
    if named is not None:
        return named
    installed = find_installed(model)
    return "" if installed is None else installed.manifest.sizes.kind


def _is_mono(model: str, version: str) -> bool:
    """Return whether the requested model is a mono variant of MusicGen; other models keep their own channels."""
    name = model if model != META_MUSICGEN else version
    return find_pullable(model) is not None and "stereo" not in name


def _notes(given: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    notes = unknown_fields(given)
    if fields.get("multi_band_diffusion"):
        notes.append("multi_band_diffusion: not supported; EnCodec decodes")
    if fields.get("normalization_strategy", "loudness") != "loudness":
        notes.append("normalization_strategy: only loudness is supported")
    return notes


def _shown(name: str, value: Any) -> Any:
    """Return a value, truncated unless it is the text or the URL of a known field."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    field = FIELDS.get(field_for(name, FIELDS, ALIASES) or name)
    most = _SHOWN_CHARACTERS
    if field and field.max_characters:
        most = MAX_RAW_PROMPT_CHARACTERS
    if field and field.is_file and text[:5].lower() != "data:":
        most = _SHOWN_ADDRESS_CHARACTERS
    return value if len(text) <= most else f"{text[:most]}…"


MAX_AUDIO_SECONDS = 1_800.0


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """The context of a request for a prediction: owner, model, origin of this server and idempotency key.

    ``note`` is a note for the caller about the model.
    """

    owner: str | None
    model: PublishedModel
    origin: str
    idempotency_key: str | None = None
    note: str | None = None


class PredictionParser:
    """The parser of requests for predictions."""

    def __init__(self, service: MusicService, files: FileStore, guard: AddressGuard, uploads: Uploads) -> None:
        self._service = service
        self._uploads = uploads
        self._files = files
        self._guard = guard
        self._fetcher = RemoteAudioFetcher(guard)

    async def parse(self, target: PredictionRequest, body: Mapping[str, Any]) -> Job:
        """Submit the job of a body. Raises InvalidRequest, InvalidInput and what ``submit`` raises."""
        given = body.get("input")
        if not isinstance(given, dict):
            raise InvalidInput([InvalidField("required", "input", "input is required")])
        music = read_input(given, target.idempotency_key)
        webhook = await self._webhook(body)
        recording = await self._recording(music, target) if music.source else None
        model = music.model(target.model.name_here)
        # In a thread, because it may read the recording to learn its duration.
        request = await asyncio.to_thread(music.request, model, recording)
        notes = (target.note, *music.notes) if target.note else music.notes
        prediction = PredictionOptions(
            input=shown_input(given), model=target.model.name, version=target.model.version, origin=target.origin,
            webhook=webhook,
        )  # fmt: skip
        options = JobOptions(music.format, prediction=prediction, notes=notes)
        return await self._service.submit(
            Submission(
                request,
                DIALECT,
                owner=target.owner,
                model=model,
                options=options,
                idempotency_key=target.idempotency_key,
            )
        )

    async def _webhook(self, body: Mapping[str, Any]) -> WebhookTarget | None:
        url, events = body.get("webhook"), body.get("webhook_events_filter")
        if url in (None, ""):
            return None
        if not isinstance(url, str):
            raise _invalid("webhook", "webhook must be a URL")
        if len(url) > MAX_CHARACTERS["webhook"]:
            raise _invalid("webhook", f"must be at most {MAX_CHARACTERS['webhook']} characters, got {len(url)}")
        if events is not None and not (isinstance(events, list) and all(event in EVENTS for event in events)):
            raise _invalid("webhook_events_filter", f"must be a list of {', '.join(EVENTS)}")
        try:
            # Refused now rather than when the first event is sent: the caller learns why (SSRF guard).
            await self._guard.check(url, "webhook")
        except InvalidRequest as error:
            raise _invalid("webhook", error.problem) from None
        return WebhookTarget(url, tuple(event for event in EVENTS if event in (events or EVENTS)))

    async def _recording(self, music: MusicInput, target: PredictionRequest) -> Path:
        await self._uploads.check(target.owner, target.idempotency_key)
        source = music.source or ""
        own = self._files.named_by(source, target.origin)
        if own is None:
            content: bytes = await self._fetcher.fetch(source, "input_audio")
            await self._uploads.count(target.owner, len(content))
        else:
            # A file of this server is read directly: its URL needs a token, and its address may be private.
            content = await asyncio.to_thread(self._files.content, own, target.owner)
            await asyncio.to_thread(check_sound, content, "input_audio", MAX_AUDIO_SECONDS)
        if not music.fields.get("continuation", False):
            return await self._service.input_file(content)
        return await self._service.input_file(await asyncio.to_thread(_cut, content, music.fields))


def _cut(content: bytes, fields: Mapping[str, Any]) -> bytes:
    # The audio reader takes files only.
    with TemporaryDirectory(prefix="tunesmith-") as folder:
        source = Path(folder) / "source"
        source.write_bytes(content)
        return cut_for_continuation(source, fields, Path(folder) / "part.wav").read_bytes()


def _invalid(field: str, problem: str) -> InvalidInput:
    return InvalidInput([InvalidField("invalid", field, problem)])
