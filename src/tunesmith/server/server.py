"""Server: creates and connects the parts that live as long as the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import tunesmith
from tunesmith.config import Settings
from tunesmith.jobs.dispatcher import Dispatcher
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.live_service import LiveLimits, LiveService
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import BYTES_A_GIGABYTE, ResultFiles, Retention
from tunesmith.jobs.retention import JobLimits, prune_jobs, tidy_results
from tunesmith.jobs.runners.local_pool import LocalPool, pool_limits
from tunesmith.jobs.service import MusicService, ServiceFiles
from tunesmith.jobs.store import JobStore, Quotas
from tunesmith.jobs.uploads import UploadStore
from tunesmith.jobs.worker_registry import WorkerRegistry
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import RateLimit, Tokens
from tunesmith.library.tracks import Tracks
from tunesmith.logs import LimitLog
from tunesmith.models.commercial_safety import CommercialPolicy
from tunesmith.plain_text import path_text
from tunesmith.server.apis.replicate.files import FileStore
from tunesmith.server.auth import Authenticator, AuthSettings, RateLimits
from tunesmith.server.cleanup import MOST_A_ROUND, Chore, Housekeeping
from tunesmith.server.context import ApiContext
from tunesmith.server.middleware.request_limits import is_loopback
from tunesmith.server.model_preload import ModelPreloader
from tunesmith.server.observability.health import Health, HealthProbes
from tunesmith.server.observability.metrics import GaugeSources, Metrics, MetricsCollector
from tunesmith.server.sound_edits import SoundEdits
from tunesmith.server.startup import check_writable, config_warnings, prepare_folders
from tunesmith.server.upload_limits import UploadBudget, Uploads, sizes

log = logging.getLogger("tunesmith.server")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Options of the server: ``anonymous`` accepts callers without a token even if tokens exist.

    ``allow_fallback`` lets the composer replace models that are not installed. ``host`` is the listening address, None
    if another app mounts this one and controls the access.
    """

    anonymous: bool = False
    allow_fallback: bool = True
    host: str | None = None

    def access(self, settings: Settings) -> AuthSettings:
        """Return the rules on who may call."""
        # Until the first token exists everyone is an admin, which must not reach the network.
        open_at_first = self.host is None or is_loopback(self.host)
        return AuthSettings(
            self.anonymous, open_at_first, RateLimit.parse("setting anonymous_rate", settings.anonymous_rate)
        )


