"""Webhooks: a job's news, signed as Standard Webhooks (standardwebhooks.com) says, sent to an address of the caller's.

Only the last event is sent again where it is not taken; the others are overtaken by the next.
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

import httpx

from tunesmith.errors import JobNotFound, ServerStopping, TunesmithError
from tunesmith.library.clock import Clock
from tunesmith.log_context import bind
from tunesmith.server.errors import PrivateAddressError
from tunesmith.server.ssrf_guard import AddressGuard, guarded_client
from tunesmith.server.webhooks.outbox import WebhookOutbox

EVENTS = ("start", "output", "logs", "completed")
MIN_SECONDS_BETWEEN = 0.5
"""How far apart the events ``output`` and ``logs`` are at least."""

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
TIMEOUT_SECONDS = 10.0
SECRET_PREFIX = "whsec_"  # noqa: S105  what every secret begins with
LAST = "completed"
_THROTTLED = ("output", "logs")

log = logging.getLogger("tunesmith.server")
Sleep = Callable[[float], Awaitable[None]]


def secret_text(key: bytes) -> str:
    """Return a signing key as receivers are given it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature`` of a message."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a job's news go, which of ``EVENTS``, and the key of the job's owner that they are signed with."""

    url: str
    key: bytes = field(repr=False)
    events: Collection[str] = EVENTS


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of news: its kind (of ``EVENTS``) and the body to send."""

    kind: str
    body: bytes


class WebhookClient:
    """Signs messages and sends them to where the guard lets them go."""

    def __init__(self, guard: AddressGuard, clock: Clock = time.time, sleep: Sleep = asyncio.sleep) -> None:
        self._guard = guard
        self.clock = clock
        self._sleep = sleep

    async def send(self, webhook: Webhook, message_id: str, body: bytes) -> bool:
        """Send once; return whether it was taken. Redirects are not followed."""
        return await self._try(webhook, message_id, body) is True

    async def send_with_retries(self, webhook: Webhook, message_id: str, body: bytes) -> bool:
        """Send, and again with growing pauses for about a minute until it is taken; return whether it was."""
        for pause in (*RETRY_SECONDS, None):
            taken = await self._try(webhook, message_id, body)
            if taken is not False or pause is None:
                return taken is True
            await self._sleep(pause)
        return False

    async def _try(self, webhook: Webhook, message_id: str, body: bytes) -> bool | None:
        """Return whether it was taken, or None where it never may be."""
        at = int(self.clock())
        headers = {
            "content-type": "application/json", "webhook-id": message_id, "webhook-timestamp": str(at),
            "webhook-signature": signature(webhook.key, message_id, at, body),
        }  # fmt: skip
        try:
            # The response's body is of no interest and may be endless: it is never read.
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
    """Sends the news of each job that has a webhook, each job's in its own task."""

    def __init__(self, sender: WebhookClient, undelivered: WebhookOutbox) -> None:
        self._sender = sender
        self._undelivered = undelivered
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, job_id: str, webhook: Webhook, events: AsyncIterator[Event]) -> None:
        """Send a job's news in the background, unless that is being done already."""
        if job_id not in self._tasks:
            task = asyncio.create_task(self._send_all(job_id, webhook, events), name=f"webhook of {job_id}")
            self._tasks[job_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(job_id, None))

    async def left(self) -> list[str]:
        """Return the jobs whose last news an earlier server was to send."""
        return await asyncio.to_thread(self._undelivered.ids)

    async def forget(self, job_id: str) -> None:
        """Give up on a job's last news."""
        await asyncio.to_thread(self._undelivered.remove, job_id)

    async def close(self) -> None:
        """Stop sending; ``left`` are then those whose last news were not sent."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, job_id: str, webhook: Webhook, events: AsyncIterator[Event]) -> None:
        bind(job_id=job_id)
        try:
            if LAST in webhook.events:
                await asyncio.to_thread(self._undelivered.add, job_id)
            await self._send_each(job_id, webhook, events)
        except JobNotFound:
            log.info("the job is gone, and with it its news")
        except ServerStopping:
            return  # the next server sends the rest
        except TunesmithError as error:
            log.error("a job's news stop until the server starts again: %s", error)
            return
        await self.forget(job_id)

    async def _send_each(self, job_id: str, webhook: Webhook, events: AsyncIterator[Event]) -> None:
        last_sent = dict.fromkeys(_THROTTLED, float("-inf"))
        async for number, event in _enumerate_events(events):
            message_id = f"{job_id}.{event.kind}" + (f".{number}" if event.kind in _THROTTLED else "")
            now = self._sender.clock()
            too_soon = event.kind in _THROTTLED and now - last_sent[event.kind] < MIN_SECONDS_BETWEEN
            if event.kind not in webhook.events or too_soon:
                continue
            if event.kind in _THROTTLED:
                last_sent[event.kind] = now
            if event.kind == LAST:
                if not await self._sender.send_with_retries(webhook, message_id, event.body):
                    log.warning("a job's last news were not taken", extra={"host": httpx.URL(webhook.url).host})
            else:
                await self._sender.send(webhook, message_id, event.body)


async def _enumerate_events(events: AsyncIterator[Event]) -> AsyncIterator[tuple[int, Event]]:
    number = 0
    async for event in events:
        number += 1
        yield number, event
