"""Local backend: generates a batch on this machine, in the same runner processes as the server's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.batch.batch_runner import ItemResult
from tunesmith.batch.items import BatchItem
from tunesmith.errors import DiskFull, InvalidItem, TaskFailed, TunesmithError
from tunesmith.jobs.runners.local_pool import LocalPool, PoolLimits
from tunesmith.jobs.runners.tasks import ProgressReport, Task

KEEP_ALIVE = 60.0


class LocalBackend:
    """A backend with ``processes`` composers and one process per model, which has ``batch_rows`` rows.

    Create it in the event loop that uses it.
    """

    def __init__(self, processes: int, batch_rows: int) -> None:
        self._pool = LocalPool(PoolLimits(KEEP_ALIVE, processes, batch_rows))

    def places(self, models: Sequence[str]) -> int:
        """Return how many items of these models should run concurrently."""
        return max(self._pool.capacity(model) for model in models)

    async def make(self, item: BatchItem, path: Path, report: Callable[[ProgressReport], None]) -> ItemResult:
        """Generate an item's audio; a retry runs alone, so that a crash takes no other item down."""
        alone = item.entry.tries > 0
        task = Task(item.entry.id, item.request.model, item.request, path, alone=alone)
        try:
            result = await self._pool.run(task, report)
        except TaskFailed as error:
            raise _error_for_user(error, item.request.model, path) from None
        return ItemResult(result.duration, result.metadata)

    async def close(self) -> None:
        """Stop the runner processes."""
        await self._pool.close(0)


def _error_for_user(error: TaskFailed, model: str, path: Path) -> TunesmithError:
    """Return a runner's error in the user's terms."""
    if error.kind == DiskFull.code:
        return DiskFull(f"output: cannot write {path}: the disk is full")
    if error.is_mistake:
        return InvalidItem(str(error))
    # The last line of a traceback names the error; the rest is of no use to a user.
    if error.trace:
        return TunesmithError(f"{model} has a bug: {error.trace.strip().splitlines()[-1]}")
    return error
