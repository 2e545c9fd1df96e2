"""ModelPreloader: which models are loaded, and how long the others take, for callers that do not want to wait."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from tunesmith.errors import ModelFileError, TunesmithError
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.runners.local_pool import LocalPool
from tunesmith.jobs.runners.tasks import LoadedModel
from tunesmith.models.catalog import find_installed
from tunesmith.models.resolution import ResolvedModel, resolve
from tunesmith.server.errors import ModelIsLoading

LEAST_SECONDS = 1.0
"""The shortest wait ever suggested."""
GUESSED_START_SECONDS, GUESSED_BYTES_A_SECOND = 3.0, 150e6
"""The estimate for a model never measured: process start, plus verifying and opening its files."""

log = logging.getLogger("tunesmith.server")


class ModelPreloader:
    """A preloader that loads models in the background and measures the time. Use it from one event loop."""

    def __init__(self, pool: LocalPool, queue: JobQueue, *, allow_fallback: bool) -> None:
        self._pool = pool
        self._queue = queue
        self._allow_fallback = allow_fallback
        self._loads: dict[str, asyncio.Task[None]] = {}

    def loaded(self) -> tuple[LoadedModel, ...]:
        """Return the runners, those that still load their model included."""
        return self._pool.loaded()

    async def resolved_model(self, model: str) -> ResolvedModel:
        """Return the model that generates for ``model``. Raises the errors of ``resolve``."""
        return await asyncio.to_thread(resolve, model, allow_fallback=self._allow_fallback)

    async def is_ready(self, model: str) -> bool:
        """Return whether the model is loaded. Raises the errors of ``resolve``."""
        return self.is_loaded((await self.resolved_model(model)).generated_by)

    def is_loaded(self, model: str) -> bool:
        """Return whether a runner has loaded the model, the name of one that generates."""
        return any(one.model == model and one.loading_for is None for one in self._pool.loaded())

    async def wait(self, model: str, seconds: float) -> ResolvedModel:
        """Start to load the model, wait for at most ``seconds`` and return it. Raises ModelIsLoading after that.

        A load error is not raised here, as waiting cannot help: the job reports it.
        """
        resolved = await self.resolved_model(model)
        generated_by = resolved.generated_by
        if self.is_loaded(generated_by):
            return resolved
        began = time.monotonic()
        # Single flight: many callers wait for the same load.
        if generated_by not in self._loads:
            self._loads[generated_by] = asyncio.create_task(self._load(generated_by))
        done, _ = await asyncio.wait({self._loads[generated_by]}, timeout=seconds)
        if not done:
            estimate = await asyncio.to_thread(self._estimate, generated_by)
            raise ModelIsLoading(model, max(LEAST_SECONDS, estimate - self._elapsed(generated_by, began)))
        return resolved

    async def unload(self, model: str) -> None:
        """Unload a model from memory, unless it is loaded no longer or at work."""
        await self._pool.unload(model)

    async def close(self) -> None:
        """Cancel all loads."""
        for load in self._loads.values():
            load.cancel()
        await asyncio.gather(*self._loads.values(), return_exceptions=True)

    async def _load(self, model: str) -> None:
        try:
            seconds = await self._pool.load(model)
            if seconds is not None:
                await asyncio.to_thread(self._queue.loaded, model, seconds)
        except TunesmithError as error:
            log.warning("cannot preload %s: %s", model, error)
        finally:
            del self._loads[model]

    def _elapsed(self, model: str, began: float) -> float:
        loading = (one.loading_for or 0.0 for one in self._pool.loaded() if one.model == model)
        return max(loading, default=time.monotonic() - began)

    def _estimate(self, model: str) -> float:
        measured = self._queue.load_seconds(model)
        if measured is not None:
            return measured
        size = 0
        # The runner reports what is wrong with the file.
        with contextlib.suppress(ModelFileError):
            installed = find_installed(model)
            size = installed.manifest.bytes if installed else 0
        return GUESSED_START_SECONDS + size / GUESSED_BYTES_A_SECOND
