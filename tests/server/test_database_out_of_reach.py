"""A database server that goes away for a while: callers are told to come back, and then they are served."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import strange_generators
from databases import PostgreSQL, postgresql
from started_server import started, wait_for

from tunesmith.errors import DatabaseOutOfReach
from tunesmith.library.database import Database

__all__ = ["postgresql"]
"""A fixture of others that these tests take."""


def let_in(server: PostgreSQL, url: str, yes: bool) -> None:
    """Let the database be reached, or end its connections and take no more, as while it is started again."""
    engine = sa.create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = sa.make_url(url).database
    with engine.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {yes}"))
        if not yes:
            ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(sa.text(ends), {"name": name})


def test_a_connection_that_is_ended_is_out_of_reach_and_not_a_fault(postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    database = Database(url)
    with database.read() as connection:
        connection.execute(sa.text("SELECT 1"))
        let_in(postgresql, url, yes=False)
        with pytest.raises(DatabaseOutOfReach, match="cannot be reached") as caught, database.explained():
            connection.execute(sa.text("SELECT 1"))
    assert caught.value.problem == "cannot be reached; try again later"
    with pytest.raises(DatabaseOutOfReach), database.read():
        pass
    let_in(postgresql, url, yes=True)
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    database.close()


def test_callers_are_told_to_come_back_and_are_served_once_it_is_there_again(
    tmp_path: Path,
    postgresql: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    url = postgresql.new_database()
    body = {"prompt": "calm piano", "duration": 1}
    with started(tmp_path / "data", database_url=url) as one, httpx.Client(base_url=one.url, timeout=60) as client:
        let_in(postgresql, url, yes=False)
        refused = client.post("/api/generate", json=body)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["error"]["message"].endswith("cannot be reached; try again later")
        let_in(postgresql, url, yes=True)
        wait_for(lambda: client.get("/health/ready").status_code == 200, "the server to be ready again")
        assert client.post("/api/generate", json=body).status_code == 200


def test_whoever_waits_for_music_sits_it_out(
    tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    url, gate = postgresql.new_database(), tmp_path / "gate"
    with started(tmp_path / "data", database_url=url) as one, ThreadPoolExecutor(1) as callers:
        body = {"inputs": str(gate), "parameters": {"duration": 1}}
        answer = callers.submit(httpx.post, f"{one.url}/models/patient", json=body, timeout=60)
        running = {"state": "running"}
        wait_for(lambda: httpx.get(f"{one.url}/api/jobs", params=running).json()["jobs"], "the job to run")
        let_in(postgresql, url, yes=False)
        wait_for(lambda: "cannot process the queue" in one.log, "the server to notice")
        gate.touch()
        wait_for(lambda: "cannot record the end of a job" in one.log, "the job to end")
        assert not answer.done()
        let_in(postgresql, url, yes=True)
        assert answer.result().status_code == 200
    assert "Traceback" not in one.log
