"""Delayed 503 responses: some clients, such as @huggingface/inference 4, retry a 503 without any back-off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from tunesmith.errors import TunesmithError
from tunesmith.server.apis.errors import status_of

LEAST_SECONDS = 1.0
"""The minimum duration in seconds of a request that gets a 503."""
COME_BACK = 503


class DelayedUnavailableRoute(APIRoute):
    """A route that delays a 503 until the request has lasted ``LEAST_SECONDS``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, wrapped in the delay."""
        handle = super().get_route_handler()

        async def unhurried(request: Request) -> Response:
            began = time.monotonic()
            try:
                return await handle(request)
            except TunesmithError as error:
                if status_of(error) == COME_BACK:
                    await asyncio.sleep(began + LEAST_SECONDS - time.monotonic())
                raise

        return unhurried
