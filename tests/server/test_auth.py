"""Who may call: tokens in every header, their end, their scope, and that nobody ever sees one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from databases import FakeClock
from fastapi import Depends, FastAPI
from live_server import served

from tunesmith.config import Settings
from tunesmith.errors import TunesmithError
from tunesmith.library.database import Database
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import RateLimit, Scope, TokenRequest, Tokens
from tunesmith.server.app import ServerOptions, create_app, error_response_for
from tunesmith.server.auth import REMEMBERED_SECONDS, Authenticator, AuthSettings, require_admin
from tunesmith.ttl_cache import TtlCache


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(Settings(data_dir=tmp_path))
    yield opened
    opened.close()


class Counted(Tokens):
    """Tokens that count how often the database is asked."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        super().__init__(database, clock)
        self.questions = 0

    def verify(self, secret: str) -> Any:
        self.questions += 1
        return super().verify(secret)

    def secret(self, name: str = "x", scope: Scope = "generate", expires_at: float | None = None) -> str:
        return self.create(TokenRequest(name, scope, expires_at=expires_at)).secret


@pytest.fixture
def tokens(database: Database) -> Counted:
    return Counted(database)


def app_of(authenticator: Authenticator) -> FastAPI:
    """Return an app that says who calls."""
    app = FastAPI()

    @app.get("/who")
    async def who(caller: Any = Depends(authenticator)) -> dict[str, Any]:  # noqa: B008
        return {"owner": caller.owner, "scope": caller.scope}

    @app.get("/admin")
    async def admin(caller: Any = Depends(require_admin(authenticator))) -> str:  # noqa: B008
        return str(caller.owner)

    async def say(request: Any, error: Any) -> Any:
        return error_response_for(request.url.path, error)

    app.add_exception_handler(TunesmithError, say)
    return app


def client_of(authenticator: Authenticator, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app_of(authenticator), client=(address, 1))
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return httpx.AsyncClient(transport=transport, base_url="http://here", headers=sent)


def asked(
    authenticator: Authenticator, path: str = "/who", address: str = "127.0.0.1", **headers: str
) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client_of(authenticator, address, **headers) as client:
            return await client.get(path)

    return asyncio.run(ask())


CLOSED = AuthSettings(open_at_first=False)


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "Token {}", "TOKEN  {}", "{}", " {} "])
def test_a_token_is_taken_in_every_way_that_clients_send_it(tokens: Counted, header: str) -> None:
    secret = tokens.secret()
    owner = tokens.list()[0].id
    assert asked(Authenticator(tokens, CLOSED), authorization=header.format(secret)).json()["owner"] == owner
    assert asked(Authenticator(tokens, CLOSED), xi_api_key=secret).json()["owner"] == owner


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer ts_wrong", "Basic eDp5", "hf_abc", "ts_", "Bearer é"]
)
def test_anything_else_is_not(tokens: Counted, header: str) -> None:
    tokens.secret()
    answer = asked(Authenticator(tokens, CLOSED), authorization=header)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_server_is_open_until_a_token_was_made_and_stays_closed_when_the_last_has_ended(tokens: Counted) -> None:
    open_at_first = AuthSettings()
    assert asked(Authenticator(tokens, open_at_first)).json() == {"owner": None, "scope": "admin"}
    assert asked(Authenticator(tokens, open_at_first), authorization="Bearer hf_of_theirs").status_code == 200
    assert asked(Authenticator(tokens, CLOSED)).status_code == 401
    tokens.secret()
    assert asked(Authenticator(tokens, open_at_first)).status_code == 401
    tokens.revoke("x")
    assert asked(Authenticator(tokens, open_at_first)).status_code == 401


def test_the_first_token_counts_from_its_first_use(tokens: Counted) -> None:
    app = app_of(Authenticator(tokens, AuthSettings()))

    async def calls() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answers = [await client.get("/who"), await client.get("/who", headers={"Authorization": "ts_not_yet_made"})]
            token = await asyncio.to_thread(tokens.secret)
            answers.append(await client.get("/who", headers={"Authorization": f"Bearer {token}"}))
            assert answers[-1].json()["owner"] is not None
            return [answer.status_code for answer in (*answers, await client.get("/who"))]

    assert asyncio.run(calls()) == [200, 200, 200, 401]


