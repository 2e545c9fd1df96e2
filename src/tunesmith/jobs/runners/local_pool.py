"""LocalPool: the runners of this machine, started on demand and ended when idle.

A neural model has one process, whose tasks share a batch; the composer has a few, with one task each.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from tunesmith.config import Settings
from tunesmith.errors import ModelFileError, OutOfResources, TaskFailed, TunesmithError
from tunesmith.jobs.runners.live_channel import LiveChannel, LiveOpening
from tunesmith.jobs.runners.tasks import LoadedModel, ReportCallback, Task, TaskResult
from tunesmith.jobs.runners.worker_process import RunnerProcess
from tunesmith.models.catalog import find_installed
from tunesmith.models.factories import COMPOSER
from tunesmith.models.families.table import family_of
from tunesmith.models.resource_checks import available_memory, shortage, total_memory

COMPOSER_BYTES = 200_000_000


class MachineMemory:
    """The memory of this machine, or of its container, in bytes."""

    def needed(self, model: str, places: int) -> int:
        """Estimate what a model needs with ``places`` tasks at once; one on a GPU, or of a plugin, counts as 0."""
        if model == COMPOSER:
            return COMPOSER_BYTES
        try:
            installed = find_installed(model)
            if installed is None:
                return 0
            return family_of(installed.manifest).memory_needed(installed.folder, installed.manifest, places)
        except ModelFileError:
            # The runner reports what is wrong with the model.
            return 0

    def available(self) -> int:
        """Return what the operating system reports as available."""
        return available_memory()

    def total(self) -> int:
        """Return what the operating system reports as total."""
        return total_memory()


REAP_SECONDS = 1.0
MAX_COMPOSER_BYTES = 800_000_000
"""The memory in bytes above which an idle composer is replaced; after all genres it holds some 500 MB."""
# The default limit.
MOST_COMPOSERS = 4
# A guided task takes two rows, and most tasks are guided.
ROWS_A_TASK = 2
MIN_PRELOADED_SECONDS = 120.0
"""The minimum keep-alive in seconds of a model that was preloaded, however short ``keep_alive`` is."""

UNSTARTABLE_SECONDS = 30.0
"""How long the pool reports in seconds that it cannot start processes after one failed to start."""

log = logging.getLogger("tunesmith.runner")


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Limits of a pool: ``keep_alive`` is how many seconds an idle runner stays (0: not at all, negative: always).

    ``composers`` is the number of composer processes; a neural model runs batches of ``batch_rows`` rows.
    """

    keep_alive: float = 300.0
    composers: int = 2
    batch_rows: int = 16


def pool_limits(settings: Settings) -> PoolLimits:
    """Return the limits that the settings give."""
    composers = settings.composer_processes or min(MOST_COMPOSERS, os.cpu_count() or 1)
    return PoolLimits(settings.keep_alive, composers, settings.batch_rows)


