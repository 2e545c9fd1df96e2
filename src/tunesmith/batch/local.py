"""Making a batch on this machine, in the same runner processes that the server has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.batch.orders import Order
from tunesmith.jobs.runners.local import LocalPool, PoolLimits
from tunesmith.jobs.runners.pool import Made, Report, Task
from tunesmith.request import GenerationRequest

KEEP_ALIVE = 60.0


class LocalMaker:
    """Makes music in ``processes`` composers and one process a model, whose batch has ``batch_rows`` rows.

    To be made in the event loop that uses it.
    """

    def __init__(self, processes: int, batch_rows: int) -> None:
        self._pool = LocalPool(PoolLimits(KEEP_ALIVE, processes, batch_rows))

    def places(self, models: Sequence[str]) -> int:
        """Return how many orders of these models should be made at once."""
        return max(self._pool.capacity(model) for model in models)

    async def make(self, order: Order, path: Path, report: Callable[[Report], None]) -> Made:
        """Make an order's music; what failed before is made alone, so that it takes no other down."""
        alone = order.entry.tries > 0
        task = Task(order.entry.id, order.request.model, order.request, path, alone=alone)
        return await self._pool.run(task, report)

    async def close(self) -> None:
        """End the processes."""
        await self._pool.close(0)


class LocalChecks:
    """Asks what this machine's models would say to a request, without making it."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def __call__(self, request: GenerationRequest) -> None:
        """Raise what making the request would raise, as far as that is known before; TunesmithError."""
        if request.model == "composer":
            from tunesmith.composer.composition import check_request

            check_request(request)
        elif self._is_installed(request.model):
            from tunesmith.musicgen.wishes import check_wishes

            check_wishes(request)

    def _is_installed(self, model: str) -> bool:
        """Whether the model is one of the store; raises TunesmithError where there is no such model at all."""
        if model not in self._known:
            from tunesmith.generator import Registry
            from tunesmith.models.installed import find_installed

            registry = Registry.discover()
            is_of_a_package = model in registry.names()
            self._known[model] = not is_of_a_package and find_installed(model) is not None
            if not self._known[model] and not is_of_a_package:
                registry.create(model)
        return self._known[model]
