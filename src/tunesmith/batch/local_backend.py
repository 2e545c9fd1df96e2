"""Making a batch on this machine, in the same runner processes that the server has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.batch.batch_runner import ItemResult
from tunesmith.batch.items import BatchItem
from tunesmith.errors import DiskFull, InvalidItem, TaskFailed, TunesmithError
from tunesmith.jobs.runners.local_pool import LocalPool, PoolLimits
from tunesmith.jobs.runners.pool import ProgressReport, Task

KEEP_ALIVE = 60.0


class LocalBackend:
    """Makes music in ``processes`` composers and one process a model, whose batch has ``batch_rows`` rows.

    To be made in the event loop that uses it.
    """

    def __init__(self, processes: int, batch_rows: int) -> None:
        self._pool = LocalPool(PoolLimits(KEEP_ALIVE, processes, batch_rows))

    def places(self, models: Sequence[str]) -> int:
        """Return how many orders of these models should be made at once."""
        return max(self._pool.capacity(model) for model in models)

    async def make(self, order: BatchItem, path: Path, report: Callable[[ProgressReport], None]) -> ItemResult:
        """Make an order's music; what failed before is made alone, so that it takes no other down."""
        alone = order.entry.tries > 0
        task = Task(order.entry.id, order.request.model, order.request, path, alone=alone)
        try:
            made = await self._pool.run(task, report)
        except TaskFailed as error:
            raise _error_for_user(error, order.request.model, path) from None
        return ItemResult(made.duration, made.metadata)

    async def close(self) -> None:
        """End the processes."""
        await self._pool.close(0)


def _error_for_user(error: TaskFailed, model: str, path: Path) -> TunesmithError:
    """Return a runner's error as it is told to the one who runs the batch."""
    if error.kind == DiskFull.code:
        return DiskFull(f"output: cannot write {path}: the disk is full")
    if error.is_mistake:
        return InvalidItem(str(error))
    if error.trace:
        return TunesmithError(f"{model} has a bug: {error.trace.strip().splitlines()[-1]}")
    return error
