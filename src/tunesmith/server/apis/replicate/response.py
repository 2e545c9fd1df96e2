"""Predictions: the JSON object in which Replicate's API shows a job, and its logs.

The logs are notes, and progress in the format of tqdm, which clients parse. They derive from the job alone and only
grow while it runs, so every server and every poll gives the same text.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fastapi import Request

from tunesmith.errors import JobNotFound
from tunesmith.jobs.job import Job, JobState, PredictionOptions
from tunesmith.server.apis.errors import message_of
from tunesmith.server.apis.replicate.errors import Json
from tunesmith.server.apis.replicate.url_signing import Secret
from tunesmith.server.apis.responses import warnings_of
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.errors import JobFailed
from tunesmith.server.webhooks import Event, Webhook

# Clients of Replicate read the progress from log lines in the form of tqdm.
STEPS = 20
FRAMES_A_SECOND = 50
_WIDTH = 10


def logs_of(job: Job) -> str:
    """Return the present logs of a job."""
    return "".join(f"{line}\n" for line in _lines(job))


def progress_line(current: int, total: int) -> str:
    """Return a progress line: `` 42%|####      | 210/500``."""
    done = current / total
    bar = "#" * int(done * _WIDTH)
    return f"{int(done * 100):3d}%|{bar:<{_WIDTH}}| {current}/{total}"


