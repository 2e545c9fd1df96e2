"""Whatever a body holds, it is refused in the caller's words, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from hostile_bodies import (
    MEGABYTE,
    Attack,
    attacks_on_dialects,
    attacks_on_every_route,
    attacks_with_recordings,
    routes_with_bodies,
)
from loop_gaps import watched_loop
from machine_speed import slowness

from tunesmith.config import Settings
from tunesmith.server.apis.routing import may_hold_recording
from tunesmith.server.app import ServerOptions, create_app

LONGEST_GAP_SECONDS = 0.25
"""Five times what docs/performance.md promises, because a machine that tests is busy."""

MAX_ANSWER_BYTES = 5_000
DIALECTS = ("/api/jobs", "/v1/predictions", "/v1/music", "/v1/audio/speech", "/models/composer", "/mcp")
OF_OTHER_BODIES = {"/v1/predictions/x/cancel"}
"""Routes that do not read their body."""

Sent = list[tuple[str, Iterable[Attack]]]


def send(folder: Path, sent: Sent) -> None:
    """Send every attack to its path; assert that each is refused, and how long others wait."""

    async def attack() -> None:
        app = create_app(Settings(data_dir=folder, composer_processes=1), ServerOptions(host="127.0.0.1"))
        methods = {path: method for method, path in routes_with_bodies(app)}
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as client:
            for path, attacks in sent:
                await refused(client, methods[path], path, Attack("first", b"{}"))  # what is loaded once is loaded now
                waiting = list(attacks)
                async with watched_loop() as gaps:
                    for one in waiting:
                        await refused(client, methods[path], path, one)
                limit = LONGEST_GAP_SECONDS * slowness(time.perf_counter)
                assert gaps.longest < limit, f"{path}: others waited {gaps.longest:.3f} s"

    asyncio.run(attack())


async def refused(client: httpx.AsyncClient, method: str, path: str, attack: Attack) -> None:
    headers = {"content-type": attack.content_type}
    answer = await client.request(method, f"http://127.0.0.1{path}", content=attack.chunks(), headers=headers)
    assert 400 <= answer.status_code < 500, (path, attack.name, answer.status_code, answer.text[:200])
    assert len(answer.content) < MAX_ANSWER_BYTES, (path, attack.name)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("paths")), ServerOptions(host="127.0.0.1"))
    return [path for _, path in routes_with_bodies(app)]


def test_every_route_refuses_what_it_cannot_take(tmp_path: Path, paths: list[str]) -> None:
    assert len(paths) > 20
    send(tmp_path, [(path, attacks_on_every_route()) for path in paths if path not in OF_OTHER_BODIES])


def test_every_dialect_refuses_what_it_cannot_take(tmp_path: Path) -> None:
    send(tmp_path, [(path, attacks_on_dialects()) for path in DIALECTS])


def test_large_recordings_hold_up_nobody(tmp_path: Path) -> None:
    paths = [path for path in DIALECTS if may_hold_recording(path)]
    assert paths == ["/api/jobs", "/v1/predictions"]
    send(tmp_path, [(path, attacks_with_recordings(4 * MEGABYTE)) for path in paths])
