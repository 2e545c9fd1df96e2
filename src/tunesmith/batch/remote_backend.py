"""Remote backend: generates a batch on a Tunesmith server, which keeps the tracks in its own prompt log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tunesmith.batch.batch_runner import ItemResult, uninterrupted
from tunesmith.batch.items import BatchItem
from tunesmith.client import AsyncTunesmith, Clip, RemoteJob
from tunesmith.errors import (
    ApiError,
    GenerationFailed,
    InvalidItem,
    InvalidRequest,
    ServerBusy,
    TokenRefused,
    UnknownName,
)
from tunesmith.files import atomic_output
from tunesmith.jobs.runners.tasks import ProgressReport

PLACES = 4
"""How many items are submitted at once, so that the server always has the next one."""
TRACK_SECONDS = 3600.0
BLAMED = (InvalidRequest.code, UnknownName.code)


class RemoteBackend:
    """A backend on the server at ``url``. Create it in the event loop that uses it."""

    def __init__(self, url: str, token: str | None) -> None:
        try:
            self._client = AsyncTunesmith(url, token, deadline=TRACK_SECONDS)
        except InvalidRequest as error:
            raise InvalidRequest("server", error.problem) from None

    # The protocol's parameter; the server itself decides how many run.
    def places(self, models: Sequence[str]) -> int:  # noqa: ARG002
        """Return how many items are submitted at once."""
        return PLACES

    async def make(self, item: BatchItem, path: Path, report: Callable[[ProgressReport], None]) -> ItemResult:
        """Generate an item's audio and write the received file unchanged; see Backend."""
        request = item.request
        fields: dict[str, Any] = {name: getattr(request, name) for name in request.model_fields_set - {"prompt"}}
        fields |= {"model": request.model, "format": path.suffix.removeprefix(".").lower()}
        try:
            clip = await self._client.generate(request.prompt, progress=lambda job: report(_report_of(job)), **fields)
        except (ApiError, GenerationFailed) as error:
            if _is_mistake(error):
                raise InvalidItem(str(error)) from None
            raise
        # A file half written on Ctrl-C would count as finished, so the write is shielded.
        await uninterrupted(asyncio.to_thread(_write, clip, path))
        return ItemResult(clip.duration, clip.job.document["metadata"])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _is_mistake(error: ApiError | GenerationFailed) -> bool:
    if isinstance(error, GenerationFailed):
        return error.kind in BLAMED
    # A busy server or a wrong token is no fault of the item.
    return 400 <= error.status < 500 and not isinstance(error, ServerBusy | TokenRefused)


def _report_of(job: RemoteJob) -> ProgressReport:
    return ProgressReport(running=job.state == "running", fraction=job.progress, stage=job.stage or job.state)


def _write(clip: Clip, path: Path) -> None:
    with atomic_output(path) as temporary:
        temporary.write_bytes(clip.content)