def _lines(job: Job) -> Iterator[str]:
    if job.started_at is None:
        return
    yield f"Using seed {job.request.seed}"
    requested = job.fallback_for
    if requested is not None:
        yield f"{requested} is not installed here; {job.generated_by} is used instead"
    yield from job.options.notes
    if job.running_at is None:
        return
    progress = 1.0 if job.state is JobState.SUCCEEDED else min(1.0, max(0.0, job.progress))
    total = max(STEPS, round(job.audio_seconds * FRAMES_A_SECOND))
    # The small term absorbs rounding errors of the progress.
    for step in range(int(progress * STEPS + 1e-9) + 1):
        yield progress_line(total * step // STEPS, total)
    if job.state is JobState.SUCCEEDED:
        yield from (f"warning: {' '.join(warning.split())}" for warning in warnings_of(job))


MAX_INLINE_BYTES = 64 * 2**20
"""The largest file in bytes that is inlined as a data URI; a larger one is given as a URL."""

STATUSES = {
    # Exactly these texts: clients hang on any other status.
    JobState.QUEUED: "starting", JobState.LOADING: "starting", JobState.RUNNING: "processing",
    JobState.SUCCEEDED: "succeeded", JobState.FAILED: "failed", JobState.CANCELED: "canceled",
}  # fmt: skip

OutputAs = Literal["auto", "url", "data"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of predictions on a server whose clients reach it at ``origin``."""

    origin: str
    secret: Secret

    def prediction(self, job_id: str) -> str:
        """Return the URL of a prediction."""
        return f"{self.origin}/v1/predictions/{job_id}"

    def stream(self, job_id: str) -> str:
        """Return the URL of a prediction's event stream, signed instead of authenticated."""
        return f"{self.origin}/v1/streams/{job_id}/{self.secret.signed('stream', job_id)}"

    def output(self, job: Job) -> str:
        """Return the URL of the output file, signed instead of authenticated."""
        suffix = job.result.format.lstrip(".") if job.result else "wav"
        return f"{self.origin}/v1/outputs/{job.id}/{self.secret.signed('output', job.id)}/out.{suffix}"

    def urls(self, job_id: str) -> Json:
        """Return the field ``urls`` of a prediction."""
        at = self.prediction(job_id)
        return {"get": at, "cancel": f"{at}/cancel", "web": at, "stream": self.stream(job_id)}


def prediction_of(job: Job, addresses: Addresses, output: str | None, status: str | None = None) -> Json:
    """Return a job as a prediction, with the given output; ``status`` overrides that of the job."""
    shown = _options_of(job)
    return {
        "id": job.id, "model": shown.model or job.model, "version": shown.version, "input": shown.input,
        "output": output, "logs": logs_of(job), "error": error_of(job),
        "status": status or STATUSES[job.state], "data_removed": job.data_removed, "source": "api",
        "created_at": timestamp(job.created_at), "started_at": timestamp(job.started_at),
        "completed_at": timestamp(job.finished_at), "metrics": _metrics(job), "urls": addresses.urls(job.id),
    }  # fmt: skip


def _options_of(job: Job) -> PredictionOptions:
    """Return the options of a prediction, empty if its row is damaged."""
    return job.options.prediction or PredictionOptions()


def output_of(job: Job, path: Path, addresses: Addresses, output_as: OutputAs) -> str | None:
    """Return the output file as a URL or a data URI, None if there is none or it was removed.

    Replicate's clients treat an output as a file only if it begins with ``https:`` or ``data:``.
    """
    if job.state is not JobState.SUCCEEDED or job.data_removed or job.result is None:
        return None
    # On a plain http origin only a data URI is treated as a file.
    inline = output_as == "data" or (output_as == "auto" and not addresses.origin.startswith("https:"))
    if not inline or job.result.bytes > MAX_INLINE_BYTES:
        return addresses.output(job)
    return f"data:{media_type(job)};base64,{base64.b64encode(path.read_bytes()).decode()}"


def error_of(job: Job) -> str | None:
    """Return the error message of a failed job for its caller, or None."""
    return message_of(JobFailed(job.failure)) if job.failure else None


def media_type(job: Job) -> str:
    """Return the media type of the output file."""
    return job.result.media_type if job.result else "application/octet-stream"


def timestamp(at: float | None) -> str | None:
    """Return a Unix timestamp in ISO 8601, UTC, in milliseconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _metrics(job: Job) -> Json:
    if job.finished_at is None:
        return {}
    return {
        "predict_time": job.generate_seconds or 0.0,
        "total_time": max(0.0, job.finished_at - job.created_at),
    }


class PredictionSerializer:
    """The serializer of a server's jobs as predictions."""

    def __init__(self, context: ApiContext, secret: Secret) -> None:
        self._context = context
        self._secret = secret

    def addresses(self, request: Request) -> Addresses:
        """Return the URLs as the sender of the request reaches them."""
        return self._addresses_at(self._context.settings.public_url or str(request.base_url))

    def _addresses_at(self, origin: str) -> Addresses:
        return Addresses(origin.rstrip("/"), self._secret)

    async def output(self, job: Job, addresses: Addresses) -> str | None:
        """Return the output of a job, None until there is one."""
        if job.result is None:
            return None
        try:
            path = self._context.service.result_path(job)
            return await asyncio.to_thread(output_of, job, path, addresses, self._context.settings.replicate_output)
        except (FileNotFoundError, JobNotFound):
            # Removed by retention since the job was read.
            return None

    async def prediction(self, job: Job, addresses: Addresses) -> Json:
        """Return a job as a complete prediction."""
        return prediction_of(job, addresses, await self.output(job, addresses))

    def listed(self, job: Job, addresses: Addresses) -> Json:
        """Return a job as an item of a list, whose output is always a URL: data URIs would make the page huge."""
        has_output = job.result is not None and not job.data_removed
        return prediction_of(job, addresses, addresses.output(job) if has_output else None)

    def waiting(self, job: Job, addresses: Addresses) -> Json:
        """Return an unfinished job after ``Prefer: wait``.

        Clients continue to poll only if the status is ``starting``.
        """
        return prediction_of(job, addresses, None, "starting")

    def webhook(self, job: Job) -> Webhook | None:
        """Return the webhook of a job, or None."""
        target = _options_of(job).webhook
        return Webhook(target.url, self._secret.webhook_key(job.owner), target.events) if target else None

    async def events(self, followed: Job) -> AsyncIterator[Event]:
        """Yield the webhook events of a job until it ends."""
        addresses = self._addresses_at(_options_of(followed).origin)
        sent, started = "", False
        async for job in self._context.service.events(followed.id):
            prediction = await self.prediction(job, addresses)
            # A prediction may contain a file of 64 MiB, whose encoding would block the event loop.
            body = await asyncio.to_thread(encoded, prediction)
            # A job that ends before it runs gets its start event too.
            if not started and (job.running_at is not None or job.state.is_final):
                started = True
                yield Event("start", body)
            if prediction["logs"] != sent:
                sent = prediction["logs"]
                yield Event("logs", body)
            if prediction["output"] is not None:
                yield Event("output", body)
            if job.state.is_final:
                yield Event("completed", body)


def encoded(content: Json) -> bytes:
    """Return compact JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def caller_of(request: Request) -> Caller:
    """Return the caller that the router's dependency has authenticated."""
    caller: Caller = request.state.caller
    return caller
