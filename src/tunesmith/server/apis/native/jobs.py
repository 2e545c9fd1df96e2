"""Jobs: audio in the response to a request, or jobs that callers submit, follow, download and cancel."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from tunesmith.errors import InvalidRequest, JobNotFound, ServerStopping
from tunesmith.jobs.estimates import QueueEstimate, QueueEstimator
from tunesmith.jobs.job import Job, JobState
from tunesmith.jobs.service import MusicService
from tunesmith.jobs.store import JobFilter
from tunesmith.server.apis.live_responses import Live, begun, live_response, submit_and_stream
from tunesmith.server.apis.native.request import RequestParser, documented_request
from tunesmith.server.apis.native.schemas import (
    JOBS,
    JobDocument,
    JobsPage,
    job_document,
    job_event,
    media_type_of,
    path_of,
    responses,
    timing_headers,
)
from tunesmith.server.apis.native.score_schemas import ScoreEvent
from tunesmith.server.apis.responses import (
    SILENCE_SECONDS,
    STILL_HERE,
    event_stream,
    full_response,
    headers_of,
    run_and_wait,
    sse_event,
    streaming_response,
)
from tunesmith.server.auth import Caller
from tunesmith.server.errors import JobFailed, ResultNotAvailable
from tunesmith.server.scores import has_score, score_of_job

LOOK_SECONDS = 1.0
"""The poll interval in seconds for the queue position, which changes without a change of the job."""

DONE, SCORE = "done", "score"
KINDS: Mapping[JobState, str] = {
    JobState.QUEUED: "queued", JobState.LOADING: "loading", JobState.RUNNING: "progress",
    JobState.SUCCEEDED: DONE, JobState.FAILED: DONE, JobState.CANCELED: DONE,
}  # fmt: skip
"""The event name of each state."""


class JobEventStream:
    """The event streams of jobs."""

    def __init__(self, service: MusicService, estimator: QueueEstimator) -> None:
        self._service = service
        self._estimator = estimator

    async def of(self, job_id: str, *, with_score: bool = False) -> AsyncIterator[str]:
        """Yield an event now and after each change, until the job ends or the server shuts down.

        ``with_score`` yields one more, with the score, right after the first one.
        """
        last_sent: tuple[object, ...] = ()
        sent_at = time.monotonic()
        job: Job | None = None
        with contextlib.suppress(ServerStopping), self._service.follow(job_id) as feed:
            while job is None or not job.state.is_final:
                # A timeout returns None, and the last state stays.
                job = await feed.after(job, _heartbeat_seconds(job, sent_at)) or job
                if job is None:
                    continue
                estimate = await self._estimator.estimate(job)
                # Without the ETA, which drifts all the time and would cause an event at every poll.
                new = (job.state, job.progress, job.stage, estimate.position)
                if new != last_sent:
                    is_first, last_sent, sent_at = not last_sent, new, time.monotonic()
                    yield _event(job, estimate)
                    if with_score and is_first and has_score(job.generated_by, job.request) and not job.state.is_final:
                        yield await _score_event(job, estimate)
                # Proxies cut connections that are silent for long.
                elif time.monotonic() - sent_at >= SILENCE_SECONDS:
                    sent_at = time.monotonic()
                    yield STILL_HERE


def _heartbeat_seconds(job: Job | None, sent_at: float) -> float:
    left = max(0.0, sent_at + SILENCE_SECONDS - time.monotonic())
    return min(left, LOOK_SECONDS) if job is None or job.state is JobState.QUEUED else left


def _event(job: Job, estimate: QueueEstimate) -> str:
    document = job_document(job, estimate) if job.state.is_final else job_event(job, estimate)
    return sse_event(KINDS[job.state], document)


async def _score_event(job: Job, estimate: QueueEstimate) -> str:
    """Return the event with the score; without one where it cannot be written, of which the job itself will tell."""
    try:
        score: dict[str, Any] | None = await asyncio.to_thread(score_of_job, job)
    except InvalidRequest:
        score = None
    return sse_event(SCORE, ScoreEvent(**job_event(job, estimate).model_dump(), score=score))


PAGE, MAX_PAGE = 20, 100
MAX_WAIT_SECONDS = 60.0
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for the job to finish.")]
WithScore = Annotated[bool, Query(description="Send the score of a composer's job too, as an event of its own.")]
ToStream = Annotated[bool, Query(description="Let ``GET …/audio?stream=true`` play the audio while it is made.")]
States = Annotated[list[JobState] | None, Query()]
AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"description": "The audio file.", "content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}}
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


def encoded(document: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a document as a JSON response."""
    return Response(document.model_dump_json(), status, headers, media_type="application/json")


def add_jobs(
    routes: APIRouter, service: MusicService, parser: RequestParser, estimator: QueueEstimator, whose: Any
) -> None:
    """Add the routes for music and jobs; ``whose`` is the dependency that returns the caller."""
    _add_submissions(routes, service, parser, estimator, whose)
    _add_lists(routes, service, estimator, whose)
    _add_outputs(routes, service, estimator, whose)


