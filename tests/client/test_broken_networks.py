"""The clients over real connections that break, drip, fall silent or lead through proxies."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bad_network import Answer, Trouble, bad_network
from serving import Serving

from tunesmith import ApiError, AsyncTunesmith, DeadlineExceeded, ServerUnreachable, Tunesmith
from tunesmith.jobs.job import JobState

Ask = Callable[..., Any]
Held = Callable[[str], str]
SUBMIT, AUDIO, VERSION = r"^POST /api/jobs$", r"^GET /api/jobs/\w+/audio$", r"^GET /api/version$"
SHORT = {"duration": 1, "seed": 7}
PATIENCE_SECONDS = 5.0
"""Far more than the deadlines below, far less than the drips and silences would take."""


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pauses that nobody asked for last next to nothing."""
    monkeypatch.setattr("tunesmith.client.retries.FIRST_PAUSE_SECONDS", 0.001)


@contextlib.contextmanager
def ended_in_time() -> Iterator[None]:
    """Check that a call is ended by its deadline, and when it is."""
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        yield
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_music_whose_every_answer_is_lost_once_is_made_once(ask: Ask, server: Serving) -> None:
    prompt = f"lost {uuid4().hex}"
    with bad_network(server.url, *(Trouble(on, lose=True) for on in (SUBMIT, SUBMIT, r"\?wait=", AUDIO))) as network:
        clip = ask(network.url, "generate", prompt, **SHORT)
        keys = [headers["idempotency-key"] for headers in network.asked(SUBMIT)]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len(ask(server.url, "tracks", prompt)) == 1
    assert clip.content == ask(server.url, "audio", clip.job.id)


@pytest.mark.parametrize("deaf", [False, True], ids=["ranges", "no ranges"])
def test_a_file_that_breaks_off_goes_on_where_it_broke(ask: Ask, server: Serving, tmp_path: Path, deaf: bool) -> None:
    job = ask(server.url, "generate", "calm piano", **SHORT).job
    whole = ask(server.url, "audio", job.id)
    troubles = Trouble(AUDIO, cut=1000), Trouble(AUDIO, cut=70_000, deaf=deaf)
    with bad_network(server.url, *troubles) as network:
        assert ask(network.url, "download", job.id, tmp_path / "piano.wav").read_bytes() == whole
        assert [headers.get("range") for headers in network.asked(AUDIO)][:2] == [None, "bytes=1000-"]
    with bad_network(server.url, Trouble(AUDIO, cut=1000)) as network:
        assert b"".join(ask(network.url, "stream", "calm piano", **SHORT)) == whole


def test_a_download_that_fails_leaves_what_was_there(ask: Ask, server: Serving, tmp_path: Path) -> None:
    job = ask(server.url, "generate", "calm piano", **SHORT).job
    there = tmp_path / "piano.wav"
    there.write_bytes(b"as it was")
    gone: Answer = (410, {}, b'{"error": {"type": "Gone", "message": "it is gone"}}')
    with (
        bad_network(server.url, Trouble(AUDIO, cut=1000), Trouble(AUDIO, answer=gone)) as network,
        pytest.raises(ApiError, match="gone"),
    ):
        ask(network.url, "download", job.id, there)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("piano.wav", b"as it was")]


@pytest.mark.parametrize("on", [VERSION, AUDIO])
def test_bodies_that_come_in_drips_end_at_the_deadline(ask: Ask, server: Serving, on: str) -> None:
    job = ask(server.url, "generate", "calm piano", **SHORT).job
    call = ["version"] if on == VERSION else ["audio", job.id]
    with bad_network(server.url, Trouble(on, drip=0.1)) as network, ended_in_time():
        ask(network.url, *call, options={"deadline": 0.7})


def test_a_body_that_stops_in_the_middle_ends_at_the_deadline(ask: Ask, server: Serving) -> None:
    with bad_network(server.url, Trouble(VERSION, drip=60)) as network, ended_in_time():
        ask(network.url, "version", options={"deadline": 0.5})