@pytest.mark.parametrize(("address", "owner"), [
    ("203.0.113.9", "203.0.113.9"), ("::ffff:203.0.113.9", "203.0.113.9"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"), ("", "unknown"), ("../../etc", "unknown"),
])  # fmt: skip
def test_anonymous_callers_are_told_apart_by_address(tokens: Counted, address: str, owner: str) -> None:
    anonymous = Authenticator(tokens, AuthSettings(anonymous=True))
    assert asked(anonymous, address=address).json() == {"owner": owner, "scope": "generate"}
    assert asked(anonymous, address=address, authorization="Bearer ts_wrong").status_code == 401


def test_a_forwarded_address_is_not_believed(tokens: Counted) -> None:
    anonymous = Authenticator(tokens, AuthSettings(anonymous=True))
    assert asked(anonymous, address="203.0.113.9", x_forwarded_for="198.51.100.1").json()["owner"] == "203.0.113.9"


def test_only_admins_pass_where_admins_are_asked_for(tokens: Counted) -> None:
    user, admin = tokens.secret("user"), tokens.secret("admin", "admin")
    authenticator = Authenticator(tokens, CLOSED)
    assert asked(authenticator, "/admin", authorization=admin).status_code == 200
    refused = asked(authenticator, "/admin", authorization=user)
    assert refused.status_code == 403
    assert "scope admin" in refused.text
    assert asked(authenticator, "/admin").status_code == 401
    assert asked(Authenticator(tokens, AuthSettings(anonymous=True)), "/admin").status_code == 403
    assert asked(Authenticator(Counted(tokens._database), AuthSettings(anonymous=True)), "/admin").status_code == 403


def test_a_revoked_token_stops_within_the_time_it_is_remembered(tokens: Counted) -> None:
    secret = tokens.secret()
    authenticator, now = Authenticator(tokens, CLOSED), FakeClock()
    authenticator._known = TtlCache(REMEMBERED_SECONDS, now)

    async def statuses() -> list[int]:
        found = []
        async with client_of(authenticator, xi_api_key=secret) as http:
            found.append((await http.get("/who")).status_code)
            tokens.revoke("x")
            now.pass_(REMEMBERED_SECONDS)
            found.append((await http.get("/who")).status_code)
        return found

    assert REMEMBERED_SECONDS <= 2
    assert asyncio.run(statuses()) == [200, 401]


def test_a_token_expires_to_the_moment_also_while_it_is_remembered(database: Database) -> None:
    clock = FakeClock()
    tokens = Counted(database, clock)
    secret = tokens.secret(expires_at=clock() + 10)
    authenticator = Authenticator(tokens, CLOSED, clock=clock)

    async def statuses() -> list[int]:
        async with client_of(authenticator, xi_api_key=secret) as http:
            first = await http.get("/who")
            clock.pass_(10)
            return [first.status_code, (await http.get("/who")).status_code]

    assert asyncio.run(statuses()) == [200, 401]
    assert tokens.questions == 1


def test_the_database_is_asked_once_for_many_requests(tokens: Counted) -> None:
    secret = tokens.secret()
    authenticator = Authenticator(tokens, CLOSED)
    authenticator._known = TtlCache(REMEMBERED_SECONDS, FakeClock())

    async def ask() -> set[int]:
        async with client_of(authenticator, xi_api_key=secret) as http:
            answers = await asyncio.gather(*(http.get("/who") for _ in range(20)))
            answers.append(await http.get("/who"))
            return {answer.status_code for answer in answers}

    assert asyncio.run(ask()) == {200}
    assert tokens.questions == 1


def test_what_failed_is_not_remembered_and_room_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.ttl_cache.MAX_ENTRIES", 3)

    def fail() -> int:
        raise OSError("gone")

    async def ask() -> None:
        remembered: TtlCache[int, int] = TtlCache(10, FakeClock())
        with pytest.raises(OSError, match="gone"):
            await remembered.get(0, fail)
        assert await remembered.get(0, lambda: 1) == 1
        assert await remembered.get(0, lambda: 2) == 1
        for key in range(10):
            await remembered.get(key, lambda: 3)
        assert len(remembered._entries) <= 3

    asyncio.run(ask())


def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    async def ask() -> int:
        remembered: TtlCache[int, int] = TtlCache(10)
        loop, may = asyncio.get_running_loop(), asyncio.Event()
        impatient = asyncio.create_task(remembered.get(0, lambda: _when(loop, may)))
        patient = asyncio.create_task(remembered.get(0, fail))
        await asyncio.sleep(0)
        impatient.cancel()
        may.set()
        return await patient

    def fail() -> int:
        raise AssertionError("asked twice")

    def _when(loop: asyncio.AbstractEventLoop, may: asyncio.Event) -> int:
        asyncio.run_coroutine_threadsafe(may.wait(), loop).result(10)
        return 7

    assert asyncio.run(ask()) == 7


PATHS = ["/models/a/b", "/v1/predictions", "/v1/music", "/v1/audio/speech", "/v1/models", "/v1/files", "/nothing"]


def test_a_token_is_in_no_log_line_and_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings)
    good = Tokens(database).create(TokenRequest("x", rate=RateLimit(1_000, "day"))).secret
    bad = good[:-4] + "AAAA"
    seen = ""
    with caplog.at_level(logging.DEBUG), served(create_app(settings, ServerOptions(host="127.0.0.1"))) as url:
        for secret in (good, bad):
            for header in ({"authorization": f"Bearer {secret}"}, {"authorization": secret}, {"xi-api-key": secret}):
                for path in PATHS:
                    for method in ("GET", "POST"):
                        answer = httpx.request(method, url + path, headers=header, content=b"{")
                        seen += answer.text + str(answer.headers)
                httpx.post(f"{url}/mcp", headers=header, content=b"{")
    database.close()
    logged = "\n".join([*(record.getMessage() + str(record.exc_text) for record in caplog.records), caplog.text])
    assert logged
    for secret in (good, bad):
        assert secret[9:-4] not in logged
        assert secret[9:-4] not in seen
