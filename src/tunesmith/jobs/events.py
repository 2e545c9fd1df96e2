"""The events of jobs in one server: who publishes a change, who follows a job, and the cache of jobs that were read.

::

    JobEvents ──► due ──► one reader, one query for all that is due ──► a Feed a job ──► its followers
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import Context
from functools import partial

from tunesmith.errors import DatabaseBusy, JobNotFound, ServerStopping
from tunesmith.jobs.job import Job, JobState
from tunesmith.ttl_cache import TtlCache

ChangeListener = Callable[[str, Job | None, bool], None]
"""A subscriber: receives the job's id, the job itself if it is known to have ended, and whether it only progressed."""


class JobEvents:
    """The event bus of a server. Used from one event loop.

    Changes by other servers on the same database are not published here.
    """

    def __init__(self) -> None:
        self._listeners: list[ChangeListener] = []

    def subscribe(self, hear: ChangeListener) -> None:
        """Call ``hear`` for every change from now on."""
        self._listeners.append(hear)

    def publish(self, job_id: str, ended: Job | None = None) -> None:
        """Publish a change of a job; ``ended``, the job in its final state, spares subscribers a read."""
        for hear in self._listeners:
            hear(job_id, ended, False)

    def publish_progress(self, job_id: str) -> None:
        """Publish progress of a job; subscribers that wait only for the end ignore it."""
        for hear in self._listeners:
            hear(job_id, None, True)


LOOK_AGAIN_SECONDS = 1.0
"""The poll interval in seconds for all followed jobs, because changes by other servers are not published here."""

RETRY_SECONDS = 1.0

ReadJobs = Callable[[Collection[str]], Mapping[str, Job]]


class Feed:
    """The feed of one job, shared by its followers; ``watchers`` counts those that want more than the job's end."""

    def __init__(self) -> None:
        self.followers = self.watchers = 0
        self.job: Job | None = None
        self._error: BaseException | None = None
        self._changed = asyncio.Event()

    async def after(self, seen: Job | None, seconds: float) -> Job | None:
        """Return the job once it differs from ``seen``, or None after ``seconds``.

        Raises JobNotFound, ServerStopping, and any error of reading the database.
        """
        if (self.job is None or self.job is seen) and self._error is None:
            try:
                async with asyncio.timeout(None if seconds == float("inf") else seconds):
                    await self._changed.wait()
            except TimeoutError:
                return None
        if self._error is not None:
            raise self._error
        return self.job

    def put(self, job: Job) -> None:
        """Wake the followers if the visible state changed; a job that has ended never changes."""
        if self.job is None or (not self.job.state.is_final and _visible_state(job) != _visible_state(self.job)):
            self.job = job
            self._wake()

    def fail(self, error: BaseException) -> None:
        """End the feed: every follower raises the error."""
        self._error = error
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        # A new event instead of clear(): every follower of the old one wakes, however late it runs.
        self._changed = asyncio.Event()


