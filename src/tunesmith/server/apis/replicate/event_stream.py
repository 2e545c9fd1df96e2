"""Streams: the events of a prediction as server-sent events, each with ``event``, ``id`` and ``data``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from tunesmith.errors import ServerStopping
from tunesmith.jobs.job import Job, JobState
from tunesmith.server.apis.replicate.log_output import logs_of
from tunesmith.server.apis.replicate.response import Addresses, PredictionSerializer, error_of
from tunesmith.server.apis.replicate.url_signing import Secret
from tunesmith.server.context import ApiContext

HEARTBEAT_SECONDS = 15.0
"""The longest silence of a stream in seconds: proxies cut idle connections."""

_DONE = {JobState.SUCCEEDED: {}, JobState.CANCELED: {"reason": "canceled"}, JobState.FAILED: {"reason": "error"}}


class Streams:
    """The handler of streams; the signature in the path replaces a token, because clients send none there."""

    def __init__(self, context: ApiContext, secret: Secret, views: PredictionSerializer) -> None:
        self._service = context.service
        self._secret = secret
        self._views = views

    def add_to(self, router: APIRouter) -> None:
        """Add the route to the router."""
        router.add_api_route("/streams/{job_id}/{signature}", self.get, methods=["GET"])

    async def get(self, request: Request, job_id: str, signature: str) -> Response:
        """Stream the events of a prediction until it ends."""
        self._secret.check("stream", job_id, signature)
        await self._service.get(job_id)
        events = self._job_events(job_id, self._views.addresses(request))
        # Nginx would otherwise buffer the events.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(with_heartbeats(events), media_type="text/event-stream", headers=headers)

    async def _job_events(self, job_id: str, addresses: Addresses) -> AsyncIterator[str]:
        number, sent = 0, ""
        # A shutdown just ends the stream: the headers are sent, so no error can follow.
        with contextlib.suppress(ServerStopping):
            async for job in self._service.events(job_id):
                logs = logs_of(job)
                for kind, content in [*_logs(sent, logs), *await self._end(job, addresses)]:
                    number += 1
                    yield event(kind, f"{job_id}:{number}", content)
                sent = logs

    async def _end(self, job: Job, addresses: Addresses) -> list[tuple[str, str]]:
        if not job.state.is_final:
            return []
        events: list[tuple[str, str]] = []
        output = await self._views.output(job, addresses)
        if output is not None:
            events.append(("output", output))
        error = error_of(job)
        if error is not None:
            events.append(("error", json.dumps({"detail": error})))
        return [*events, ("done", json.dumps(_DONE[job.state]))]


def event(kind: str, event_id: str, content: str) -> str:
    """Return a server-sent event; each line of the content becomes a ``data`` line."""
    lines = "".join(f"data: {line}\n" for line in content.split("\n"))
    return f"event: {kind}\nid: {event_id}\n{lines}\n"


async def with_heartbeats(events: AsyncIterator[str], seconds: float = HEARTBEAT_SECONDS) -> AsyncIterator[str]:
    """Yield the events, and a comment after each ``seconds`` of silence."""
    pending = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            # Unlike wait_for, this does not cancel the pending event on a timeout.
            done, _ = await asyncio.wait({pending}, timeout=seconds)
            if not done:
                yield ": still here\n\n"
                continue
            if (one := pending.result()) is None:
                return
            yield one
            pending = asyncio.ensure_future(anext(events, None))
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)


def _logs(sent: str, logs: str) -> list[tuple[str, str]]:
    # Logs only grow, so the new part is what follows the old text.
    new = logs.removeprefix(sent)
    return [("logs", new)] if new else []
