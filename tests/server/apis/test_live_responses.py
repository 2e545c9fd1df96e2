"""Responses of growing streams: ranges of what exists, known and unknown lengths."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastapi.responses import StreamingResponse

from tunesmith.jobs.live_streams import LiveStream
from tunesmith.server.apis.live_responses import live_response

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


def _stream(folder: Path, size: int | None) -> LiveStream:
    path = folder / "a.wav"
    path.write_bytes(CONTENT)
    return LiveStream(path, len(CONTENT), size)


def _content(response: object) -> bytes:
    assert isinstance(response, StreamingResponse)

    async def read() -> bytes:
        return b"".join([chunk async for chunk in response.body_iterator if isinstance(chunk, bytes)])

    return asyncio.run(read())
