"""Views: jobs as predictions for a caller, with the output in the form that its client takes for a file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import Request

from tunesmith.errors import JobNotFound
from tunesmith.jobs.job import Job
from tunesmith.server.apis.replicate.json_types import Json
from tunesmith.server.apis.replicate.response import Addresses, output_of, prediction_of
from tunesmith.server.apis.replicate.url_signing import Secret
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.webhooks.delivery import Event, Webhook


class PredictionSerializer:
    """Shows jobs of one server."""

    def __init__(self, context: ApiContext, secret: Secret) -> None:
        self._context = context
        self._secret = secret

    def addresses(self, request: Request) -> Addresses:
        """Return the addresses as the sender of a request reaches them."""
        return self.addresses_at(self._context.settings.public_url or str(request.base_url))

    def addresses_at(self, origin: str) -> Addresses:
        """Return the addresses at an origin."""
        return Addresses(origin.rstrip("/"), self._secret)

    async def output(self, job: Job, addresses: Addresses) -> str | None:
        """Return the output of a job: None until there is one."""
        if job.result is None:
            return None
        try:
            path = self._context.service.result_path(job)
            return await asyncio.to_thread(output_of, job, path, addresses, self._context.settings.replicate_output)
        except (FileNotFoundError, JobNotFound):
            return None  # removed for its age since the job was read

    async def prediction(self, job: Job, addresses: Addresses) -> Json:
        """Return a job as a prediction, whole."""
        return prediction_of(job, addresses, await self.output(job, addresses))

    def listed(self, job: Job, addresses: Addresses) -> Json:
        """Return a job as one of many: its output is an address."""
        has_output = job.result is not None and not job.data_removed
        return prediction_of(job, addresses, addresses.output(job) if has_output else None)

    def waiting(self, job: Job, addresses: Addresses) -> Json:
        """Return an unfinished job to one who waited for it: clients poll on only where it says ``starting``."""
        return prediction_of(job, addresses, None, "starting")

    def webhook(self, job: Job) -> Webhook | None:
        """Return where a job's news are to be sent, if anywhere."""
        asked = job.extra.get("webhook")
        return Webhook(asked["url"], self._secret.webhook_key(job.owner), tuple(asked["events"])) if asked else None

    async def events(self, job_id: str, addresses: Addresses) -> AsyncIterator[Event]:
        """Yield what a webhook is sent about a job, until it is done."""
        said, started = "", False
        async for job in self._context.service.events(job_id):
            prediction = await self.prediction(job, addresses)
            body = await asyncio.to_thread(encoded, prediction)
            if not started and (job.running_at is not None or job.state.is_final):
                started = True
                yield Event("start", body)
            if prediction["logs"] != said:
                said = prediction["logs"]
                yield Event("logs", body)
            if prediction["output"] is not None:
                yield Event("output", body)
            if job.state.is_final:
                yield Event("completed", body)


def encoded(content: Json) -> bytes:
    """Return JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def caller_of(request: Request) -> Caller:
    """Return who sent a request, as the router's dependency found it."""
    caller: Caller = request.state.caller
    return caller
