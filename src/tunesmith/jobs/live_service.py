"""LiveService: the live streams of this server, how many there may be, and their end when the server stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from tunesmith.config import Settings
from tunesmith.errors import LiveStreamsFull
from tunesmith.jobs.runners.live_channel import LiveChannel, LiveOpening
from tunesmith.jobs.runners.local_pool import LocalPool

STOP_SECONDS = 2.0
"""How long the server waits for live streams to take leave of their listeners."""


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Limits of live streams: how many in all and of one caller, and times in seconds; see docs/configuration.md."""

    total: int = 4
    per_caller: int = 2
    seconds: float = 3600.0
    idle_seconds: float = 1800.0
    record_seconds: float = 300.0

    @classmethod
    def of(cls, settings: Settings) -> LiveLimits:
        """Return the limits that the settings give."""
        return cls(
            settings.live_streams, settings.live_streams_per_caller, settings.live_seconds,
            settings.live_idle_seconds, settings.live_record_seconds,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """A live stream that has ended: its model, one of the few reasons, and the seconds of sound that were sent.

    ``gaps`` is how often the model was too slow for them.
    """

    model: str
    reason: str
    seconds: float
    gaps: int = 0


class LiveService:
    """The live streams of a server. Used from one event loop."""

    def __init__(self, pool: LocalPool, limits: LiveLimits, on_end: Callable[[LiveEnd], None] = lambda _: None) -> None:
        self.limits = limits
        self.on_end = on_end
        self._pool = pool
        self._callers: Counter[str] = Counter()
        self._stopping = asyncio.Event()
        self._left = asyncio.Condition()

    @property
    def playing(self) -> int:
        """The number of live streams."""
        return self._callers.total()

    @contextlib.asynccontextmanager
    async def place(self, caller: str) -> AsyncIterator[None]:
        """Hold a place for a live stream of a caller. Raises LiveStreamsFull."""
        if self._stopping.is_set():
            raise LiveStreamsFull("the server is stopping; try again later")
        for number, most, whose in (
            (self.playing, self.limits.total, "on this server (live_streams)"),
            (self._callers[caller], self.limits.per_caller, "of one caller (live_streams_per_caller)"),
        ):
            if number >= most:
                raise LiveStreamsFull(f"at most {most} live streams {whose} play at once; try again later")
        self._callers[caller] += 1
        try:
            yield
        finally:
            self._callers[caller] -= 1
            # Counters of zero would stay for every caller ever seen.
            self._callers += Counter()
            async with self._left:
                self._left.notify_all()

    def is_loaded(self, model: str) -> bool:
        """Return whether the model would play without being loaded first."""
        return self._pool.is_loaded(model)

    def play(self, model: str, opening: LiveOpening) -> AbstractAsyncContextManager[LiveChannel]:
        """Return the context of a live stream; see LocalPool. Raises LiveStreamsFull."""
        if not self._pool.has_room_for_live(model):
            raise LiveStreamsFull(f"{model} plays as many streams as it can; try again later")
        return self._pool.live(model, opening)

    async def stopped(self) -> None:
        """Return once the server stops."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """End all live streams, and wait until their listeners know, for at most STOP_SECONDS."""
        self._stopping.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS), self._left:
                await self._left.wait_for(lambda: not self.playing)
