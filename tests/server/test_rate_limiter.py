"""Limits: how many requests a caller may send, here and over several servers, and how each dialect says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from databases import FakeClock
from huggingface_hub.utils._http import parse_ratelimit_headers
from live_server import served
from redis_server import Redis, running_redis

from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest, RateLimited
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import Allowance, RateLimit, TokenRequest, Tokens
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.auth import READS_A_REQUEST, RateLimits, limit_headers
from tunesmith.server.errors import RateLimitStoreUnavailable

TWO_A_MINUTE = RateLimit(2, "minute")
START = 1_800_000_000.0  # a full minute


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("redis").url if request.param == "redis" else None


def run(work: Callable[[RateLimits], Awaitable[Any]], url: str | None, clock: FakeClock) -> Any:
    async def worked() -> Any:
        limits = RateLimits(url, clock)
        try:
            return await work(limits)
        finally:
            await limits.close()

    return asyncio.run(worked())


def test_one_request_more_than_the_rate_is_refused_until_its_minute_is_over(url: str | None) -> None:
    clock = FakeClock(START + 20)

    async def work(limits: RateLimits) -> None:
        for left in (1, 0):
            found = await limits.hit("ann", TWO_A_MINUTE, is_read=False)
            assert found == Allowance("requests", TWO_A_MINUTE, left, START + 60)
        with pytest.raises(RateLimited, match="limit of 2 requests a minute reached; try again in 40 s") as refused:
            (await limits.hit("ann", TWO_A_MINUTE, is_read=False)).check(clock())
        clock.pass_(refused.value.retry_after)
        assert (await limits.hit("ann", TWO_A_MINUTE, is_read=False)).remaining == 1

    run(work, url, clock)


def test_callers_and_reads_are_counted_apart(url: str | None) -> None:
    async def work(limits: RateLimits) -> None:
        for owner in ("bob", "2001:db8::/64"):
            for _ in range(2):
                await limits.hit(owner, TWO_A_MINUTE, is_read=False)
            for left in reversed(range(2 * READS_A_REQUEST)):
                assert (await limits.hit(owner, TWO_A_MINUTE, is_read=True)).remaining == left
            for is_read in (True, False):
                assert (await limits.hit(owner, TWO_A_MINUTE, is_read=is_read)).is_exceeded

    run(work, url, FakeClock(START))


def test_many_at_once_get_exactly_the_rate(url: str | None) -> None:
    async def work(limits: RateLimits) -> int:
        hits = (limits.hit("many", RateLimit(7, "minute"), is_read=False) for _ in range(50))
        return sum(not left.is_exceeded for left in await asyncio.gather(*hits))

    assert run(work, url, FakeClock(START)) == 7


def test_servers_on_one_redis_count_together(redis: Redis) -> None:
    async def work(limits: RateLimits) -> None:
        other = RateLimits(redis.url, FakeClock(START))
        await limits.hit("both", TWO_A_MINUTE, is_read=False)
        assert (await other.hit("both", TWO_A_MINUTE, is_read=False)).remaining == 0
        for one in (limits, other):
            assert (await one.hit("both", TWO_A_MINUTE, is_read=False)).is_exceeded
        await other.close()

    run(work, redis.url, FakeClock(START))


def test_requests_that_cannot_be_counted_are_refused() -> None:
    async def work(limits: RateLimits) -> None:
        with pytest.raises(RateLimitStoreUnavailable, match="cannot be counted"):
            await limits.hit("ann", TWO_A_MINUTE, is_read=False)

    with running_redis() as server:
        server.stop()
        run(work, server.url, FakeClock(START))


@pytest.mark.parametrize("url", ["", "localhost", "http://localhost", "memcached://localhost", "async+redis://x"])
def test_a_url_that_is_not_redis_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="rate_limit_url: must be redis"):
        RateLimits(url)


def test_the_headers_say_what_is_nearest_to_its_end_first() -> None:
    rate = Allowance("requests", RateLimit(60, "minute"), 59, START + 60)
    quota = Allowance("pieces", RateLimit(1000, "day"), 3, START + 3_600)
    headers = limit_headers([rate, quota], START + 0.5)
    assert headers == {
        "ratelimit-limit": "1000", "ratelimit-remaining": "3", "ratelimit-reset": "3600",
        "ratelimit": '"pieces";r=3;t=3600, "requests";r=59;t=60',
        "ratelimit-policy": '"pieces";q=1000;w=86400, "requests";q=60;w=60',
    }  # fmt: skip
    read = parse_ratelimit_headers(headers)
    assert read is not None
    assert (read.resource_type, read.remaining, read.reset_in_seconds, read.limit) == ("pieces", 3, 3600, 1000)
    assert limit_headers([], START) == {}


PREDICTION = {"version": "tunesmith/composer", "input": {"prompt": "calm", "duration": 1}}
CALLS = {
    "/models/facebook/musicgen-small": {"inputs": "calm", "parameters": {"duration": 1}},
    "/v1/predictions": PREDICTION,
    "/v1/music": {"prompt": "calm", "music_length_ms": 3_000},
    "/v1/audio/speech": {"input": "calm", "duration": 1},
}
"""A submission in each dialect."""


@contextmanager
def server_with(folder: Path, options: ServerOptions, **settings: Any) -> Iterator[tuple[httpx.Client, Tokens]]:
    chosen = Settings(data_dir=folder, **settings)
    database = open_database(chosen)
    try:
        with served(create_app(chosen, options)) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield client, Tokens(database)
    finally:
        database.close()


def said(path: str, body: Any) -> str:
    """Return the message in a dialect's shape, and fail where the shape is another's."""
    if path == "/v1/predictions":
        assert {"title", "detail", "status"} <= set(body)
        return str(body["detail"])
    if path == "/v1/music":
        return str(body["detail"]["message"])
    if path == "/v1/audio/speech":
        assert body["error"]["type"] == "rate_limit_error"
        return str(body["error"]["message"])
    return str(body["error"])


def test_every_dialect_says_in_its_own_shape_that_the_rate_or_the_quota_is_used_up(tmp_path: Path) -> None:
    with server_with(tmp_path, ServerOptions(host="127.0.0.1")) as (client, tokens):
        hasty = tokens.create(TokenRequest("hasty", rate=RateLimit(1, "day"))).secret
        greedy = tokens.create(TokenRequest("greedy", quota=RateLimit(1, "day"), rate=RateLimit(1_000, "day"))).secret
        for secret in (hasty, greedy):
            first = client.post("/v1/predictions", json=PREDICTION, headers={"authorization": f"Bearer {secret}"})
            assert (first.status_code, first.headers["ratelimit-remaining"]) == (201, "0")
        for secret, limit in ((hasty, "1 request a day"), (greedy, "1 piece a day")):
            for path, body in CALLS.items():
                answer = client.post(path, json=body, headers={"authorization": f"Bearer {secret}"})
                assert answer.status_code == 429, answer.text
                assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("1", "0")
                wait = int(answer.headers["retry-after"])
                assert abs(wait - (86_400 - time.time() % 86_400)) < 60
                theirs = "Rate limit reached. " if path.startswith("/models/") else ""
                usual = f"{theirs}limit of {limit} reached; try again in {wait} s"
                replicate = f"Request was throttled. Your rate limit resets in ~{wait}s."
                assert said(path, answer.json()) == (replicate if path == "/v1/predictions" else usual)
        mcp = client.post("/mcp", json={}, headers={"authorization": hasty})
        assert (mcp.status_code, mcp.json()["error"]["code"]) == (429, -32_029)


def test_anonymous_callers_share_the_small_quota_of_their_address(tmp_path: Path) -> None:
    options = ServerOptions(anonymous=True, host="127.0.0.1")
    with server_with(tmp_path, options, anonymous_quota="1/day", anonymous_rate="100/day") as (client, tokens):
        assert client.post("/v1/predictions", json=PREDICTION).status_code == 201
        assert client.post("/v1/predictions", json=PREDICTION).status_code == 429
        looked = client.get("/v1/predictions")
        assert (looked.status_code, looked.headers["ratelimit-limit"]) == (200, str(100 * READS_A_REQUEST))
        unbounded = {"authorization": tokens.create(TokenRequest("unbounded")).secret}
        answer = client.get("/v1/predictions", headers=unbounded)
        assert (answer.status_code, answer.json()["results"]) == (200, [])
        assert not [name for name in answer.headers if name.startswith("ratelimit")]
