"""Whatever an address or a header holds, it is answered, and never with a fault of the server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from tunesmith.config import Settings
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.middleware.request_limits import MAX_PATH_CHARACTERS, MAX_QUERY_CHARACTERS

VALUES = ("%00", "a%00b", "%ED%A0%80", "9" * 2_000, "nan", "-1", "1e999", "a%0Ab", "x" * 3_000)
HEADERS: list[dict[bytes, bytes]] = [
    {b"idempotency-key": b"x" * 300}, {b"idempotency-key": b"\xff\xfe"}, {b"prefer": b"wait=" + b"9" * 400},
    {b"accept": b"," * 10_000}, {b"content-type": b"\xff/\xfe; charset=\xff"}, {b"content-length": b"9" * 400},
    {b"content-type": b"multipart/form-data; boundary*=utf-8''x; charset*=punycode''x"},
    {b"authorization": b"Bearer \xff"}, {b"last-event-id": b"\xff"},
]  # fmt: skip
BODY = b'{"prompt":"!!","inputs":"!!","input":{"prompt":"!!"},"version":"tunesmith/composer","text":"!!"}'


def addresses(path: str, queries: set[str]) -> Iterator[str]:
    """Yield addresses of a route with every value in its path and in each parameter."""
    for value in VALUES:
        if "{" in path:
            yield re.sub(r"\{\w+\}", value, path)
        for name in sorted(queries):
            yield re.sub(r"\{\w+\}", "x", path) + f"?{name}={value}"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    return create_app(settings, ServerOptions(host="127.0.0.1"))


def test_no_address_and_no_header_is_a_fault(app: FastAPI) -> None:
    faults: list[tuple[str, str, object, int]] = []

    async def call(client: httpx.AsyncClient, method: str, address: str, headers: dict[bytes, bytes]) -> None:
        content = None if method in ("GET", "DELETE") else BODY
        answer = await client.request(method, f"http://127.0.0.1{address}", headers=headers, content=content)
        if answer.status_code >= 500:
            faults.append((method, address, headers, answer.status_code))

    async def call_all() -> None:
        paths = app.openapi()["paths"]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False)) as client:
            for path, operations in paths.items():
                for method, operation in operations.items():
                    queries = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
                    for address in addresses(path, queries):
                        await call(client, method.upper(), address, {})
            for headers in HEADERS:
                for path in ("/api/jobs", "/v1/predictions", "/models/composer", "/v1/music"):
                    await call(client, "POST", path, headers)

    asyncio.run(call_all())
    assert faults == []


@pytest.mark.parametrize(("address", "field"), [
    ("/api/tracks?tag=%00", "tag"), ("/api/tracks?search=a%00", "search"), ("/api/tracks?model=x&tag=a%00b", "tag"),
    ("/api/jobs/%00", "path"), ("/api/jobs?before=%00", "before"), ("/api/models/a%00b", "path"),
    ("/api/jobs/" + "x" * MAX_PATH_CHARACTERS, "path"), ("/api/tracks?tag=" + "x" * MAX_QUERY_CHARACTERS, "query"),
])  # fmt: skip
def test_an_address_that_no_text_can_be_is_refused_by_its_part(app: FastAPI, address: str, field: str) -> None:
    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.get(f"http://127.0.0.1{address}")

    answer = asyncio.run(call())
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
