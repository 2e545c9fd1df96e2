"""LocalPool: the runners of this machine, started when they are needed and ended when they are not.

A neural model has one process, in which its tasks share a batch; the composer has a few, each with one task at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.jobs.runners.pool import Loaded, Made, ReportTo, Task
from tunesmith.jobs.runners.process import RunnerProcess

COMPOSER = "composer"
REAP_SECONDS = 1.0
FOREVER = -1.0

MemoryCheck = Callable[[str], bool]
"""Whether the machine has the memory that loading this model takes."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """``keep_alive`` is how many seconds an idle runner stays (0: not at all, FOREVER: always).

    ``composers`` processes compose side by side; ``parallel`` tasks of one neural model run at once.
    """

    keep_alive: float = 300.0
    composers: int = 2
    parallel: int = 8


class LocalPool:
    """A RunnerPool of local processes. Used from one event loop."""

    def __init__(self, limits: PoolLimits, has_memory: MemoryCheck = lambda _: True) -> None:
        self._limits = limits
        self._has_memory = has_memory
        self._runners: list[RunnerProcess] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[Made]] = set()
        self._reaper = asyncio.create_task(self._reap())

    async def run(self, task: Task, report: ReportTo) -> Made:
        """Make a task; see RunnerPool."""
        working = asyncio.current_task()
        assert working
        self._tasks.add(working)
        runner = await self._place(task.model)
        try:
            return await runner.run(task, report)
        finally:
            self._tasks.discard(working)
            await self._left(runner)

    def loaded(self) -> tuple[Loaded, ...]:
        """Return the runners that are there."""
        now = time.monotonic()
        alive = (runner for runner in self._runners if runner.is_alive)
        return tuple(
            Loaded(one.model, one.process_id, one.memory_bytes(), one.busy, self._expires_in(one, now)) for one in alive
        )

    async def close(self, drain_seconds: float) -> None:
        """Let running tasks finish for so long, then end all runners."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_seconds)
        self._reaper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reaper
        await asyncio.gather(*(runner.stop() for runner in self._runners))
        self._runners.clear()

    async def _place(self, model: str) -> RunnerProcess:
        """Return a runner of the model that has a place free, starting one where that is allowed."""
        async with self._changed:
            while True:
                runner = self._free(model)
                if runner is None and self._may_start(model):
                    await self._make_room(model)
                    runner = RunnerProcess(model)
                    self._runners.append(runner)
                    await runner.start()
                if runner is not None:
                    runner.reserved += 1
                    return runner
                await self._changed.wait()

    def _free(self, model: str) -> RunnerProcess | None:
        places = 1 if model == COMPOSER else self._limits.parallel
        return next((one for one in self._of(model) if one.is_alive and one.reserved < places), None)

    def _may_start(self, model: str) -> bool:
        return len([one for one in self._of(model) if one.is_alive]) < (
            self._limits.composers if model == COMPOSER else 1
        )

    async def _make_room(self, model: str) -> None:
        """End idle runners, the least recently used first, while there is not the memory for another model."""
        idle = sorted((one for one in self._runners if not one.reserved), key=lambda one: one.used_at)
        for runner in idle:
            if self._has_memory(model):
                return
            await self._end(runner)

    async def _left(self, runner: RunnerProcess) -> None:
        runner.reserved -= 1
        if not runner.is_alive or (self._limits.keep_alive == 0 and not runner.reserved):
            await self._end(runner)
        async with self._changed:
            self._changed.notify_all()

    async def _end(self, runner: RunnerProcess) -> None:
        if runner in self._runners:
            self._runners.remove(runner)
        await runner.stop()

    async def _reap(self) -> None:
        """End the runners that nobody has used for long."""
        while True:
            await asyncio.sleep(REAP_SECONDS)
            now = time.monotonic()
            for runner in list(self._runners):
                expires_in = self._expires_in(runner, now)
                if not runner.reserved and (not runner.is_alive or (expires_in is not None and expires_in <= 0)):
                    await self._end(runner)

    def _expires_in(self, runner: RunnerProcess, now: float) -> float | None:
        if self._limits.keep_alive == FOREVER or runner.reserved:
            return None
        return max(0.0, runner.used_at + self._limits.keep_alive - now)

    def _of(self, model: str) -> list[RunnerProcess]:
        return [runner for runner in self._runners if runner.model == model]