def test_a_job_whose_answer_does_not_come_is_cancelled(ask: Ask, server: Serving, held: Held) -> None:
    prompt = held("silent-answer")
    with bad_network(server.url, Trouble(SUBMIT, silent=True)) as network, pytest.raises(DeadlineExceeded):
        ask(network.url, "generate", prompt, model="patient", deadline=0.5)
    server.wait_for_state(prompt, JobState.CANCELED)


@pytest.mark.parametrize("stage", ["handed in", "followed"])
def test_a_task_that_is_cancelled_at_any_await_cancels_its_job(server: Serving, held: Held, stage: str) -> None:
    prompt = held(f"cancelled-{stage}")
    troubles = [Trouble(SUBMIT, silent=True)] if stage == "handed in" else []

    async def act(url: str) -> None:
        async with AsyncTunesmith(url) as client:
            task = asyncio.create_task(client.generate(prompt, model="patient"))
            await asyncio.to_thread(server.wait_for_state, prompt, JobState.RUNNING)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await client.version()

    with bad_network(server.url, *troubles) as network:
        asyncio.run(act(network.url))
    server.wait_for_state(prompt, JobState.CANCELED)


def test_a_server_may_be_under_a_path(ask: Ask, server: Serving) -> None:
    with bad_network(server.url, prefix="/studio/music") as network:
        clip = ask(f"{network.url}/", "generate", "calm piano", **SHORT)
        assert ask(network.url, "follow", clip.job.id)[-1].state == "succeeded"
        [track] = ask(network.url, "tracks", limit=1)
        assert ask(network.url, "track_audio", track["id"])
        assert len(ask(network.url, "vary", track["id"], 1)) == 1
        assert not network.asked("studio")


def test_what_reads_follows_redirections_and_an_order_says_where_it_was_sent(ask: Ask, server: Serving) -> None:
    away = (301, {"Location": server.url + "/api/jobs"}, b"")
    onward = (302, {"Location": server.url + "/api/version"}, b"")
    with bad_network(server.url, Trouble(SUBMIT, answer=away), Trouble(VERSION, answer=onward)) as network:
        with pytest.raises(ApiError, match=f"redirects to {server.url}/api/jobs; use that URL as base_url"):
            ask(network.url, "submit", "calm piano", **SHORT)
        assert ask(network.url, "version")


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(
    ask: Ask, server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    answer: Answer = (200, {}, b'{"version": "9.9"}')
    with bad_network(server.url, Trouble("/api/version", answer=answer)) as network:
        monkeypatch.setenv("HTTP_PROXY", network.url)
        monkeypatch.setenv("http_proxy", network.url)
        assert ask("http://music.invalid", "version") == "9.9"
        assert network.seen[0][1]["host"] == "music.invalid"
        assert ask(server.url, "version") != "9.9"
        assert len(network.seen) == 1


def test_a_server_that_bids_come_back_at_once_is_not_hammered(ask: Ask, server: Serving) -> None:
    again = Trouble(VERSION, answer=(503, {"Retry-After": "0"}, b"{}"))
    with bad_network(server.url, *[again] * 3) as network:
        assert ask(network.url, "version")
        assert len(network.seen) == 4


def test_refusals_between_them_do_not_count_as_silence(ask: Ask, server: Serving) -> None:
    busy = Trouble(VERSION, answer=(503, {}, b"{}"))
    lost = Trouble(VERSION, lose=True)
    with bad_network(server.url, busy, busy, busy, busy, lost, lost, lost) as network:
        assert ask(network.url, "version")
    with bad_network(server.url, *[lost] * 4) as network, pytest.raises(ServerUnreachable):
        ask(network.url, "version")


def test_threads_may_share_a_client(server: Serving) -> None:
    got: list[bytes] = []
    with bad_network(server.url, *[Trouble(AUDIO, cut=500)] * 3) as network, Tunesmith(network.url) as client:
        make = partial(client.generate, "calm piano", duration=1, seed=7)
        threads = [threading.Thread(target=lambda: got.append(make().content)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(got) == 3
    assert len(set(got)) == 1
