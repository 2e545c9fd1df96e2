"""Live streams of a started server, heard by both kinds of the client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import live_generators
import numpy as np
import pytest
from started_server import started

from tunesmith import AsyncTunesmith, Tunesmith
from tunesmith.client import LiveFrame
from tunesmith.errors import ApiError, ServerUnreachable

FIELDS = {"model": "counting", "encoding": "float32", "seed": 3}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", live_generators.install(folder / "site"))
        patch.setenv("TUNESMITH_CONFIG", str(folder / "config.toml"))
        with started(folder / "data") as process:
            yield process.url


def positions(frames: list[LiveFrame]) -> list[float]:
    left = np.frombuffer(b"".join(one.samples for one in frames), "<f4")[::2]
    return list(left * 2**20)


def test_a_live_stream_is_heard_and_steered(url: str) -> None:
    frames = []
    with Tunesmith(url) as client, client.live("lofi", **FIELDS) as live:
        assert (live.sample_rate, live.channels, live.encoding, live.model, live.seed) == (
            48_000, 2, "float32", "counting", 3,
        )  # fmt: skip
        live.change(notes={64, 60}, blend=0.2, drums="loud")
        for frame in live:
            frames.append(frame)
            if frame.change == 1:
                live.stop()
    assert positions(frames) == list(range(len(positions(frames))))
    assert frames[-1].position + len(frames[-1].samples) // 8 == round(live.seconds * 48_000)
    assert (live.settings["notes"], live.settings["blend"], live.reason) == ([60, 64], 0.2, "stopped")
    assert [(one.field, str(one)) for one in live.problems] == [("drums", "drums: must be true or false, got 'loud'")]


def test_a_live_stream_is_heard_and_steered_in_asyncio(url: str) -> None:
    async def act() -> list[LiveFrame]:
        async with AsyncTunesmith(url) as client, client.live("lofi", **FIELDS, duration=1.2) as live:
            await live.change(notes=[60])
            frames = []
            async for frame in live:
                frames.append(frame)
                if frame.position > 48_000 and not live.tracks:
                    await live.record(1, "flac")
            assert live.settings["notes"] == [60]
            return frames

    assert positions(asyncio.run(act())) == list(range(57_600))


def test_a_stream_that_is_refused_raises_at_once(url: str) -> None:
    with Tunesmith(url) as client, pytest.raises(ApiError, match="blend: must be at most 1, got 2") as caught:
        client.live("lofi", model="sines", blend=2).__enter__()
    assert (caught.value.status, caught.value.field) == (422, "blend")


def test_a_server_that_is_not_there_or_leaves_is_unreachable() -> None:
    with Tunesmith("http://127.0.0.1:9") as client, pytest.raises(ServerUnreachable):
        client.live("lofi").__enter__()
