"""A route that never answers 503 at once: some of this dialect's clients then ask again without any delay."""

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
"""How long at least a caller waits who is then told to come back later."""
COME_BACK = 503


class DelayedUnavailableRoute(APIRoute):
    """Holds back an error of status 503 until the request has lasted ``LEAST_SECONDS``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with the wait around it."""
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
