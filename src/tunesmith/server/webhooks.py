"""Webhooks: a job's events, signed as in Standard Webhooks (standardwebhooks.com), sent to the caller's URL.

Only the last event is retried; the next event supersedes any other. Final events that are not delivered yet are kept on
disk, so that a restart loses none::

    webhooks/
        01hx…    an empty file named after the job, from the start of its events until the last one is sent
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.errors import JobNotFound, ServerStopping, TunesmithError
from tunesmith.jobs.job import is_job_id
from tunesmith.library.clock import Clock
from tunesmith.logs import bind
from tunesmith.server.errors import PrivateAddressError
from tunesmith.server.ssrf_guard import AddressGuard, load_http_client, parse_url


class WebhookOutbox:
    """The folder of undelivered final webhooks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, job_id: str) -> None:
        """Record that a job's last event must be sent."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / job_id).touch()

    def remove(self, job_id: str) -> None:
        """Record that it was sent, or never will be."""
        (self._folder / job_id).unlink(missing_ok=True)

    def ids(self) -> list[str]:
        """Return the jobs, oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if is_job_id(path.name))


EVENTS = ("start", "output", "logs", "completed")
MIN_SECONDS_BETWEEN = 0.5
"""The minimum interval between events ``output`` and ``logs``."""

# As Replicate does: exponential back-off, the last try about a minute after the first.
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
TIMEOUT_SECONDS = 10.0
# The prefix of every secret.
SECRET_PREFIX = "whsec_"  # noqa: S105
LAST = "completed"
_THROTTLED = ("output", "logs")

log = logging.getLogger("tunesmith.server")
Sleep = Callable[[float], Awaitable[None]]


def secret_text(key: bytes) -> str:
    """Return a signing key in the form that receivers use."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the ``webhook-signature`` header of a message."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook of a job: its URL, the subscribed ``EVENTS``, and the signing key of the job's owner."""

    url: str
    key: bytes = field(repr=False)
    events: Collection[str] = EVENTS


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its kind (of ``EVENTS``) and its body."""

    kind: str
    body: bytes


class WebhookClient:
    """A client that signs messages and sends them to URLs that the guard allows."""

    def __init__(self, guard: AddressGuard, clock: Clock = time.time, sleep: Sleep = asyncio.sleep) -> None:
        self._guard = guard
        self.clock = clock
        self._sleep = sleep

    async def send(self, webhook: Webhook, message_id: str, body: bytes) -> bool:
        """Send once; return whether it was accepted. Redirects are not followed."""
        return await self._try(webhook, message_id, body) is True

    async def send_with_retries(self, webhook: Webhook, message_id: str, body: bytes) -> bool:
        """Send, with exponential back-off for about a minute until accepted; return whether it was."""
        for pause in (*RETRY_SECONDS, None):
            taken = await self._try(webhook, message_id, body)
            if taken is not False or pause is None:
                return taken is True
            await self._sleep(pause)
        return False

    async def _try(self, webhook: Webhook, message_id: str, body: bytes) -> bool | None:
        """Return whether the message was accepted, or None if a retry cannot help."""
        await load_http_client()
        import httpx

        from tunesmith.server.guarded_client import guarded_client

        at = int(self.clock())
        headers = {
            "content-type": "application/json", "webhook-id": message_id, "webhook-timestamp": str(at),
            "webhook-signature": signature(webhook.key, message_id, at, body),
        }  # fmt: skip
        try:
            # Never read the response's body: it is of no interest and may be endless.
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                guarded_client(self._guard, "webhook", TIMEOUT_SECONDS) as client,
                client.stream("POST", webhook.url, content=body, headers=headers) as response,
            ):
                return response.is_success
        except PrivateAddressError:
            return None
        except (httpx.HTTPError, TimeoutError):
            return False


class WebhookSender:
    """A sender of each job's events to its webhook, with one task per job."""

    def __init__(self, sender: WebhookClient, undelivered: WebhookOutbox) -> None:
        self._sender = sender
        self._undelivered = undelivered
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, job_id: str, webhook: Webhook, events: AsyncIterator[Event]) -> None:
        """Send a job's events in the background, unless a task already does."""
        if job_id not in self._tasks:
            task = asyncio.create_task(self._send_all(job_id, webhook, events), name=f"webhook of {job_id}")
            self._tasks[job_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(job_id, None))

    async def left(self) -> list[str]:
        """Return the jobs whose last event an earlier server left unsent."""
        return await asyncio.to_thread(self._undelivered.ids)

    async def forget(self, job_id: str) -> None:
        """Give up on a job's last event."""
        await asyncio.to_thread(self._undelivered.remove, job_id)

    async def close(self) -> None:
        """Stop sending; ``left`` then returns the jobs with an unsent last event."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, job_id: str, webhook: Webhook, events: AsyncIterator[Event]) -> None:
        bind(job_id=job_id)
        try:
            # Write to the outbox before the first send, so that a crash at any point loses no last event.
            if LAST in webhook.events:
                await asyncio.to_thread(self._undelivered.add, job_id)
            await self._send_each(job_id, webhook, events)
        except JobNotFound:
            log.info("the job was removed, and its webhook events with it")
        except ServerStopping:
            # The next server sends the rest.
            return
        except TunesmithError as error:
            log.error("no more webhook events of the job until the server restarts: %s", error)
            return
        await self.forget(job_id)

    async def _send_each(self, job_id: str, webhook: Webhook, events: AsyncIterator[Event]) -> None:
        last_sent = dict.fromkeys(_THROTTLED, float("-inf"))
        async for number, event in _enumerate_events(events):
            # A retry must have the same id, by which receivers recognize duplicates.
            message_id = f"{job_id}.{event.kind}" + (f".{number}" if event.kind in _THROTTLED else "")
            now = self._sender.clock()
            too_soon = event.kind in _THROTTLED and now - last_sent[event.kind] < MIN_SECONDS_BETWEEN
            if event.kind not in webhook.events or too_soon:
                continue
            if event.kind in _THROTTLED:
                last_sent[event.kind] = now
            if event.kind == LAST:
                if not await self._sender.send_with_retries(webhook, message_id, event.body):
                    host = parse_url(webhook.url, "webhook").host
                    log.warning("the last webhook event was not accepted", extra={"host": host})
            else:
                await self._sender.send(webhook, message_id, event.body)


async def _enumerate_events(events: AsyncIterator[Event]) -> AsyncIterator[tuple[int, Event]]:
    number = 0
    async for event in events:
        number += 1
        yield number, event
