"""HTTP client of a service: requests, retried while that may help and the deadline allows."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tunesmith.client.reply import Reply
from tunesmith.client.retries import Clock, Deadline, Draw, is_retryable, pause_after
from tunesmith.errors import DeadlineExceeded, GenerationFailed
from tunesmith.hosted.audio_response import InvalidAudioResponse
from tunesmith.hosted.connection import ServiceConnection
from tunesmith.hosted.error_mapping import error_from_response, is_loading
from tunesmith.hosted.model_names import HostedName

CONNECT_SECONDS = 20.0
# Bounds the memory that a faulty or hostile service can take.
LONGEST_ANSWER_BYTES = 512 << 20
LONGEST_LOADING_PAUSE_SECONDS = 15.0
"""The longest pause while a model loads: it may be ready before the estimate."""

Sleep = Callable[[float], Awaitable[object]]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """One HTTP request. One that ``costs`` counts against the budget, again for each paid repetition."""

    method: str
    url: str
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Any] | None = None
    costs: bool = False


@dataclass(frozen=True, slots=True)
class RetryTiming:
    """Sleep, random draw and clock of retries; tests replace them."""

    sleep: Sleep = asyncio.sleep
    draw: Draw = random.random
    clock: Clock = time.monotonic


USUAL_PATIENCE = RetryTiming()


class ServiceClient:
    """A client of one model's service with one deadline; ``tell`` receives what it waits for."""

    def __init__(
        self, name: HostedName, access: ServiceConnection, tell: Tell, patience: RetryTiming = USUAL_PATIENCE
    ) -> None:
        self.name = name
        self.access = access
        self.tell = tell
        self.patience = patience
        self.deadline = Deadline.after(access.seconds, patience.clock)
        timeout = httpx.Timeout(access.seconds, connect=min(CONNECT_SECONDS, access.seconds))
        self._client = httpx.AsyncClient(timeout=timeout)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def reply_to(self, ask: ServiceRequest, check: Callable[[Reply], None] | None = None) -> Reply:
        """Send the request until the response is good; return it. Raises ApiError, ServerUnreachable or
        DeadlineExceeded.

        ``check`` raises InvalidAudioResponse for a successful response with the wrong content, which is retried too.
        """
        attempt = 0
        if ask.costs:
            self.access.take_call(self.name)
        while True:
            reply, unsound = await self._once(ask), None
            if reply.is_good and not is_loading(reply):
                try:
                    if check:
                        check(reply)
                    return reply
                except InvalidAudioResponse as problem:
                    unsound = problem
                    # Status 0 with a problem is what the retry rules treat as transient.
                    reply = Reply(0, problem=str(problem))
            attempt += 1
            if unsound and not is_retryable(reply, attempt):
                raise GenerationFailed("Unsound", f"{self.name.service_name}: {unsound}, {attempt} times")
            await self._wait(reply, attempt)
            # Only a completed call was paid; refusals and broken connections are free.
            if ask.costs and unsound:
                self.access.take_call(self.name)

    async def pause(self, seconds: float) -> None:
        """Wait ``seconds``. Raises DeadlineExceeded if the deadline comes first."""
        if seconds >= self.deadline.left:
            raise DeadlineExceeded(f"{self.name.service_name} did not finish within {self.access.seconds:g} s")
        await self.patience.sleep(seconds)

    async def _wait(self, reply: Reply, attempt: int) -> None:
        """Wait until the next attempt. Raises the service's error if a retry cannot help."""
        loading = is_loading(reply)
        if not loading and not is_retryable(reply, attempt):
            raise error_from_response(self.name, reply, has_token=bool(self.access.token))
        pause = pause_after(attempt, reply, self.patience.draw)
        if loading:
            self.tell(f"{self.name.service_name} is loading the model, about {pause:.0f} s")
            # Jitter spreads the polls of many waiting clients.
            pause = min(pause, LONGEST_LOADING_PAUSE_SECONDS * (1 + self.patience.draw()))
        else:
            self.tell(f"waiting {pause:.0f} s for {self.name.service_name}")
        if pause >= self.deadline.left:
            if reply.problem is not None and not self.deadline.left:
                raise DeadlineExceeded(f"no answer from {self.name.service_name} within {self.access.seconds:g} s")
            raise error_from_response(self.name, reply, has_token=bool(self.access.token))
        await self.patience.sleep(pause)

    async def _once(self, ask: ServiceRequest) -> Reply:
        headers = {**ask.headers, **self.access.headers_for(ask.url)}
        try:
            # One deadline for all attempts: httpx's timeouts apply to each read, so a slow stream could outlast it.
            async with asyncio.timeout(max(0.001, self.deadline.left)):
                request = self._client.build_request(
                    ask.method, ask.url, json=ask.json, files=ask.files, headers=headers
                )
                # Follow redirects of downloads only: a redirected POST could be sent, and paid, twice.
                answer = await self._client.send(request, stream=True, follow_redirects=ask.method == "GET")
                try:
                    return Reply(answer.status_code, dict(answer.headers), await _body(answer))
                finally:
                    await answer.aclose()
        except TimeoutError:
            return Reply(0, problem="no response in time")
        except httpx.HTTPError as error:
            return Reply(0, problem=str(error) or type(error).__name__)


async def _body(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > LONGEST_ANSWER_BYTES:
            raise httpx.HTTPError(f"the response is longer than {LONGEST_ANSWER_BYTES >> 20} MiB")
    return bytes(content)