def _add_submissions(
    routes: APIRouter, service: MusicService, parser: RequestParser, estimator: QueueEstimator, whose: Any
) -> None:
    body = documented_request()

    @routes.post(
        "/api/generate", openapi_extra=body, summary="Generate music and wait for it", response_class=Response,
        responses={**AUDIO, **responses(404, 409, 422, 503, 507)},
    )  # fmt: skip
    async def generate(request: Request, stream: Live = False, caller: Caller = whose) -> Response:
        submission = await parser.read(request, caller)
        if stream:
            music = await submit_and_stream(service, submission, request)
            headers = {**headers_of(music.job), **timing_headers(music.job)}
            return streaming_response(music.chunks, media_type_of(music.job), headers)
        job = await run_and_wait(service, submission, request)
        headers = {**headers_of(job), **timing_headers(job)}
        return await full_response(service.result_path(job), media_type_of(job), headers)

    @routes.post(
        JOBS, openapi_extra=body, summary="Submit a job", status_code=202, response_model=JobDocument,
        responses=responses(404, 409, 422, 503, 507),
    )  # fmt: skip
    async def create(request: Request, stream: ToStream = False, caller: Caller = whose) -> Response:
        submission = await parser.read(request, caller)
        if stream:
            submission = replace(submission, options=replace(submission.options, stream=True))
        job = await service.submit(submission)
        return await _shown(job, estimator, 202, {"location": path_of(job.id)})


def _add_lists(routes: APIRouter, service: MusicService, estimator: QueueEstimator, whose: Any) -> None:
    @routes.get(JOBS, summary="Your jobs, newest first", response_model=JobsPage, responses=responses(404, 422))
    async def page(
        limit: Limit = PAGE, before: str | None = None, state: States = None, caller: Caller = whose
    ) -> Response:
        found = await service.page(JobFilter(caller.owner, states=state), limit, before)
        shown = [job_document(job, await estimator.estimate(job)) for job in found.jobs]
        # The link to the next page repeats the filter.
        states = "".join(f"&state={one.value}" for one in state or ())
        after = found.next_before and f"{JOBS}?limit={limit}{states}&before={found.next_before}"
        return encoded(JobsPage(jobs=shown, next=after))

    @routes.get(JOBS + "/{job_id}", summary="A job", response_model=JobDocument, responses=responses(404))
    async def show(job_id: str, wait: Wait = 0.0, caller: Caller = whose) -> Response:
        job = await service.get(job_id, caller.owner)
        if wait and not job.state.is_final:
            # Long polling: whatever ends the wait, the caller gets the present state.
            with contextlib.suppress(TimeoutError, ServerStopping):
                await asyncio.wait_for(service.wait(job), wait)
            job = await service.get(job_id, caller.owner)
        return await _shown(job, estimator)


def _add_outputs(routes: APIRouter, service: MusicService, estimator: QueueEstimator, whose: Any) -> None:
    streams = JobEventStream(service, estimator)

    @routes.get(
        JOBS + "/{job_id}/audio", summary="The result of a job", response_class=Response,
        responses={**AUDIO, **responses(404, 409)},
    )  # fmt: skip
    async def audio(request: Request, job_id: str, stream: Live = False, caller: Caller = whose) -> Response:
        job = await service.get(job_id, caller.owner)
        if stream and (response := await _growing(service, job, request)):
            return response
        job = await service.get(job_id, caller.owner) if stream else job
        if job.state is not JobState.SUCCEEDED:
            raise ResultNotAvailable(job)
        if job.data_removed:
            # Removed by retention; only the row remains.
            raise JobNotFound(job_id)
        headers = {**headers_of(job), **timing_headers(job)}
        return FileResponse(service.result_path(job), media_type=media_type_of(job), headers=headers)

    @routes.get(
        JOBS + "/{job_id}/events", summary="The events of a job", response_class=Response,
        responses={**EVENTS, **responses(404)},
    )  # fmt: skip
    async def events(job_id: str, score: WithScore = False, caller: Caller = whose) -> Response:
        # The job is read first to check its owner, which the stream does not.
        job = await service.get(job_id, caller.owner)
        return event_stream(streams.of(job.id, with_score=score))

    @routes.delete(JOBS + "/{job_id}", summary="Cancel a job", response_model=JobDocument, responses=responses(404))
    async def cancel(job_id: str, caller: Caller = whose) -> Response:
        # The job is read first to check its owner, which the service's cancel does not.
        job = await service.get(job_id, caller.owner)
        return await _shown(await service.cancel(job.id), estimator)


async def _growing(service: MusicService, job: Job, request: Request) -> Response | None:
    """Return the stream of a job as it is made; None for one that ends without a stream, or has ended long ago."""
    if not job.state.is_final:
        with service.streams.listening(job.id) as opening:
            if job.state is JobState.QUEUED:
                service.streams.want(job.id)
            with contextlib.suppress(JobFailed):
                await begun(service, job, opening)
    found = service.streams.find(job.id)
    if found is None:
        return None
    headers = headers_of(replace(job, metadata=found.metadata))
    return live_response(found, request.headers.get("range"), media_type_of(job), headers)


async def _shown(
    job: Job, estimator: QueueEstimator, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return encoded(job_document(job, await estimator.estimate(job)), status, headers)
