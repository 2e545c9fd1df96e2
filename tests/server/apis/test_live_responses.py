"""Responses of growing streams: ranges of what exists, known and unknown lengths, and ends in bounded time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest
from fake_service import FakeService
from fastapi import Request
from fastapi.responses import StreamingResponse

from tunesmith.jobs.job import Submission
from tunesmith.jobs.job_streams import JobStream
from tunesmith.jobs.runners.tasks import StreamReport
from tunesmith.jobs.service import MusicService
from tunesmith.request import GenerationRequest
from tunesmith.server.apis.live_responses import BrokenOff, LiveMusic, live_response, submit_and_stream

CONTENT = bytes(range(200))


@pytest.mark.parametrize("size", [None, 200])
@pytest.mark.parametrize(
    ("wanted", "status", "first", "last"),
    [
        (None, 200, 0, 199), ("bytes=10-19", 206, 10, 19), ("bytes=199-", 206, 199, 199),
        ("bytes=150-999", 206, 150, 199),
        ("bytes=200-", 416, 0, 0), ("bytes=9-3", 200, 0, 199), ("bytes=-5", 200, 0, 199), ("lines=1-2", 200, 0, 199),
        ("bytes=0-1,4-5", 200, 0, 199), ("bytes=" + "9" * 50 + "-", 200, 0, 199),
    ],
)  # fmt: skip
def test_a_range_is_what_exists(
    tmp_path: Path, size: int | None, wanted: str | None, status: int, first: int, last: int
) -> None:
    stream = _stream(tmp_path, size)
    stream.has_ended = True
    response = live_response(stream, wanted, "audio/wav", {})
    assert response.status_code == status
    if status == 416:
        assert response.headers["content-range"] == "bytes */200"
        return
    content = _content(response)
    assert content == CONTENT[first : last + 1]
    assert response.headers["content-length"] == str(len(content))
    if status == 206:
        assert response.headers["content-range"] == f"bytes {first}-{last}/200"


def test_while_it_grows_an_unknown_length_is_not_stated(tmp_path: Path) -> None:
    stream = _stream(tmp_path, None)
    assert "content-length" not in live_response(stream, "bytes=0-", "audio/ogg", {}).headers
    part = live_response(stream, "bytes=100-", "audio/ogg", {})
    assert part.headers["content-range"] == "bytes 100-199/*"
    assert _content(part) == CONTENT[100:]


def test_while_it_grows_a_known_length_is_stated(tmp_path: Path) -> None:
    stream = _stream(tmp_path, 400)
    assert live_response(stream, None, "audio/wav", {}).headers["content-length"] == "400"
    assert live_response(stream, "bytes=0-", "audio/wav", {}).headers["content-range"] == "bytes 0-399/400"
    assert live_response(stream, "bytes=300-", "audio/wav", {}).headers["content-range"] == "bytes 300-399/400"


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_listener_that_vanishes_cancels_the_job_unless_another_one_reads(tmp_path: Path, is_shared: bool) -> None:
    async def scene() -> None:
        service, music = await _begun(tmp_path)
        stream = service.streams.find("job0")
        assert stream is not None
        other = stream.chunks()
        if is_shared:
            await anext(other)
        async with contextlib.aclosing(cast("AsyncGenerator[bytes]", music.chunks)) as chunks:
            assert await anext(chunks) == CONTENT
        await asyncio.sleep(0)
        assert service.canceled.is_set() != is_shared
        await other.aclose()

    asyncio.run(scene())


def test_the_server_s_end_ends_every_response(tmp_path: Path) -> None:
    async def scene() -> None:
        service, music = await _begun(tmp_path)
        assert await anext(music.chunks) == CONTENT
        waiting = asyncio.ensure_future(anext(music.chunks))
        await asyncio.sleep(0)
        service.streams.close()
        with pytest.raises(BrokenOff):
            await asyncio.wait_for(waiting, 5)
        assert not list(tmp_path.iterdir())

    asyncio.run(scene())


def test_a_job_whose_first_run_broke_off_is_heard_from_its_file(tmp_path: Path) -> None:
    async def scene() -> None:
        service = _service(tmp_path)
        asked = asyncio.create_task(_submit(service))
        await asyncio.sleep(0.01)
        _grow(service, tmp_path, 0)
        service.streams.end("job0", is_whole=False)
        service.succeed("job0")
        music = await asyncio.wait_for(asked, 5)
        assert b"".join([chunk async for chunk in music.chunks])[:4] == b"RIFF"

    asyncio.run(scene())


def _service(folder: Path) -> FakeService:
    service = FakeService(folder)
    service.held = True
    return service


async def _begun(folder: Path) -> tuple[FakeService, LiveMusic]:
    """Return the music of a job that has begun to stream, and goes on."""
    service = _service(folder)
    asked = asyncio.create_task(_submit(service))
    await asyncio.sleep(0.01)
    _grow(service, folder, len(CONTENT))
    return service, await asyncio.wait_for(asked, 5)


async def _submit(service: FakeService) -> LiveMusic:
    async def receive() -> Any:
        await asyncio.Event().wait()  # the caller stays

    submission = Submission(GenerationRequest(prompt="calm", duration=1), "api", None)
    return await submit_and_stream(cast("MusicService", service), submission, Request({"type": "http"}, receive))


def _grow(service: FakeService, folder: Path, size: int) -> None:
    path = folder / "live.wav"
    path.write_bytes(CONTENT[:size])
    service.streams.take("job0", path, StreamReport(size, {"seed": 7}))


def _stream(folder: Path, size: int | None) -> JobStream:
    path = folder / "a.wav"
    path.write_bytes(CONTENT)
    return JobStream(path, len(CONTENT), size)


def _content(response: object) -> bytes:
    assert isinstance(response, StreamingResponse)

    async def read() -> bytes:
        return b"".join([chunk async for chunk in response.body_iterator if isinstance(chunk, bytes)])

    return asyncio.run(read())
