"""JobStreams: the sound of jobs while it is made, in files that their runners write and any number of listeners read.

A stream belongs to this server only: a job that another server runs has none here. The files outlive their jobs for a
while, so that a listener who is slow, or comes back for a range, gets the same bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tunesmith.jobs.runners.tasks import StreamReport

CHUNK_BYTES = 64 * 1024
MOST_ENDED = 8
"""How many streams of ended jobs are kept."""


class StreamBroken(Exception):
    """A stream ended before its piece did, because the job failed or was cancelled: no caller gets it as an error."""


@dataclass(slots=True)
class JobStream:
    """The stream of one job. ``written`` bytes are in ``path``; ``size`` is the length at the end, if known."""

    path: Path | None = None
    written: int = 0
    size: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    listeners: int = 0
    is_wanted: bool = False
    has_ended: bool = False
    is_broken: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def opened(self) -> None:
        """Return once there is sound, or the job has ended."""
        while self.written == 0 and not self.has_ended:
            await self._changed.wait()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Count a listener more while the block runs."""
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    async def chunks(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        """Yield the bytes from ``start`` up to ``stop`` (None: the end) as they come, to one listener more.

        Raises StreamBroken.
        """
        with self.heard(), self._opened() as file:
            file.seek(start)
            while stop is None or start < stop:
                if chunk := file.read(max(0, min(CHUNK_BYTES, (stop or self.written) - start, self.written - start))):
                    start += len(chunk)
                    yield chunk
                elif self.is_broken:
                    raise StreamBroken("the job ended before its music was complete")
                elif self.has_ended:
                    return
                else:
                    await self._changed.wait()

    def _opened(self) -> BinaryIO:
        assert self.path is not None
        try:
            return self.path.open("rb")
        except FileNotFoundError:
            # It was removed between the look for the stream and its first byte.
            raise StreamBroken("the stream is no longer kept") from None

    def change(self) -> None:
        """Wake all listeners."""
        self._changed.set()
        # A new event instead of clear(): every listener of the old one wakes, however late it runs.
        self._changed = asyncio.Event()


class JobStreams:
    """The streams of this server's jobs. Used from one event loop."""

    def __init__(self) -> None:
        self._streams: dict[str, JobStream] = {}

    @contextlib.contextmanager
    def listening(self, job_id: str) -> Iterator[JobStream]:
        """Yield the stream of a job, which may not have begun; while the block runs, there is a listener more."""
        stream = self._streams.setdefault(job_id, JobStream())
        try:
            with stream.heard():
                yield stream
        finally:
            # A job that does not stream, or runs elsewhere, leaves nothing here.
            if not stream.listeners and stream.path is None and self._streams.get(job_id) is stream:
                del self._streams[job_id]

    def want(self, job_id: str) -> None:
        """Have a job streamed that is not running yet, while somebody listens."""
        if stream := self._streams.get(job_id):
            stream.is_wanted = True

    def is_wanted(self, job_id: str) -> bool:
        """Return whether somebody waits for the stream of a job."""
        return job_id in self._streams and self._streams[job_id].is_wanted

    def find(self, job_id: str) -> JobStream | None:
        """Return the stream of a job if it has begun, and its file is still there."""
        stream = self._streams.get(job_id)
        begun = stream is not None and stream.path is not None and not stream.is_broken and stream.path.exists()
        return stream if begun else None

    def take(self, job_id: str, path: Path, report: StreamReport) -> None:
        """Take a runner's report about the stream that it writes to ``path``."""
        stream = self._streams.get(job_id)
        # A second run of a job writes another file, which those who listened to the first cannot go on with.
        if stream is None or (stream.path is not None and stream.path != path):
            stream = self._streams[job_id] = JobStream()
        # Never less than before: listeners may have read that far.
        stream.path, stream.written = path, max(stream.written, report.bytes)
        if report.metadata is not None:
            stream.metadata, stream.size = report.metadata, report.size
        stream.change()

    def end(self, job_id: str, *, is_whole: bool) -> None:
        """End the stream of a job, which is broken unless the job succeeded; an unknown one is ignored."""
        stream = self._streams.get(job_id)
        if stream is None:
            return
        stream.has_ended, stream.is_broken = True, not is_whole
        stream.change()
        if not is_whole:
            self._remove(job_id)
        ended = [name for name, one in self._streams.items() if one.has_ended and not one.listeners]
        for name in ended[: max(0, len(ended) - MOST_ENDED)]:
            self._remove(name)

    def close(self) -> None:
        """Break all streams and remove their files, because the server shuts down."""
        for job_id, stream in list(self._streams.items()):
            stream.is_broken = stream.is_broken or not stream.has_ended
            stream.has_ended = True
            stream.change()
            self._remove(job_id)

    def _remove(self, job_id: str) -> None:
        stream = self._streams.pop(job_id)
        if stream.path is not None:
            # A listener that has it open reads on, except on Windows, where the hourly tidying removes it.
            with contextlib.suppress(OSError):
                stream.path.unlink(missing_ok=True)
