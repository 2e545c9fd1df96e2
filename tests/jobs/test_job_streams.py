"""Streams of jobs: every listener gets the same bytes, however slow, and none outlives its job unnoticed."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from tunesmith.jobs.job_streams import MOST_ENDED, JobStreams, StreamBroken
from tunesmith.jobs.runners.tasks import StreamReport, stream_path

CONTENT = bytes(range(256)) * 1_000


class Growing:
    """The stream of a job, written by a runner."""

    def __init__(self, folder: Path, job_id: str = "job", size: int | None = None) -> None:
        self.streams, self.job_id, self.path = JobStreams(), job_id, folder / f"{job_id}.wav"
        self.path.touch()
        self.streams.take(job_id, self.path, StreamReport(0, {"seed": 7}, size))
        self.written = 0

    def grow(self, count: int) -> None:
        with self.path.open("ab") as file:
            file.write(CONTENT[self.written : self.written + count])
        self.written += count
        self.streams.take(self.job_id, self.path, StreamReport(self.written))

    async def heard(self, start: int = 0, stop: int | None = None, pause: float = 0.0) -> bytes:
        heard = b""
        with self.streams.listening(self.job_id) as stream:
            async for chunk in stream.chunks(start, stop):
                heard += chunk
                await asyncio.sleep(pause)
        return heard


def test_listeners_get_the_same_bytes_whenever_they_come_and_however_slow_they_are(tmp_path: Path) -> None:
    async def scene() -> None:
        growing = Growing(tmp_path)
        growing.grow(10_000)
        early = [asyncio.create_task(growing.heard(pause=pause)) for pause in (0, 0.005)]
        part = asyncio.create_task(growing.heard(5_000, 150_000))
        for count in (1, 99_999, 90_000):
            await asyncio.sleep(0.002)
            growing.grow(count)
        late = asyncio.create_task(growing.heard())
        await asyncio.sleep(0.002)
        growing.streams.end("job", is_whole=True)
        assert {await one for one in (*early, late)} == {CONTENT[:200_000]}
        assert await part == CONTENT[5_000:150_000]
        assert growing.streams.find("job") is not None

    asyncio.run(scene())


def test_a_failed_job_breaks_its_stream_and_leaves_no_file(tmp_path: Path) -> None:
    async def scene() -> None:
        growing = Growing(tmp_path)
        growing.grow(100)
        listener = asyncio.create_task(growing.heard())
        await asyncio.sleep(0.002)
        growing.streams.end("job", is_whole=False)
        with pytest.raises(StreamBroken):
            await listener
        assert growing.streams.find("job") is None
        assert not growing.path.exists()

    asyncio.run(scene())


def test_whoever_reads_counts_as_a_listener_and_a_file_that_is_gone_is_a_broken_stream(tmp_path: Path) -> None:
    async def scene() -> None:
        growing = Growing(tmp_path)
        growing.grow(100)
        stream = growing.streams.find("job")
        assert stream is not None
        async with contextlib.aclosing(stream.chunks()) as chunks:
            assert await anext(chunks) == CONTENT[:100]
            assert stream.listeners == 1
        assert stream.listeners == 0
        late = stream.chunks()
        growing.streams.close()
        with pytest.raises(StreamBroken):
            await anext(late)
        assert stream.listeners == 0

    asyncio.run(scene())


def test_another_run_of_the_job_is_another_stream(tmp_path: Path) -> None:
    async def scene() -> None:
        growing = Growing(tmp_path)
        growing.grow(100)
        again = tmp_path / "again.wav"
        again.write_bytes(b"other")
        growing.streams.take("job", again, StreamReport(5))
        found = growing.streams.find("job")
        assert found is not None
        assert found.written == 5

    asyncio.run(scene())


def test_only_the_last_streams_are_kept(tmp_path: Path) -> None:
    streams = JobStreams()
    for number in range(MOST_ENDED + 3):
        path = tmp_path / f"{number}.wav"
        path.touch()
        streams.take(str(number), path, StreamReport(0))
        streams.end(str(number), is_whole=True)
    assert len(list(tmp_path.iterdir())) == MOST_ENDED
    streams.close()
    assert not list(tmp_path.iterdir())


def test_a_job_without_a_stream_leaves_nothing(tmp_path: Path) -> None:
    streams = JobStreams()
    with streams.listening("job"):
        streams.want("job")
        assert streams.is_wanted("job")
    assert not streams.is_wanted("job")
    assert streams.find("job") is None
    assert stream_path(tmp_path / "a.mp3") == tmp_path / "a.stream.mp3"
