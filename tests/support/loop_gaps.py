"""Measures how long an event loop is held up: the longest time between two turns of a task that does nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TURN_SECONDS = 0.001


class LoopGaps:
    """The longest gap so far, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        """Take turns until cancelled."""
        before = time.perf_counter()
        while True:
            await asyncio.sleep(TURN_SECONDS)
            now = time.perf_counter()
            self.longest = max(self.longest, now - before - TURN_SECONDS)
            before = now


@asynccontextmanager
async def watched_loop() -> AsyncIterator[LoopGaps]:
    """Give the gaps of the running loop while the block lasts."""
    gaps = LoopGaps()
    # The garbage of the tests before is not the server's, and what they keep is not looked through again and again.
    gc.collect()
    gc.freeze()
    watching = asyncio.create_task(gaps.watch())
    await asyncio.sleep(0)
    try:
        yield gaps
    finally:
        await asyncio.sleep(2 * TURN_SECONDS)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
