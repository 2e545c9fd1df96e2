"""PredictionParser: the body of a request for a prediction, as a job in the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tunesmith.audio.decode_check import check_sound
from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS
from tunesmith.jobs.job import Job, JobOptions, PredictionOptions, Submission, WebhookTarget
from tunesmith.jobs.service import MusicService
from tunesmith.server.apis.replicate.errors import InvalidField, InvalidInput
from tunesmith.server.apis.replicate.file_store import FileStore
from tunesmith.server.apis.replicate.input_mapping import MusicInput, cut_for_continuation, read_input, shown_input
from tunesmith.server.apis.replicate.json_types import DIALECT
from tunesmith.server.apis.replicate.model_versions import PublishedModel
from tunesmith.server.remote_audio import RemoteAudioFetcher
from tunesmith.server.ssrf_guard import AddressGuard
from tunesmith.server.upload_limits import Uploads
from tunesmith.server.webhooks.delivery import EVENTS

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

    async def parse(self, order: PredictionRequest, body: Mapping[str, Any]) -> Job:
        """Submit the job of a body. Raises InvalidRequest, InvalidInput and what ``submit`` raises."""
        given = body.get("input")
        if not isinstance(given, dict):
            raise InvalidInput([InvalidField("required", "input", "input is required")])
        music = read_input(given, order.idempotency_key)
        webhook = await self._webhook(body)
        recording = await self._recording(music, order) if music.source else None
        model = music.model(order.model.asked)
        # In a thread, because it may read the recording to learn its duration.
        request = await asyncio.to_thread(music.request, model, recording)
        notes = (order.note, *music.notes) if order.note else music.notes
        prediction = PredictionOptions(
            input=shown_input(given), model=order.model.name, version=order.model.version, origin=order.origin,
            webhook=webhook,
        )  # fmt: skip
        options = JobOptions(music.format, prediction=prediction, notes=notes)
        return await self._service.submit(
            Submission(
                request, DIALECT, owner=order.owner, model=model, options=options, idempotency_key=order.idempotency_key
            )
        )

    async def _webhook(self, body: Mapping[str, Any]) -> WebhookTarget | None:
        url, events = body.get("webhook"), body.get("webhook_events_filter")
        if url in (None, ""):
            return None
        if not isinstance(url, str):
            raise _invalid("webhook", "webhook must be an address")
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

    async def _recording(self, music: MusicInput, order: PredictionRequest) -> Path:
        await self._uploads.check(order.owner, order.idempotency_key)
        source = music.source or ""
        own = self._files.named_by(source, order.origin)
        if own is None:
            content: bytes = await self._fetcher.fetch(source, "input_audio")
            await self._uploads.count(order.owner, len(content))
        else:
            # A file of this server is read directly: its URL needs a token, and its address may be private.
            content = await asyncio.to_thread(self._files.content, own, order.owner)
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
