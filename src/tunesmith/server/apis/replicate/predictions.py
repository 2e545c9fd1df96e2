"""Predictions: create, read, list and cancel them; their output files; their events as a stream and to webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, Response

from tunesmith.errors import JobNotFound, ServerStopping
from tunesmith.jobs.job import Job, JobState
from tunesmith.jobs.store import PAGE, JobFilter
from tunesmith.server.apis.replicate.errors import (
    DIALECT,
    InvalidField,
    InvalidInput,
    Json,
    ProblemDetail,
    invalid_version,
)
from tunesmith.server.apis.replicate.input_schema import prediction_body
from tunesmith.server.apis.replicate.models import PublishedModel, find_version, named_model, version_note
from tunesmith.server.apis.replicate.request import (
    PredictionParser,
    PredictionRequest,
    read_json,
    wait_seconds,
)
from tunesmith.server.apis.replicate.response import (
    Addresses,
    PredictionSerializer,
    caller_of,
    encoded,
    error_of,
    logs_of,
    media_type,
)
from tunesmith.server.apis.replicate.url_signing import Secret
from tunesmith.server.apis.responses import SILENCE_SECONDS, STILL_HERE, event_stream, sse_event
from tunesmith.server.context import ApiContext
from tunesmith.server.webhooks import LAST, WebhookSender

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
        return event_stream(with_heartbeats(events))

    async def _job_events(self, job_id: str, addresses: Addresses) -> AsyncIterator[str]:
        number, sent = 0, ""
        # A shutdown just ends the stream: the headers are sent, so no error can follow.
        with contextlib.suppress(ServerStopping):
            async for job in self._service.events(job_id):
                logs = logs_of(job)
                for kind, content in [*_logs(sent, logs), *await self._end(job, addresses)]:
                    number += 1
                    yield sse_event(kind, content, f"{job_id}:{number}")
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


async def with_heartbeats(events: AsyncIterator[str], seconds: float = SILENCE_SECONDS) -> AsyncIterator[str]:
    """Yield the events, and a comment after each ``seconds`` of silence."""
    pending = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            # Unlike wait_for, this does not cancel the pending event on a timeout.
            done, _ = await asyncio.wait({pending}, timeout=seconds)
            if not done:
                yield STILL_HERE
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


_ID = re.compile(r"[0-9a-z]{1,64}")
_UNFINISHED = (JobState.QUEUED, JobState.LOADING, JobState.RUNNING)


class Predictions:
    """The handlers of the routes under ``/predictions``, and of those that create one by model or deployment."""

    def __init__(
        self, context: ApiContext, parser: PredictionParser, views: PredictionSerializer, follower: WebhookSender
    ) -> None:
        self._service = context.service
        self._parser = parser
        self._views = views
        self._follower = follower

    def add_to(self, router: APIRouter) -> None:
        """Add the routes, which require a token, to the router."""
        body, named = prediction_body(named=False), prediction_body(named=True)
        router.add_api_route("/predictions", self.create, methods=["POST"], status_code=201, openapi_extra=body)
        router.add_api_route("/predictions", self.page, methods=["GET"])
        router.add_api_route("/predictions/{prediction_id}", self.get, methods=["GET"])
        router.add_api_route("/predictions/{prediction_id}/cancel", self.cancel, methods=["POST"])
        for kind in ("models", "deployments"):
            path = f"/{kind}/{{owner}}/{{name}}/predictions"
            router.add_api_route(path, self.create_named, methods=["POST"], status_code=201, openapi_extra=named)
        router.add_api_route(
            "/models/{owner}/{name}/versions/{version}/predictions", self.create_of_version, methods=["POST"],
            status_code=201, openapi_extra=named,
        )  # fmt: skip

    async def create(self, request: Request) -> Response:
        """Create a prediction with the model that the body's ``version`` names."""
        body = await read_json(request)
        version = body.get("version")
        if not isinstance(version, str) or not version:
            raise InvalidInput([InvalidField("required", "version", "version is required")])
        name = body.get("model")
        model = await asyncio.to_thread(find_version, version, name if isinstance(name, str) else "")
        if model is None:
            raise invalid_version()
        return await self._make(request, model, body, version_note(model, version))

    async def create_named(self, request: Request, owner: str, name: str) -> Response:
        """Create a prediction with the model of the path."""
        return await self._make(request, await named_model(owner, name), await read_json(request))

    async def create_of_version(self, request: Request, owner: str, name: str, version: str) -> Response:
        """Create a prediction with the model and the version of the path."""
        model = await named_model(owner, name, version)
        return await self._make(request, model, await read_json(request), version_note(model, version))

    async def _make(
        self, request: Request, model: PublishedModel, body: Mapping[str, Any], note: str | None = None
    ) -> Response:
        addresses = self._views.addresses(request)
        key = request.headers.get("idempotency-key")
        target = PredictionRequest(caller_of(request).owner, model, addresses.origin, key, note)
        job = await self._parser.parse(target, body)
        self.follow(job)
        seconds = wait_seconds(request.headers.get("prefer"))
        headers = {"location": addresses.prediction(job.id), "x-tunesmith-model": job.generated_by}
        if seconds is None:
            return _json(await self._views.prediction(job, addresses), 201, headers)
        # The job stays in the queue; the client polls it after the restart.
        with contextlib.suppress(ServerStopping):
            job = await self._service.wait(job, seconds)
        shown = (
            await self._views.prediction(job, addresses) if job.state.is_final else self._views.waiting(job, addresses)
        )
        return _json(shown, 201, {**headers, "preference-applied": f"wait={seconds:g}"})

    async def get(self, request: Request, prediction_id: str) -> Response:
        """Return a prediction."""
        return await self._shown(request, await self._own(request, prediction_id))

    async def cancel(self, request: Request, prediction_id: str) -> Response:
        """Cancel a prediction; one that has ended stays as it is."""
        job = await self._own(request, prediction_id)
        return await self._shown(request, await self._service.cancel(job.id))

    async def page(self, request: Request, cursor: str | None = None) -> Response:
        """List the caller's predictions, newest first."""
        if cursor is not None and not _ID.fullmatch(cursor):
            raise ProblemDetail(400, "The cursor is not one of this list's.", "Bad request")
        addresses = self._views.addresses(request)
        page = await self._service.page(JobFilter(caller_of(request).owner, DIALECT), PAGE, cursor)
        after = page.next_before and f"{addresses.origin}/v1/predictions?cursor={page.next_before}"
        shown = [self._views.listed(job, addresses) for job in page.jobs]
        return _json({"previous": None, "next": after, "results": shown})

    def follow(self, job: Job) -> None:
        """Send the events of an unfinished job to its webhook, if it has one."""
        webhook = self._views.webhook(job)
        if webhook is not None and not job.state.is_final:
            self._follower.follow(job.id, webhook, self._views.events(job))

    @asynccontextmanager
    async def following(self, _: FastAPI) -> AsyncIterator[None]:
        """Resume the webhooks of jobs that an earlier server left unfinished; stop them when this one ends."""
        before: str | None = None
        while True:
            # In pages, because the queue may be long.
            page = await self._service.page(JobFilter(dialect=DIALECT, states=_UNFINISHED), PAGE, before)
            for job in page.jobs:
                self.follow(job)
            before = page.next_before
            if before is None:
                break
        for job_id in await self._follower.left():
            await self._send_end(job_id)
        try:
            yield
        finally:
            await self._follower.close()

    async def _send_end(self, job_id: str) -> None:
        """Send the final event of an ended job, which an earlier server could not deliver."""
        try:
            job = await self._service.get(job_id)
        except JobNotFound:
            # The job was removed by retention, so there is nothing left to send.
            await self._follower.forget(job_id)
            return
        webhook = self._views.webhook(job)
        if webhook is not None and job.state.is_final:
            # Only the final event: the others are out of date.
            self._follower.follow(job.id, replace(webhook, events=(LAST,)), self._views.events(job))

    async def _own(self, request: Request, prediction_id: str) -> Job:
        if not _ID.fullmatch(prediction_id):
            raise JobNotFound(prediction_id)
        job = await self._service.get(prediction_id, caller_of(request).owner)
        # A job of another API lacks the fields of a prediction.
        if job.dialect != DIALECT:
            raise JobNotFound(prediction_id)
        return job

    async def _shown(self, request: Request, job: Job) -> Response:
        return _json(await self._views.prediction(job, self._views.addresses(request)))


class Outputs:
    """The handler of output files; the signature in the path replaces a token, because clients send none there."""

    def __init__(self, context: ApiContext, secret: Secret) -> None:
        self._service = context.service
        self._secret = secret

    def add_to(self, router: APIRouter) -> None:
        """Add the route to the router."""
        path = "/outputs/{job_id}/{signature}/{name}"
        router.add_api_route(path, self.get, methods=["GET"])
        # The description of GET covers it.
        router.add_api_route(path, self.get, methods=["HEAD"], include_in_schema=False)

    async def get(self, job_id: str, signature: str, name: str) -> Response:  # noqa: ARG002
        """Return an output file; ``name`` only gives the download a file name."""
        self._secret.check("output", job_id, signature)
        job = await self._service.get(job_id)
        if job.result is None or job.data_removed:
            raise ProblemDetail(404, "The file does not exist yet, or was removed.")
        path = self._service.result_path(job)
        # The signature is part of the URL, so no shared cache may store the response.
        headers = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}
        return FileResponse(path, media_type=media_type(job), headers=headers)


def _json(content: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encoded(content), status, headers, media_type="application/json")
