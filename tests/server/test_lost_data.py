"""A running server whose folders or database are removed or damaged: callers are told, and it is not ready."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from live_server import served
from started_server import wait_for

from tunesmith.config import Settings
from tunesmith.server.app import create_app
from tunesmith.server.observability import health

ORDERS: dict[str, dict[str, object]] = {
    "/api/jobs": {"prompt": "calm piano", "duration": 1},
    "/api/generate": {"prompt": "calm piano", "duration": 1},
    "/models/composer": {"inputs": "calm piano", "parameters": {"duration": 1}},
    "/v1/music": {"prompt": "calm piano", "music_length_ms": 3_000},
    "/v1/audio/speech": {"model": "composer", "input": "calm piano", "voice": "alloy"},
    "/v1/models/meta/musicgen/predictions": {"input": {"prompt": "calm piano", "duration": 1}},
}


@dataclass(frozen=True)
class Running:
    """A server over a data folder."""

    data: Path
    client: httpx.Client

    def order(self, path: str = "/api/jobs") -> httpx.Response:
        return self.client.post(path, json=ORDERS[path])

    def ready(self) -> httpx.Response:
        return self.client.get("/health/ready")


def remove(folder: Path) -> None:
    """Remove a folder at once: while its files go one by one the server would make it again."""
    folder.rename(folder.with_name(f"removed-{uuid4().hex}"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setattr(health, "REMEMBERED_SECONDS", 0.0)
    data = tmp_path / "data"
    app = create_app(Settings(data_dir=data, composer_processes=1, drain_seconds=0))
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        wait_for(lambda: client.get("/health/ready").status_code == 200, "the server to be ready")
        yield Running(data, client)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "tunesmith")
    return caplog


def test_folders_that_are_removed_are_made_again(server: Running) -> None:
    assert server.order("/api/generate").status_code == 200
    for name in ("results", "inputs", "files"):
        remove(server.data / name)
        assert server.ready().status_code == 200
        assert (server.data / name).is_dir()
    remove(server.data / "results")
    assert server.order("/api/generate").status_code == 200
    remove(server.data / "files")
    upload = server.client.post("/v1/files", files={"content": ("a.txt", b"x", "text/plain")})
    assert upload.status_code == 201, upload.text


def test_a_folder_that_cannot_be_made_again_is_named_and_what_waits_is_made_later(
    server: Running, log: pytest.LogCaptureFixture
) -> None:
    remove(server.data / "results")
    (server.data / "results").write_text("in the way")
    for path in ORDERS:
        refused = server.order(path)
        assert refused.status_code == 503, refused.text
        assert "results" in refused.text
        assert str(server.data) not in refused.text
    wait_for(lambda: server.ready().status_code == 503, "the server not to be ready")
    (server.data / "results").unlink()
    wait_for(lambda: server.ready().status_code == 200, "the server to be ready again")
    assert server.order("/api/generate").status_code == 200
    assert not [record for record in log.records if record.exc_info]
    assert any(str(server.data / "results") in record.getMessage() for record in log.records)


def test_nothing_is_accepted_once_the_data_folder_is_removed(server: Running, log: pytest.LogCaptureFixture) -> None:
    assert server.order().status_code == 202
    server.data.rename(server.data.with_name("away"))
    for path in ORDERS:
        refused = server.order(path)
        assert refused.status_code == 503, refused.text
        assert "was removed or replaced while in use" in refused.text
    not_ready = server.ready()
    assert not_ready.status_code == 503
    assert "was removed or replaced" in not_ready.json()["reason"]
    assert server.client.get("/api/jobs").status_code == 503
    assert not [record for record in log.records if record.exc_info]
    assert any("was removed or replaced" in record.getMessage() for record in log.records)


def test_a_database_that_is_damaged_meanwhile_is_said_and_logged_and_the_server_is_not_ready(
    server: Running, log: pytest.LogCaptureFixture
) -> None:
    assert server.order().status_code == 202
    file = server.data / "tunesmith.db"
    for part in (file, file.with_name("tunesmith.db-wal")):
        part.write_bytes(b"\xff" * max(part.stat().st_size, 1 << 17))
    wait_for(lambda: server.order().status_code == 503, "the damage to be met")
    refused = server.order()
    assert (refused.status_code, refused.json()["error"]["type"]) == (503, "DatabaseDamaged")
    assert "tunesmith log repair" in refused.json()["error"]["message"]
    assert server.ready().status_code == 503
    assert not [record for record in log.records if record.exc_info]
    assert any("is damaged" in record.getMessage() for record in log.records)
