"""Tunesmith as a facade of the asynchronous core: the same calls, with and without an event loop in the thread."""

from __future__ import annotations

import asyncio
import inspect
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import httpx
import pytest
from forked_python import ForkedPopen
from serving import Serving

from tunesmith import AsyncTunesmith, Tunesmith
from tunesmith.client.api_client import ApiClient
from tunesmith.client.sync_transport import iterate_blocking, run_blocking
from tunesmith.jobs.job import JobState

URL = "http://music.invalid"
FINISHED = {"id": "j", "state": "succeeded", "progress": 1.0, "stage": "", "eta_seconds": None}
CHUNKS = (b"one ", b"two ", b"three")
CALLS = [name for name in vars(ApiClient) if not name.startswith("_")]


class Slices(httpx.SyncByteStream):
    def __iter__(self) -> Generator[bytes, None, None]:
        yield from CHUNKS


def _answer(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/audio"):
        return httpx.Response(200, stream=Slices())
    return httpx.Response(200, json=FINISHED)


def _client() -> Tunesmith:
    return Tunesmith(URL, transport=httpx.MockTransport(_answer))


@pytest.mark.parametrize("call", CALLS)
def test_both_clients_have_the_same_calls(call: str) -> None:
    ours, theirs = getattr(Tunesmith, call), getattr(AsyncTunesmith, call)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__doc__ == theirs.__doc__
    assert not inspect.iscoroutinefunction(ours)


def test_wrong_arguments_are_refused_at_the_call() -> None:
    with _client() as client, pytest.raises(TypeError, match="prompt"):
        client.stream()  # type: ignore[call-arg]


def test_it_works_where_an_event_loop_runs_and_a_stream_outlives_the_loop() -> None:
    async def within_a_loop(client: Tunesmith) -> Generator[bytes, None, None]:
        assert client.generate("piano").content == b"".join(CHUNKS)
        stream = client.stream("piano")
        assert next(stream) == CHUNKS[0]
        return stream

    with _client() as client:
        stream = asyncio.run(within_a_loop(client))
        assert tuple(stream) == CHUNKS[1:]


def test_a_coroutine_that_suspends_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="must not suspend"):
        run_blocking(asyncio.sleep(0))


@pytest.mark.parametrize("end", [Generator.close, lambda values: list(values)], ids=["closed", "exhausted"])
def test_an_asynchronous_generator_is_closed_with_its_facade(end: Callable[[Any], object]) -> None:
    closed: list[bool] = []

    async def values() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    numbers = iterate_blocking(values())
    assert next(numbers) == 1
    end(numbers)
    assert closed == [True]


def test_ctrl_c_cancels_the_job(server: Serving, held: Callable[[str], str]) -> None:
    prompt = held("ctrl-c")
    code = f"import tunesmith; tunesmith.Tunesmith({server.url!r}).generate({prompt!r}, model='patient')"
    program = ForkedPopen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    server.wait_for_state(prompt, JobState.RUNNING)
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    server.wait_for_state(prompt, JobState.CANCELED)