class Server:
    """The parts that live as long as the server."""

    def __init__(self, settings: Settings, options: ServerOptions) -> None:
        self._database = open_database(settings)
        self._database.checkpoint_in_background()
        check_writable(settings.data_dir, self._database)
        self._results = ResultFiles(settings.data_dir / "results")
        self._job_events = JobEvents()
        # ``_uploads`` is created further down, so the lambda looks it up when it is called.
        self._inputs = UploadStore(settings.data_dir / "inputs", reserve=lambda size: self._uploads.reserve(size))
        files = ServiceFiles(self._results, self._inputs)
        quotas = Quotas(RateLimit.parse("setting anonymous_quota", settings.anonymous_quota))
        self._store = JobStore(self._database, settings.queue_limit, quotas=quotas)
        queue = JobQueue(self._database)
        self._drain_seconds = settings.drain_seconds
        self._pool = LocalPool(pool_limits(settings))
        workers = WorkerRegistry(self._database)
        self._dispatcher = Dispatcher(queue, workers, self._results, self._pool, self._job_events)
        self.drain = self._dispatcher.drain
        self.service = MusicService(
            self._store, files, self._job_events, self._dispatcher, allow_fallback=options.allow_fallback,
            policy=CommercialPolicy.of(settings), streams=self._dispatcher.streams,
        )  # fmt: skip
        self._loading = ModelPreloader(self._pool, queue, allow_fallback=options.allow_fallback)
        self._prepare_folders = partial(prepare_folders, settings.data_dir)
        self.health = Health(self._vitals())
        self.metrics = Metrics()
        self.limit_log = LimitLog(self.metrics.limited)
        self._dispatcher.listen(self.metrics.ended)
        self.live = LiveService(self._pool, LiveLimits.of(settings), self.metrics.live_ended)
        sources = GaugeSources(
            self._store.depths, self._pool.loaded, self.health, self._results.folder, lambda: self.live.playing
        )
        self.metrics_collector = MetricsCollector(self.metrics, sources)
        self._housekeeping = Housekeeping(self._chores(settings), self.metrics)
        self._limits = RateLimits(settings.rate_limit_url)
        self._uploads = self._upload_limits(settings)
        authenticate = Authenticator(Tokens(self._database), options.access(settings), self._limits)
        tracks = Tracks(self._database)
        self.context = ApiContext(
            self.service, settings, authenticate, authenticate.socket_caller, self._loading, tracks, self._uploads,
            self._results, SoundEdits(), self.live,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def running(self, _: Any = None) -> AsyncIterator[None]:
        """Work on jobs while the body runs."""
        about = {
            "version": tunesmith.__version__,
            "database": path_text(self._database.where),
            "results": path_text(self._results.folder),
        }
        log.info("tunesmith starts", extra=about)
        for warning in config_warnings(os.environ):
            log.warning(warning)
        working = asyncio.create_task(self._dispatcher.run())
        tidying = asyncio.create_task(self._housekeeping.run())
        try:
            yield
        finally:
            # Cleanup ends first and the database last: each part may use the ones closed after it.
            await self.live.stop()
            self._housekeeping.close()
            await self._dispatcher.close(self._drain_seconds)
            self._dispatcher.streams.close()
            await working
            await tidying
            await self._loading.close()
            await self._pool.close(0)
            await self._limits.close()
            self._database.close()

    def _upload_limits(self, settings: Settings) -> Uploads:
        recordings, files = settings.data_dir / "inputs", settings.data_dir / "files"
        max_bytes = settings.result_gigabytes * BYTES_A_GIGABYTE

        def make_room(size: int) -> None:
            # Replicate's files have an expiry of their own, so only recordings make room.
            left = max(0.0, max_bytes - sum(sizes([files])) - size)
            retention = Retention(settings.result_days, left / BYTES_A_GIGABYTE)
            self._inputs.prune(retention, self._store.recordings_in_use(), MOST_A_ROUND)

        budget = UploadBudget([recordings, files], max_bytes, make_room)
        bytes_a_day = settings.upload_gigabytes_per_day * BYTES_A_GIGABYTE
        return Uploads(self._store.check_quota, self._limits, budget, self.limit_log, bytes_a_day)

    def _chores(self, settings: Settings) -> dict[str, Chore]:
        store, inputs, retention = self._store, self._inputs, Retention(settings.result_days, settings.result_gigabytes)
        kept_jobs = JobLimits(settings.job_days, settings.job_count)
        uploads = FileStore(settings.data_dir / "files")
        return {
            "results": lambda most: len(tidy_results(store, self._results, retention, most=most)),
            "recordings": lambda most: inputs.prune(retention, store.recordings_in_use(), most),
            "uploads": uploads.prune,
            "jobs": lambda most: prune_jobs(self._database, kept_jobs, most=most),
        }

    def _vitals(self) -> HealthProbes:
        dispatcher, pool = self._dispatcher, self._pool
        return HealthProbes(
            lambda: dispatcher.is_draining, lambda: dispatcher.problem or pool.problem(), self._store.ping,
            self._results.folder, self._prepare_folders,
        )  # fmt: skip

    def dismiss(self) -> None:
        """Release all waiting callers, and return unfinished jobs to the queue."""
        self.service.dismiss()
        self._dispatcher.streams.close()
        self._dispatcher.abort_running()
