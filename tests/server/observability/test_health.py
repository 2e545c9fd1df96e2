"""Ready means that the next request can be served; where it cannot, one line says why."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from tunesmith.errors import DatabaseDamaged, DatabaseError, FolderUnavailable
from tunesmith.server.observability import health as module
from tunesmith.server.observability.health import LEAST_FREE_BYTES, Health, HealthProbes, health_routes


class Usage(NamedTuple):
    """What the system says of a disk."""

    free: float


@pytest.fixture
def well(tmp_path: Path) -> HealthProbes:
    return HealthProbes(lambda: False, lambda: None, lambda: None, tmp_path)


def asked(vitals: HealthProbes) -> httpx.Response:
    """Ask whether a server with these vitals is ready."""
    app = FastAPI()
    app.include_router(health_routes(Health(vitals)))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            assert (await client.get("/health/live")).json()["status"] == "ok"
            return await client.get("/health/ready")

    return asyncio.run(ask())


def gone() -> None:
    raise DatabaseError("postgresql://tune@db.internal/music", "connection refused")


def test_a_server_that_is_well_is_ready(well: HealthProbes) -> None:
    answer = asked(well)
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize(("change", "reason"), [
    ({"is_stopping": lambda: True}, "the server is stopping"),
    ({"problem": lambda: "the composer cannot be started"}, "the composer cannot be started"),
    ({"ping": gone}, "the database cannot be reached"),
    ({"folder": Path("/nowhere/results")}, "the folder of results cannot be reached"),
])  # fmt: skip
def test_one_that_is_not_says_why_but_nothing_of_its_inside(
    well: HealthProbes, change: dict[str, object], reason: str
) -> None:
    answer = asked(replace(well, **change))  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "reason": reason})
    assert answer.headers["retry-after"] == "5"
    assert "internal" not in answer.text


def test_a_full_disk_takes_no_jobs(well: HealthProbes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(LEAST_FREE_BYTES - 1))
    assert asked(well).json()["reason"] == "the disk of the results is full"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(LEAST_FREE_BYTES))
    assert asked(well).status_code == 200


def test_a_database_that_hangs_is_not_waited_for(well: HealthProbes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    answers = threading.Event()
    vitals = replace(well, ping=lambda: answers.wait(30))

    async def problem() -> str | None:
        health = Health(vitals)
        try:
            return await health.problem()
        finally:
            answers.set()

    assert asyncio.run(problem()) == "the database does not answer"


def test_many_who_ask_at_once_cost_one_look(well: HealthProbes) -> None:
    looks: list[int] = []
    health = Health(replace(well, ping=lambda: looks.append(1)))

    async def many(ask: Callable[[], Awaitable[str | None]]) -> list[str | None]:
        return await asyncio.gather(*(ask() for _ in range(50)))

    assert asyncio.run(many(health.problem)) == [None] * 50
    assert len(looks) == 1


def test_a_folder_that_cannot_be_used_and_a_damaged_database_are_named_without_their_place(well: HealthProbes) -> None:
    def unusable() -> None:
        raise FolderUnavailable(Path("/srv/secret/results"), "Permission denied")

    def damaged() -> None:
        raise DatabaseDamaged("/srv/secret/tunesmith.db", "is damaged")

    assert asked(replace(well, prepare=unusable)).json()["reason"] == "folder results cannot be used: Permission denied"
    assert asked(replace(well, ping=damaged)).json()["reason"] == "the database is damaged"
