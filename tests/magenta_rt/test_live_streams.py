"""Live streams of a tiny Magenta RealTime, installed from its repository's layout and played by a started server."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import numpy as np
import pytest
from live_listener import Listener, listening
from magenta_checkpoint import write_magenta_tree
from magenta_vectors import has_magenta_vectors
from started_server import StartedServer, started, wait_for

from tunesmith.models.pull import PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import Store

pytestmark = has_magenta_vectors
NAME = "magenta-rt2-small"
START: dict[str, Any] = {
    "prompt": "warm lofi", "second_prompt": "techno", "blend": 0.3, "seed": 7, "encoding": "float32",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    folder = tmp_path_factory.mktemp("magenta")
    tree = write_magenta_tree(folder / "tree")
    tools = PullTools(Store(folder / "data"), try_out=lambda *_: None)
    pull(PullRequest(str(tree), name=NAME, accept_licence=True), tools, lambda _: None, lambda _: None)
    with started(folder / "data", live_streams="8", live_streams_per_caller="8") as process:
        yield process


def test_the_installed_model_is_the_one_that_plays_and_a_change_is_heard(server: StartedServer) -> None:
    models = httpx.get(f"{server.url}/api/models").json()["models"]
    assert [one["name"] for one in models if one["plays_live"]] == [NAME]
    with listening(server.url, **START) as alike, listening(server.url, **START) as changed:
        changed.hear_until("started")
        assert changed.started["model"] == NAME
        changed.hear_seconds(0.4)
        known = changed.num_frames
        changed.send("change", notes=[60, 64, 67], drums=True)
        changed.hear_until("changed", change=1)
        changed.hear_seconds(0.6)
        while alike.num_frames < changed.num_frames:
            assert alike.hear()
    differs = first_difference(alike, changed)
    # The stock of a listener was made before the change.
    assert known - 0.02 * 48_000 <= differs <= known + 0.3 * 48_000


def test_rows_are_freed_at_once_by_listeners_that_vanish(server: StartedServer) -> None:
    def running() -> int:
        models = httpx.get(f"{server.url}/api/ps").json()["models"]
        return sum(int(one["requests_running"]) for one in models)

    with ExitStack() as streams:
        vanishing = [streams.enter_context(listening(server.url, **START)) for _ in range(3)]
        staying = streams.enter_context(listening(server.url, **START))
        for listener in (*vanishing, staying):
            listener.hear_seconds(0.1)
        # The streams of the test before may be ending still.
        wait_for(lambda: running() == 4, "only these to play")
        for listener in vanishing:
            listener.socket.socket.shutdown(socket.SHUT_RDWR)
        began = time.monotonic()
        wait_for(lambda: running() == 1, "their rows to be free")
        assert time.monotonic() - began < 1.0
        known = staying.num_frames
        staying.hear_seconds(0.3)
        assert staying.num_frames > known


def first_difference(one: Listener, other: Listener) -> int:
    """Return the position of the first sample that differs."""
    length = min(one.num_frames, other.num_frames)
    return int(np.flatnonzero((one.samples()[:length] != other.samples()[:length]).any(axis=1))[0])
