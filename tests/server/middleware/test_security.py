"""Safety: bodies, hosts, origins and routes, before anything else looks at a request; each in the dialect's shape."""

from __future__ import annotations

import json
import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from live_server import served

from tunesmith.config import Settings
from tunesmith.errors import TunesmithError
from tunesmith.logs import LimitLog
from tunesmith.server.apis.errors import add_exception_handlers
from tunesmith.server.app import ServerOptions, create_app, error_response_for
from tunesmith.server.middleware.request_limits import (
    DROP_SECONDS,
    AllowedHosts,
    BodyLimits,
    is_loopback,
    trusted_proxies,
)
from tunesmith.server.middleware.stack import SECURITY_HEADERS, MiddlewareParts, add_middleware

MEGABYTE = 10**6


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A whole server on loopback that takes bodies of a megabyte."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"), max_body_megabytes=1, allowed_hosts=("music.lan",),
        cors_origins=("https://app.example.org",), public_url="https://music.example.org/",
    )  # fmt: skip
    with served(create_app(settings, ServerOptions(host="127.0.0.1"))) as url:
        yield url


async def no_quota(_: str) -> None:
    return None


def secure(app: FastAPI, names: AllowedHosts, max_bytes: int) -> None:
    """Add the whole stack to an app."""
    limits = BodyLimits(10, max_bytes)
    add_middleware(app, MiddlewareParts(error_response_for, names, limits, LimitLog(), no_quota, lambda _: None))


def huggingface(body: Any) -> str:
    return str(body["error"])


def replicate(body: Any) -> str:
    assert {"title", "detail", "status"} <= set(body)
    return str(body["detail"])


def elevenlabs(body: Any) -> str:
    return str(body["detail"]["message"])


def openai(body: Any) -> str:
    assert {"message", "type", "param", "code"} <= set(body["error"])
    return str(body["error"]["message"])


def mcp(body: Any) -> str:
    assert body["jsonrpc"] == "2.0"
    return str(body["error"]["message"])


Shape = Callable[[Any], str]
SHAPES: list[tuple[str, Shape]] = [
    ("/models/facebook/musicgen-small", huggingface), ("/v1/predictions", replicate), ("/v1/files", replicate),
    ("/v1/music", elevenlabs), ("/v1/audio/speech", openai), ("/mcp", mcp),
]  # fmt: skip


MULTIPART = b'--x\r\ncontent-disposition: form-data; name="content"; filename="a.wav"\r\n\r\n'


@pytest.mark.parametrize(("path", "message"), SHAPES)
@pytest.mark.parametrize("is_declared", [True, False])
def test_a_body_that_is_too_large_is_refused_also_where_its_length_is_not_told(
    url: str, path: str, message: Shape, is_declared: bool
) -> None:
    start, piece = MULTIPART if path == "/v1/files" else b"", b" " * 100_000
    content = start + piece * 11 if is_declared else iter([start, *[piece] * 11])
    headers = {"content-type": "multipart/form-data; boundary=x"} if path == "/v1/files" else {}
    answer = httpx.post(url + path, content=content, headers=headers)
    assert answer.status_code == 413, answer.text
    assert "at most 1 MB" in message(answer.json())


def test_clients_that_listen_only_once_all_is_sent_are_told_too(url: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="413") as refused:
        urllib.request.urlopen(urllib.request.Request(f"{url}/v1/music", data=bytes(20 * MEGABYTE)), timeout=20)
    assert "at most 1 MB" in elevenlabs(json.load(refused.value))
    refused.value.close()


def test_a_client_that_asks_before_it_sends_is_refused_at_once(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DROP_SECONDS / 2) as connection:
        head = "POST /v1/music HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).split()[1] == b"413"


def test_a_body_of_just_the_size_allowed_is_read(url: str) -> None:
    answer = httpx.post(f"{url}/v1/music", content=b" " * MEGABYTE)
    assert (answer.status_code, answer.json()["detail"]["message"]) == (400, "body: is not JSON")


