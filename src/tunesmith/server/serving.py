"""Serving: the HTTP server around the application, which says early that it is about to end."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType

import uvicorn


class DrainingServer(uvicorn.Server):
    """Calls ``drain`` as soon as it is asked to end, while requests that are under way may still finish."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._drain()
        super().handle_exit(sig, frame)
