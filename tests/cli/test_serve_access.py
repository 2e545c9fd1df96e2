"""``tunesmith serve`` lets in only whom it should: from where it listens, by which name, behind which proxy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from started_server import StartedServer, started, wait_for

from tunesmith.cli import run
from tunesmith.config import Settings
from tunesmith.library.database import Database
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import TokenRequest, Tokens
from tunesmith.server.uvicorn_server import DrainingServer

Capture = pytest.CaptureFixture[str]
OTHERS = ["0.0.0.0", "::", "192.0.2.1", "music.lan"]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    opened = open_database(Settings())
    yield opened
    opened.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[DrainingServer]:
    """Servers that would now listen to the whole network, but for the test."""
    servers: list[DrainingServer] = []
    monkeypatch.setattr(DrainingServer, "run", lambda self: servers.append(self))
    return servers


@pytest.mark.parametrize("host", OTHERS)
def test_nobody_opens_a_server_to_others_by_accident(
    database: Database, served: list[DrainingServer], capsys: Capture, host: str
) -> None:
    clock = time.time() - 100
    Tokens(database, lambda: clock).create(TokenRequest("expired", expires_at=clock + 50))
    Tokens(database).create(TokenRequest("revoked"))
    Tokens(database).revoke("revoked")
    assert run(["serve", "--host", host]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert all(words in error for words in (host, "tunesmith token create", "--allow-anonymous"))
    assert not served


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("by", ["token", "flag"])
def test_a_server_for_others_starts_with_a_token_or_where_that_is_meant(
    database: Database, served: list[DrainingServer], host: str, by: str
) -> None:
    if by == "token":
        Tokens(database).create(TokenRequest("x"))
    assert run(["serve", "--host", host, *(["--allow-anonymous"] if by == "flag" else [])]) == 0
    assert [server.config.host for server in served] == [host]
    assert served[0].config.proxy_headers is False


@pytest.mark.usefixtures("database")
def test_a_proxy_that_is_no_address_is_refused_before_anything_starts(
    served: list[DrainingServer], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_TRUSTED_PROXIES", "*")
    assert run(["serve"]) == 2
    assert "setting trusted_proxies" in capsys.readouterr().err
    assert not served


def left_for(server: StartedServer, forwarded: str | None) -> int:
    """Return how many reads are left to whoever the server takes the caller for."""
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    answer = httpx.get(f"{server.url}/v1/predictions", headers=headers)
    assert answer.status_code == 200
    return int(answer.headers["ratelimit-remaining"])


def test_nobody_gets_another_quota_by_naming_another_address(tmp_path: Path) -> None:
    with started(tmp_path, "--allow-anonymous", anonymous_rate="1/day") as server:
        named = [None, "203.0.113.1", "127.0.0.1, 203.0.113.2"]
        assert [left_for(server, address) for address in named] == [19, 18, 17]


def test_behind_a_trusted_proxy_callers_are_told_apart_by_what_the_proxy_saw(tmp_path: Path) -> None:
    settings = {"anonymous_rate": "1/day", "trusted_proxies": "10.0.0.0/8, 127.0.0.1"}
    with started(tmp_path, "--allow-anonymous", **settings) as server:
        seen = ["203.0.113.1", "203.0.113.2", "198.51.100.7, 203.0.113.1", "203.0.113.1, 10.1.2.3"]
        assert [left_for(server, address) for address in seen] == [19, 19, 18, 17]


def address_behind(server: StartedServer, headers: dict[str, str]) -> str:
    """Return the address that a server gives a prediction whose caller came through a proxy."""
    body = {"version": "tunesmith/composer", "input": {"prompt": "calm piano", "duration": 1}}
    answer = httpx.post(f"{server.url}/v1/predictions", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["urls"]["get"])


def test_addresses_begin_as_the_caller_of_a_trusted_proxy_came_and_never_as_others_say(tmp_path: Path) -> None:
    told = {"host": "music.example.com", "x-forwarded-proto": "https"}
    with started(tmp_path, trusted_proxies="127.0.0.1", allowed_hosts="music.example.com") as server:
        assert address_behind(server, told).startswith("https://music.example.com/v1/predictions/")
    with started(tmp_path, allowed_hosts="music.example.com") as server:
        assert address_behind(server, told).startswith("http://music.example.com/v1/predictions/")
    with started(tmp_path, public_url="https://music.example.com") as server:
        assert address_behind(server, {}).startswith("https://music.example.com/v1/predictions/")
        assert address_behind(server, {"host": "music.example.com"}).startswith("https://music.example.com/")


def test_a_server_on_loopback_is_closed_by_a_token_and_to_strange_names(tmp_path: Path) -> None:
    database = open_database(Settings(data_dir=tmp_path))
    tokens = Tokens(database)
    with started(tmp_path) as server:
        address = f"{server.url}/v1/predictions"
        assert httpx.get(address).status_code == 200
        assert httpx.get(address, headers={"host": "rebound.example"}).status_code == 403
        secret = tokens.create(TokenRequest("x")).secret
        wait_for(lambda: httpx.get(address).status_code == 401, "the server to close")
        with_token = {"authorization": f"Bearer {secret}"}
        assert httpx.get(address, headers=with_token).status_code == 200
        tokens.revoke("x")
        revoked_at = time.monotonic()
        wait_for(lambda: httpx.get(address, headers=with_token).status_code == 401, "the token to end")
        assert time.monotonic() - revoked_at < 2
        assert httpx.get(address).status_code == 401
        assert secret not in server.log
    database.close()