class JobSubscriptions:
    """The feeds of all followed jobs, with one reader. Used from one event loop."""

    def __init__(self, read: ReadJobs, events: JobEvents) -> None:
        self._read = read
        self._feeds: dict[str, Feed] = {}
        self._due: set[str] = set()
        self._notified = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._over = False
        events.subscribe(self._on_change)

    @contextlib.contextmanager
    def feed(self, job_id: str, known: Job | None = None, *, only_end: bool = False) -> Iterator[Feed]:
        """Yield the job's feed while the block runs; ``known`` is the job as the caller has just read it.

        With ``only_end``, changes before the job's end arrive late or not at all.
        """
        feed = self._feeds.get(job_id)
        if feed is None:
            feed = self._feeds[job_id] = Feed()
            feed.job = known
            if self._over:
                feed.fail(ServerStopping())
        feed.followers += 1
        feed.watchers += not only_end
        # Progress was not read without watchers, so the first one needs a current state.
        if feed.job is None or (feed.watchers == 1 and not only_end):
            self._on_change(job_id)
        self._start()
        try:
            yield feed
        finally:
            feed.followers -= 1
            feed.watchers -= not only_end
            # The reader may have replaced the feed after an error.
            if not feed.followers and self._feeds.get(job_id) is feed:
                del self._feeds[job_id]
            if not self._feeds:
                self._stop()

    def has_followers(self, job_id: str) -> bool:
        """Return whether anybody follows a job."""
        return job_id in self._feeds

    def end(self) -> None:
        """End all feeds, and those that start later, because the server shuts down."""
        self._over = True
        for feed in self._feeds.values():
            feed.fail(ServerStopping())

    def _on_change(self, job_id: str, ended: Job | None = None, goes_on: bool = False) -> None:
        feed = self._feeds.get(job_id)
        # Progress without watchers costs no read.
        if feed is None or (goes_on and not feed.watchers):
            return
        if ended is not None:
            feed.put(ended)
        else:
            self._due.add(job_id)
            self._notified.set()

    def _start(self) -> None:
        if self._reader is None:
            # An empty context, or the id of the first request would appear in every log line of the reader.
            self._reader = asyncio.create_task(self._read_on(), context=Context())
            self._reader.add_done_callback(self._ended)

    def _stop(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def _ended(self, reader: asyncio.Task[None]) -> None:
        """Pass the error that ended the reader to all followers; the next follower starts another reader."""
        error = None if reader.cancelled() else reader.exception()
        if error is not None and self._reader is reader:
            self._reader = None
            feeds, self._feeds = self._feeds, {}
            for feed in feeds.values():
                feed.fail(error)

    async def _read_on(self) -> None:
        looked_at = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, looked_at + LOOK_AGAIN_SECONDS - time.monotonic())):
                    await self._notified.wait()
            self._notified.clear()
            # Changes that arrive while the database is read belong to the next round.
            due, self._due = self._due, set()
            if time.monotonic() - looked_at >= LOOK_AGAIN_SECONDS:
                looked_at = time.monotonic()
                due |= {job_id for job_id, feed in self._feeds.items() if feed.job and not feed.job.state.is_final}
            if due and (found := await self._found(due)) is not None:
                self._put(due, found)

    async def _found(self, due: Collection[str]) -> Mapping[str, Job] | None:
        """Read the jobs with one query; None if the database is busy, which followers wait out."""
        try:
            return await asyncio.to_thread(self._read, due)
        except DatabaseBusy:
            await asyncio.sleep(RETRY_SECONDS)
            self._due |= set(due)
            self._notified.set()
            return None

    def _put(self, due: Collection[str], found: Mapping[str, Job]) -> None:
        for job_id in due:
            feed, job = self._feeds.get(job_id), found.get(job_id)
            if feed is not None and job is not None:
                feed.put(job)
            elif feed is not None:
                del self._feeds[job_id]
                feed.fail(JobNotFound(job_id))


def _visible_state(job: Job) -> tuple[JobState, float, str]:
    return job.state, job.progress, job.stage


FRESH_SECONDS, FRESH_SECONDS_AT_END = 0.25, 2.0
"""The time to live of a cached job in seconds, unless a change is published: changes by other servers on the same
database are not. A finished job changes only when its file is removed."""

MOST_KEPT = 1024


class JobCache:
    """A cache of jobs with a single flight per job. Used from one event loop; ``read`` is called in threads."""

    def __init__(self, read: Callable[[str], Job], changes: JobEvents) -> None:
        self._read = read
        self._jobs: TtlCache[str, Job] = TtlCache(
            lambda job: FRESH_SECONDS_AT_END if job.state.is_final else FRESH_SECONDS, most=MOST_KEPT
        )
        changes.subscribe(self._on_change)

    async def get(self, job_id: str) -> Job:
        """Return the job. Raises what ``read`` raises."""
        return await self._jobs.get(job_id, partial(self._read, job_id))

    def _on_change(self, job_id: str, ended: Job | None, goes_on: bool) -> None:  # noqa: ARG002
        self._jobs.forget(job_id)
        if ended is not None:
            self._jobs.put(job_id, ended)
