"""The transport of a client: one request on its way to the server, without retries.

The client's logic is written once, as coroutines over a ``Transport``. ``AsyncTransport`` awaits the network within
asyncio. The coroutines of ``SyncTransport`` block their thread instead, so that ``run_blocking`` needs no event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from tunesmith.client.reply import Reply

CONNECT_SECONDS = 10.0
"""The longest time to connect: a server accepts a connection at once, even if its reply takes minutes."""

LONGEST_SECONDS = 86_400.0
"""The longest time that the system's timers accept."""

SHORTEST_SECONDS = 0.001
"""httpx times out at once on 0, even if the reply has already arrived."""

TOO_SLOW = "timed out"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to the server; with ``streams``, a good reply has an open body."""

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    streams: bool = False

    @property
    def follows_redirects(self) -> bool:
        """Whether to follow redirects; any method but GET may be changed by one."""
        return self.method == "GET"


class Transport(Protocol):
    """An interface that sends requests to a server and sleeps between them."""

    async def send(self, request: ApiRequest, seconds: float) -> Reply:
        """Send a request once and return its reply within ``seconds``; a failure is in ``Reply.problem``."""

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""


def build_request(http: httpx.Client | httpx.AsyncClient, request: ApiRequest, seconds: float) -> httpx.Request:
    """Return the request for httpx, with ``seconds`` for each of its reads and writes."""
    seconds = min(max(SHORTEST_SECONDS, seconds), LONGEST_SECONDS)
    return http.build_request(
        request.method, request.path, json=request.json, params=dict(request.query), headers=dict(request.headers),
        timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
    )  # fmt: skip


def error_text(error: httpx.HTTPError) -> str:
    """Return one line for an error of httpx, whose own message may be empty."""
    return f"no answer from {without_userinfo(error.request.url)}: {error or type(error).__name__}"


def without_userinfo(url: httpx.URL) -> str:
    """Return an address without the user and the password in it."""
    return str(url.copy_with(userinfo=b"") if url.userinfo else url)