def test_a_length_that_is_a_lie_changes_nothing(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    for length in ("99999999999999999999", "-1", "x"):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            request = f"POST /v1/music HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{{"
            connection.sendall(request.encode())
            assert connection.recv(100).split()[1] in (b"413", b"400")


def test_a_body_that_the_framework_reads_is_bounded_too(tmp_path: Path) -> None:
    app = FastAPI()

    @app.post("/api/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    secure(app, AllowedHosts.of(Settings(data_dir=tmp_path), "127.0.0.1"), 1_000)
    with served(app) as url:
        assert httpx.post(f"{url}/api/echo", json={"a": 1}).json() == {"a": 1}
        for content in (b"x" * 2_000, iter([b"x" * 2_000])):
            assert httpx.post(f"{url}/api/echo", content=content).status_code == 413


HOSTS = ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "127.9.9.9", "[::1]:8765", "music.lan", "music.example.org:443"]
STRANGE = [
    "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "192.168.1.5:8765", "", "a b", "[", "localhost@x",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_names_of_this_machine_and_those_allowed_are_served(url: str, host: str) -> None:
    assert httpx.get(f"{url}/health/live", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", STRANGE)
def test_a_name_that_was_made_to_lead_here_is_not(url: str, host: str) -> None:
    for path, message in SHAPES:
        answer = httpx.post(url + path, headers={"host": host}, content=b"{}")
        assert answer.status_code == 403
        assert "allowed_hosts" in message(answer.json())
    assert httpx.get(f"{url}/health/live", headers={"host": host}).status_code == 403


GOOD_ORIGINS = ["http://localhost:5173", "http://127.0.0.1", "https://app.example.org", "https://music.example.org"]
BAD_ORIGINS = ["https://evil.example", "null", "http://localhost.evil.example", "https://app.example.org.evil.example"]


@pytest.mark.parametrize("origin", BAD_ORIGINS)
def test_a_page_elsewhere_cannot_have_anything_done(url: str, origin: str) -> None:
    for path, message in SHAPES:
        headers = {"origin": origin, "content-type": "text/plain"}  # what a browser sends without asking first
        answer = httpx.post(url + path, headers=headers, content=b"{}")
        assert answer.status_code == 403
        assert "cors_origins" in message(answer.json())
        assert "access-control-allow-origin" not in answer.headers
    read = httpx.get(f"{url}/health/live", headers={"origin": origin})
    assert "access-control-allow-origin" not in read.headers


@pytest.mark.parametrize("origin", GOOD_ORIGINS)
def test_pages_that_may_call_ask_first_and_read_the_headers(url: str, origin: str) -> None:
    wanted = "authorization,content-type,accept,prefer,x-wait-for-model,x-use-cache,xi-api-key,idempotency-key"
    asks = {"access-control-request-method": "POST", "access-control-request-headers": wanted}
    preflight = httpx.options(f"{url}/models/a/b", headers={"origin": origin, **asks})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    assert set(wanted.split(",")) <= set(preflight.headers["access-control-allow-headers"].replace(" ", "").split(","))
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answer = httpx.post(f"{url}/models/a/b", headers={"origin": origin}, content=b"{}")
    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-expose-headers"] == "*"


def test_a_server_that_others_reach_is_called_by_any_name_unless_names_are_set(tmp_path: Path) -> None:
    anywhere = AllowedHosts.of(Settings(data_dir=tmp_path), "0.0.0.0")
    assert anywhere.has_host("any.example")
    assert anywhere.has_origin("https://any.example", "any.example")
    named = AllowedHosts.of(Settings(data_dir=tmp_path, allowed_hosts=("music.lan",)), "0.0.0.0")
    assert [named.has_host(host) for host in ("music.lan:80", "localhost", "any.example")] == [True, True, False]
    every = AllowedHosts.of(Settings(data_dir=tmp_path, allowed_hosts=("*",), cors_origins=("*",)), "127.0.0.1")
    assert every.has_host("any.example")
    assert every.has_origin("https://any.example", "localhost")


NOWHERE: list[tuple[str, Shape]] = [
    ("/nothing", huggingface), ("/v1/nothing", replicate),
    ("/v1/predictions/x/y/z", replicate), ("/v1/music/nothing", elevenlabs), ("/v1/audio/nothing", openai),
    ("/mcp/nothing", mcp),
]  # fmt: skip


@pytest.mark.parametrize(("path", "message"), NOWHERE)
def test_a_path_that_leads_nowhere_is_said_in_shape(url: str, path: str, message: Shape) -> None:
    answer = httpx.post(url + path, content=b"{}")
    assert answer.status_code == 404
    assert path in message(answer.json())


@pytest.mark.parametrize(("path", "message"), [*SHAPES[:1], *SHAPES[3:5], ("/v1/files", replicate)])
def test_a_method_that_is_not_taken_is_said_in_shape(url: str, path: str, message: Shape) -> None:
    answer = httpx.request("PATCH", url + path)
    assert answer.status_code == 405
    assert "POST" in message(answer.json())
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/health/live", "/v1/predictions", "/models/a/b", "/nothing"])
def test_every_answer_keeps_browsers_from_guessing(url: str, path: str) -> None:
    for answer in (httpx.post(url + path), httpx.get(url + path), httpx.get(url + path, headers={"host": "evil"})):
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_what_nobody_foresaw_is_hidden_in_the_dialects_shape_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI()

    @app.get("/v1/music/broken")
    async def broken() -> None:
        raise RuntimeError("the inside of the server")

    secure(app, AllowedHosts.of(Settings(data_dir=tmp_path), None), MEGABYTE)
    with caplog.at_level(logging.ERROR), served(app) as url:
        answer = httpx.get(f"{url}/v1/music/broken")
    assert (answer.status_code, "inside" in answer.text) == (500, False)
    assert "log" in elevenlabs(answer.json())
    assert "the inside of the server" in caplog.text


def test_parameters_that_cannot_be_read_are_said_in_shape() -> None:
    app = FastAPI()

    @app.get("/v1/audio/number")
    async def number(limit: int) -> int:
        return limit

    add_exception_handlers(app, error_response_for)
    with served(app) as url:
        answer = httpx.get(f"{url}/v1/audio/number", params={"limit": "x"})
    assert answer.status_code == 422
    assert openai(answer.json()).startswith("limit: ")


@pytest.mark.parametrize(("host", "answer"), [
    ("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.1.2.3", True), ("0.0.0.0", False), ("::", False),
    ("", False), ("192.168.1.2", False), ("example.org", False), ("127.1", False),
])  # fmt: skip
def test_what_only_this_machine_reaches_is_told(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


def test_proxies_are_addresses_and_never_everybody(tmp_path: Path) -> None:
    good = ("10.0.0.0/8", "127.0.0.1", "::1")
    assert trusted_proxies(Settings(data_dir=tmp_path, trusted_proxies=good)) == list(good)
    for bad in ("*", "proxy.lan", "10.0.0.1/8", ""):
        with pytest.raises(TunesmithError, match="setting trusted_proxies: must be addresses"):
            trusted_proxies(Settings(data_dir=tmp_path, trusted_proxies=(bad,)))


CLIMBS = [
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "....//etc/passwd", "/etc/passwd", "%2e%2e/%2e%2e/secret", "a%00b",
]  # fmt: skip


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_path_in_a_request_reaches_the_file_system(url: str, climb: str) -> None:
    """The server's own secret lies next to its folders; no request leads there."""
    paths = [
        f"/v1/files/{climb}", f"/v1/files/{climb}/download", f"/v1/predictions/{climb}", f"/v1/models/{climb}",
        f"/v1/outputs/{climb}/x/y", f"/v1/streams/{climb}/x", f"/models/{climb}", f"/api/tracks/{climb}",
        f"/api/jobs/{climb}", f"/status/{climb}",
    ]  # fmt: skip
    for path in paths:
        for method in ("GET", "DELETE", "POST"):
            answer = httpx.request(method, url + path, content=b"{}")
            harmless = answer.status_code in (307, 400, 404, 405, 422) or path.startswith("/status")
            assert harmless, (method, path, answer.text)
            assert "root:" not in answer.text


@pytest.mark.parametrize("climb", ["../../../x", "/etc/passwd", "a/../../b", "C:\\x", "..", ".", "~root", "x\x00y"])
def test_no_name_in_a_body_reaches_the_file_system(url: str, climb: str) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/models/x/y", {"inputs": "calm", "model": climb}),
        ("/", {"inputs": "calm", "model": climb}),
        ("/models/composer", {"inputs": "calm", "parameters": {"format": climb}}),
        ("/v1/audio/speech", {"input": "calm", "model": climb}),
        ("/v1/audio/speech", {"input": "calm", "response_format": climb}),
        ("/v1/music", {"prompt": "calm", "model_id": climb}),
        (f"/v1/music?output_format={climb.replace(chr(0), '%00')}", {"prompt": "calm"}),
        ("/v1/predictions", {"version": climb, "input": {"prompt": "calm"}}),
        ("/v1/predictions", {"version": "tunesmith/composer", "input": {"prompt": "calm", "output_format": climb}}),
        ("/v1/predictions", {"version": "tunesmith/composer", "input": {"prompt": "calm", "input_audio": climb}}),
        ("/v1/predictions", {"version": "tunesmith/composer", "input": {"prompt": "calm", "input_audio": f"file://{climb}"}}),
    ]  # fmt: skip
    for path, body in bodies:
        answer = httpx.post(url + path, content=json.dumps(body))
        assert answer.status_code in (400, 404, 422), (path, body, answer.text)
