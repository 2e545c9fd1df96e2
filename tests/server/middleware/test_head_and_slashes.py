"""HEAD, OPTIONS and repeated slashes, as monitors and load balancers ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from live_server import served

from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import TokenRequest, Tokens
from tunesmith.server.app import ServerOptions, create_app, error_response_for
from tunesmith.server.middleware.stack import ResponseMiddleware


async def no_quota(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that wants a token."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    database = open_database(settings)
    Tokens(database).create(TokenRequest("x"))
    database.close()
    with served(create_app(settings, ServerOptions(host="127.0.0.1"))) as url:
        yield url


@pytest.mark.parametrize("path", [
    "/", "/health", "/health/live", "/health/ready", "/docs", "/openapi.json", "/api/version", "/api/jobs", "/nothing",
    "/v1/models",
])  # fmt: skip
def test_head_is_told_what_get_is_told_but_the_body(url: str, path: str) -> None:
    with httpx.Client(base_url=url) as client:
        got, head = client.get(path), client.head(path)
    for answer in (got, head):
        for changing in ("date", "x-request-id"):
            answer.headers.pop(changing, None)
    assert head.status_code == got.status_code
    assert dict(head.headers) == dict(got.headers)
    assert (head.content, bool(got.content)) == (b"", True)


def test_head_of_what_never_ends_ends() -> None:
    app, stopped = FastAPI(), asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b": still here\n\n"
                await asyncio.sleep(0)
        finally:
            stopped.set()

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        return StreamingResponse(pieces(), media_type="text/event-stream")

    @app.get("/stopped")
    async def has_stopped() -> bool:
        return stopped.is_set()

    app.add_middleware(ResponseMiddleware, tell=error_response_for, quota_of=no_quota)
    with served(app) as one, httpx.Client(base_url=one, timeout=60) as client:
        assert client.head("/endless").headers["content-type"].startswith("text/event-stream")
        assert client.get("/stopped").json() is True


@pytest.mark.parametrize(("path", "methods"), [
    ("/", "GET, POST, HEAD, OPTIONS"), ("/api/jobs", "GET, POST, HEAD, OPTIONS"), ("/v1/music", "POST, OPTIONS"),
    ("/v1/files/x", "GET, DELETE, HEAD, OPTIONS"), ("/models/a/b", "POST, OPTIONS"), ("/health", "GET, HEAD, OPTIONS"),
])  # fmt: skip
def test_options_and_a_wrong_method_name_all_methods_that_a_path_takes(url: str, path: str, methods: str) -> None:
    options = httpx.options(url + path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, methods, b"")
    wrong = httpx.request("PROPFIND", url + path)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, methods)


def test_options_of_nothing_is_nothing(url: str) -> None:
    assert httpx.options(f"{url}/v1/nothing").status_code == 404


@pytest.mark.parametrize("path", ["/health/live", "/v1/models", "/models/facebook/musicgen-small", "/v1/nothing"])
def test_a_base_url_that_ends_in_a_slash_leads_to_the_same(url: str, path: str) -> None:
    for method in ("GET", "POST"):
        answers = [httpx.request(method, f"{url}{slashes}{path}", json={}) for slashes in ("", "/", "//")]
        assert len({(answer.status_code, answer.content) for answer in answers}) == 1