class LocalPool:
    """A pool of processes that run tasks, and load models on demand. Used from one event loop."""

    def __init__(self, limits: PoolLimits, memory: MachineMemory | None = None) -> None:
        self._limits = limits
        self._memory = memory or MachineMemory()
        self._runners: list[RunnerProcess] = []
        # Tickets that wait for memory, first in, first out, and their models.
        self._hungry: dict[object, str] = {}
        # Tickets that wait for a runner of their own, and their models.
        self._lonely: dict[object, str] = {}
        self._changed = asyncio.Condition()
        # Slots of live streams, by model.
        self._live: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[TaskResult]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._loading: set[asyncio.Task[None]] = set()
        self._reaper: asyncio.Task[None] | None = None
        self._unstartable, self._unstartable_until = "", 0.0

    async def run(self, task: Task, report: ReportCallback) -> TaskResult:
        """Run a task. Raises TaskFailed and RunnerCrashed. Cancelling the caller cancels the task."""
        working = asyncio.current_task()
        assert working
        self._tasks.add(working)
        keep_alive = self._limits.keep_alive if task.keep_alive is None else task.keep_alive
        try:
            async with self._runner_for(task.model, keep_alive, alone=task.alone) as runner:
                result = await runner.run(task, report)
            if self._is_too_large(runner):
                self._replace(runner, keep_alive)
            return result
        finally:
            self._tasks.discard(working)

    @contextlib.asynccontextmanager
    async def live(self, model: str, opening: LiveOpening) -> AsyncIterator[LiveChannel]:
        """Yield a live stream of the model, in a slot of its own; it ends with the block.

        Raises TaskFailed and RunnerCrashed.
        """
        self._live[model] += 1
        try:
            async with self._runner_for(model, self._limits.keep_alive) as runner, runner.live(opening) as channel:
                yield channel
        finally:
            self._live[model] -= 1

    def has_room_for_live(self, model: str) -> bool:
        """Return whether a live stream would find a slot; the last one of several is left to jobs."""
        reserved = sum(one.reserved for one in self._of(model))
        most = max((self._slots(one) for one in self._of(model)), default=self._default_slots)
        return reserved < most and self._live[model] < max(1, most - 1)

    async def load(self, model: str) -> float | None:
        """Preload a model; return the seconds that it took, None if it was loaded before. Raises as ``run``."""
        usual = self._limits.keep_alive
        async with self._runner_for(model, usual if usual < 0 else max(usual, MIN_PRELOADED_SECONDS)) as runner:
            return await runner.load()

    async def unload(self, model: str) -> None:
        """End the idle runners of a model; one that works stays."""
        for runner in self._of(model):
            if not runner.reserved:
                await self._end(runner)

    def capacity(self, model: str) -> int:
        """Return how many tasks run at once; for a model that is not loaded, the most that it may have room for."""
        if model == COMPOSER:
            return self._limits.composers
        return max((self._slots(one) for one in self._of(model)), default=self._default_slots) - self._live[model]

    def is_loaded(self, model: str) -> bool:
        """Return whether a free runner has the model loaded, so that a task would start at once."""
        return any(one.is_alive and one.loading_for is None and self._has_room(one, False) for one in self._of(model))

    def loaded(self) -> tuple[LoadedModel, ...]:
        """Return the live runners."""
        now = time.monotonic()
        return tuple(self._shown(one, now) for one in self._runners if one.is_alive)

    def problem(self) -> str | None:
        """Return why no task can run, or None: a process, or the composer in it, recently failed to start."""
        return self._unstartable if time.monotonic() < self._unstartable_until else None

    async def close(self, drain_seconds: float) -> None:
        """Wait up to ``drain_seconds`` for running tasks, then end all runners."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_seconds)
        for load in self._loading:
            load.cancel()
        await asyncio.gather(*self._loading, return_exceptions=True)
        if self._reaper:
            self._reaper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reaper
        await asyncio.gather(*(self._end(runner) for runner in tuple(self._runners)), *self._ending)

    @contextlib.asynccontextmanager
    async def _runner_for(self, model: str, keep_alive: float, *, alone: bool = False) -> AsyncIterator[RunnerProcess]:
        """Yield a runner of the model with one slot reserved, or all if ``alone``.

        Afterwards the runner stays for ``keep_alive`` seconds.
        """
        runner, places = await self._reserve_slot(model, alone)
        try:
            yield runner
        finally:
            runner.reserved -= places
            runner.keep_alive, runner.used_at = keep_alive, time.monotonic()
            if model == COMPOSER and runner.failed_to_load:
                self._found_unstartable("the composer cannot be started")
            try:
                if not runner.is_alive or (keep_alive == 0 and not runner.reserved):
                    await self._end(runner)
            finally:
                async with self._changed:
                    self._changed.notify_all()

    def _is_too_large(self, runner: RunnerProcess) -> bool:
        is_idle = runner.model == COMPOSER and runner in self._runners and not runner.reserved
        return is_idle and runner.memory_bytes() > MAX_COMPOSER_BYTES

    def _replace(self, runner: RunnerProcess, keep_alive: float) -> None:
        """End an idle runner and start another unless one is left, so that no task waits for a start."""
        log.warning(
            "a runner uses too much memory and is replaced",
            extra={"model": runner.model, "process_id": runner.process_id, "memory_bytes": runner.memory_bytes()},
        )
        self._runners.remove(runner)
        _start(runner.stop(), self._ending)
        if not any(one.is_alive for one in self._of(runner.model)):
            _start(self._load_ahead(runner.model, keep_alive), self._loading)

    async def _load_ahead(self, model: str, keep_alive: float) -> None:
        # The next caller of the model gets the error.
        with contextlib.suppress(TunesmithError):
            async with self._runner_for(model, keep_alive) as runner:
                await runner.load()

    async def _reserve_slot(self, model: str, alone: bool) -> tuple[RunnerProcess, int]:
        """Return a runner of the model, started if allowed, and the number of its slots that are reserved."""
        # An empty context: the reaper outlives the request that happens to start it.
        self._reaper = self._reaper or asyncio.create_task(self._reap(), context=Context())
        ticket = object()
        if alone:
            self._lonely[ticket] = model
        async with self._changed:
            try:
                while True:
                    runner = self._find_free_runner(model, ticket) or await self._start_runner(model, ticket)
                    if runner:
                        places = self._slots(runner) if alone else 1
                        runner.reserved += places
                        return runner, places
                    await self._changed.wait()
            finally:
                waited = [line.pop(ticket, None) for line in (self._hungry, self._lonely)]
                # A ticket that leaves the line, also by cancellation, may let the next one in.
                if any(waited):
                    self._changed.notify_all()

    def _find_free_runner(self, model: str, ticket: object) -> RunnerProcess | None:
        """Return a runner with a free slot, unless another ticket waits for memory, or to be alone with the model.

        Without this, a busy model would never become idle, and would starve the models that wait for its memory.
        """
        if model != COMPOSER and ticket not in self._hungry and any(other != model for other in self._hungry.values()):
            return None
        if next((one for one, its in self._lonely.items() if its == model), ticket) is not ticket:
            return None
        alone = ticket in self._lonely
        return next((one for one in self._of(model) if one.is_alive and self._has_room(one, alone)), None)

    def _has_room(self, runner: RunnerProcess, alone: bool) -> bool:
        return not runner.reserved if alone else runner.reserved < self._slots(runner)

    async def _start_runner(self, model: str, ticket: object) -> RunnerProcess | None:
        """Start another runner if the limits allow it and the memory suffices."""
        alive = [one for one in self._of(model) if one.is_alive]
        if len(alive) >= (self._limits.composers if model == COMPOSER else 1):
            self._hungry.pop(ticket, None)
            return None
        if not await self._make_room(model, ticket):
            return None
        runner = RunnerProcess(model, self._limits.batch_rows)
        self._runners.append(runner)
        # A runner that is starting is not alive yet, and must not be taken for a dead one.
        runner.reserved += 1
        try:
            await runner.start()
        except OSError as error:
            self._runners.remove(runner)
            self._found_unstartable(f"no process can be started: {error.strerror}")
            raise TaskFailed(OutOfResources.code, "no process could be started for it", is_mistake=False) from error
        finally:
            runner.reserved -= 1
        return runner

    def _found_unstartable(self, problem: str) -> None:
        """Report that processes cannot be started, for a limited time only, so that a later task tries again."""
        log.error(problem)
        self._unstartable, self._unstartable_until = problem, time.monotonic() + UNSTARTABLE_SECONDS

    async def _make_room(self, model: str, ticket: object) -> bool:
        """Evict idle runners, least recently used first, until the memory suffices for the model.

        Returns False if running tasks must end first. Raises TaskFailed if the model cannot fit at all.
        """
        needed = await asyncio.to_thread(self._memory.needed, model, 1)
        if needed > self._memory.total():
            raise _out_of_memory_error(model, needed, self._memory.total())
        while needed > (free := await asyncio.to_thread(self._unreserved_memory, tuple(self._runners))):
            if not self._runners:
                raise _out_of_memory_error(model, needed, free)
            idle = min((one for one in self._runners if not one.reserved), key=lambda one: one.used_at, default=None)
            self._hungry.setdefault(ticket, model)
            # Only the first ticket in line evicts, so that waiting models do not evict each other.
            if idle is None or next(iter(self._hungry)) is not ticket:
                return False
            await self._end(idle)
        return True

    def _unreserved_memory(self, runners: tuple[RunnerProcess, ...]) -> int:
        """Return the available memory in bytes, less what live runners may still allocate."""
        alive = [one for one in runners if one.is_alive]
        promised = (self._memory.needed(one.model, one.places or 1) - one.memory_bytes() for one in alive)
        return self._memory.available() - sum(max(0, missing) for missing in promised)

    async def _end(self, runner: RunnerProcess) -> None:
        """End a runner; a cancelled caller does not interrupt it."""
        if runner in self._runners:
            self._runners.remove(runner)
        await asyncio.shield(_start(runner.stop(), self._ending))

    async def _reap(self) -> None:
        """End idle runners once a second."""
        while True:
            await asyncio.sleep(REAP_SECONDS)
            try:
                await self._end_idle()
            except Exception:
                # The border of the job runner: idle runners must keep being ended.
                log.exception("idle runners could not be ended")

    async def _end_idle(self) -> None:
        now = time.monotonic()
        for runner in list(self._runners):
            expires_in = self._expires_in(runner, now)
            if not runner.reserved and (not runner.is_alive or (expires_in is not None and expires_in <= 0)):
                await self._end(runner)

    def _shown(self, one: RunnerProcess, now: float) -> LoadedModel:
        expires_in = self._expires_in(one, now)
        return LoadedModel(one.model, one.process_id, one.memory_bytes(), one.busy, expires_in, one.loading_for)

    def _expires_in(self, runner: RunnerProcess, now: float) -> float | None:
        if runner.reserved or runner.keep_alive is None or runner.keep_alive < 0:
            return None
        return max(0.0, runner.used_at + runner.keep_alive - now)

    def _of(self, model: str) -> list[RunnerProcess]:
        return [runner for runner in self._runners if runner.model == model]

    def _slots(self, runner: RunnerProcess) -> int:
        if runner.model == COMPOSER:
            return 1
        return self._default_slots if runner.places is None else runner.places

    @property
    def _default_slots(self) -> int:
        return max(1, self._limits.batch_rows // ROWS_A_TASK)


def _start(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """Start a background task that is in ``tasks`` until it ends."""
    task = asyncio.create_task(work, context=Context())
    # asyncio keeps only a weak reference to a task.
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _out_of_memory_error(model: str, needed: int, there_is: int) -> TaskFailed:
    return TaskFailed(OutOfResources.code, shortage(model, needed, there_is), is_mistake=False)
