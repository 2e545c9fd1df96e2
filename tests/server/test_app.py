"""The application: every path has a dialect whose clients can read its errors, and all of it starts and stops."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from live_server import served

from tunesmith.config import Settings
from tunesmith.errors import (
    DatabaseBusy,
    DatabaseError,
    DatabaseFull,
    DatabaseOutOfReach,
    DiskFull,
    FolderUnavailable,
    InvalidRequest,
    JobNotFound,
    ModelNotInstalled,
    QueueFull,
    RateLimited,
    ServerStopping,
    TunesmithError,
    UnknownName,
)
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import RateLimit, TokenRequest, Tokens
from tunesmith.server.app import ServerOptions, create_app, error_response_for
from tunesmith.server.errors import Forbidden, ModelIsLoading, Unauthenticated

Message = Callable[[Any], str]


def huggingface(body: Any) -> str:
    assert set(body) <= {"error", "error_type", "estimated_time"}
    return str(body["error"])


def replicate(body: Any) -> str:
    assert {"title", "detail", "status"} <= set(body)
    return str(body["detail"])


def elevenlabs(body: Any) -> str:
    assert set(body) == {"detail"}
    assert set(body["detail"]) == {"status", "message"}
    return str(body["detail"]["message"])


def openai(body: Any) -> str:
    assert {"message", "type", "param", "code"} <= set(body["error"])
    return str(body["error"]["message"])


def openai_and_replicate(body: Any) -> str:
    assert replicate(body)
    return openai(body)


def own(body: Any) -> str:
    assert set(body) == {"error"}
    assert {"type", "message"} <= set(body["error"]) <= {"type", "message", "field"}
    return str(body["error"]["message"])


def mcp(body: Any) -> str:
    assert (body["jsonrpc"], body["id"]) == ("2.0", None)
    return str(body["error"]["message"])


SHAPES: dict[str, Message] = {
    "/models/facebook/musicgen-small": huggingface, "/": huggingface, "/predict": huggingface, "/info": huggingface,
    "/v1/predictions": replicate, "/v1/files": replicate, "/v1/account": replicate, "/v1/deployments": replicate,
    "/v1/models": openai_and_replicate, "/v1/models/meta/musicgen": openai_and_replicate,
    "/v1/music": elevenlabs, "/v1/sound-generation": elevenlabs, "/v1/audio/speech": openai,
    "/api/jobs": own, "/api/generate": own, "/api/tracks": own, "/api/models": own, "/mcp": mcp,
}  # fmt: skip
STATUSES: list[tuple[TunesmithError, int]] = [
    (Unauthenticated("no token was given"), 401), (Forbidden("you may not"), 403), (JobNotFound("x"), 404),
    (ModelNotInstalled("x is not installed; install it with: tunesmith pull x"), 404),
    (UnknownName("model", "x", ()), 404),
    (InvalidRequest("prompt", "is missing"), 422), (RateLimited("1 a minute", 7), 429),
    (ServerStopping(), 503), (QueueFull(5, 7), 503),
    (DatabaseBusy("/secret/tunesmith.db", "is locked by another program"), 503),
    (DatabaseOutOfReach("postgresql://secret/x", "no answer from the secret host"), 503),
    (DatabaseFull("/secret/tunesmith.db", "cannot grow: the disk is full"), 507),
    (DiskFull("the disk is full: the audio could not be stored"), 507),
    (DatabaseError("/secret/tunesmith.db", "is damaged"), 503),
    (FolderUnavailable(Path("/secret/results"), "Permission denied"), 503),
    (TunesmithError("a secret of the program"), 500),
]  # fmt: skip
every_path = pytest.mark.parametrize("path", SHAPES)


@every_path
@pytest.mark.parametrize(("error", "status"), STATUSES)
def test_every_error_has_one_status_and_each_dialects_shape(path: str, error: TunesmithError, status: int) -> None:
    answer = error_response_for(path, error)
    assert answer.status_code == status
    text = SHAPES[path](json.loads(bytes(answer.body)))
    assert text
    assert "secret" not in bytes(answer.body).decode()
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 1


def test_a_model_that_is_loading_says_when_it_will_be_there_as_huggingfaces_does() -> None:
    answer = error_response_for("/models/facebook/musicgen-small", ModelIsLoading("facebook/musicgen-small", 23.44))
    assert bytes(answer.body) == (
        b'{"error":"Model facebook/musicgen-small is currently loading","estimated_time":23.4}'
    )
    assert answer.headers["retry-after"] == "24"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("data")), ServerOptions(host="127.0.0.1"))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that wants a token, and has a route with a fault."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("closed"))
    database = open_database(settings)
    Tokens(database).create(TokenRequest("x"))
    database.close()
    with served(create_app(settings, ServerOptions(host="127.0.0.1"))) as url:
        yield url


def operations(app: FastAPI) -> dict[tuple[str, str], Any]:
    """Return what is described, by method and path."""
    paths = app.openapi()["paths"]
    return {(method, path): operation for path, methods in paths.items() for method, operation in methods.items()}


@every_path
def test_without_a_token_every_door_is_closed_in_its_own_words(closed: str, path: str) -> None:
    method = "GET" if path in ("/info", "/v1/account", "/v1/deployments") or "/models" in path[:10] else "POST"
    method = "POST" if path == "/models/facebook/musicgen-small" else method
    answer = httpx.request(method, closed + path, json={})
    if answer.status_code == 405:
        answer = httpx.get(closed + path)
    assert answer.status_code == 401, answer.text
    assert SHAPES[path](answer.json())


OPEN = {
    ("get", path) for path in (
        "/", "/api/version", "/health", "/health/live", "/health/ready",
        "/v1/outputs/{job_id}/{signature}/{name}", "/v1/streams/{job_id}/{signature}",
    )
}  # fmt: skip
"""What needs no token: the front door, signs of life, the version, and addresses that are signed."""


def test_only_signs_of_life_and_signed_addresses_are_open_to_everyone(closed: str, app: FastAPI) -> None:
    doors = {(method, path) for method, path in operations(app)} - OPEN
    assert len(doors) > 40
    with httpx.Client(base_url=closed) as client:
        answers = {
            (method, path): client.request(method, path.replace("{", "").replace("}", ""), json={}).status_code
            for method, path in sorted(doors)
        }
    assert {door: status for door, status in answers.items() if status != 401} == {}


def test_the_description_lists_every_route_once(app: FastAPI) -> None:
    described = operations(app)
    names = [operation["operationId"] for operation in described.values()]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in described.values())
    assert {path for _, path in described} >= {"/models/{model}", "/v1/predictions", "/api/jobs", "/v1/music"}


@pytest.mark.parametrize(("options", "anonymous", "open_at_first"), [
    (ServerOptions(host="127.0.0.1"), False, True), (ServerOptions(host="::1"), False, True),
    (ServerOptions(host="localhost"), False, True), (ServerOptions(), False, True),
    (ServerOptions(host="0.0.0.0"), False, False), (ServerOptions(host="music.lan"), False, False),
    (ServerOptions(host="0.0.0.0", anonymous=True), True, False),
])  # fmt: skip
def test_only_a_server_that_others_cannot_reach_is_open_at_first(
    options: ServerOptions, anonymous: bool, open_at_first: bool
) -> None:
    access = options.access(Settings(anonymous_rate="7/hour"))
    assert (access.anonymous, access.open_at_first) == (anonymous, open_at_first)
    assert access.anonymous_rate == RateLimit.parse("x", "7/hour")


def test_a_setting_that_cannot_be_is_named_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="setting anonymous_quota"):
        create_app(Settings(data_dir=tmp_path / "data", anonymous_quota="many"))


def test_a_fault_is_hidden_in_the_dialects_shape_and_the_server_lives_on(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path), ServerOptions(host="127.0.0.1"))

    async def fail() -> None:
        raise ZeroDivisionError("a secret of the program")

    for path in ("/api/fail", "/v1/fail", "/mcp/fail", "/v1/music/fail", "/fail"):
        app.add_api_route(path, fail)
    with served(app) as url:
        for path, message in (
            ("/api/fail", own), ("/v1/fail", replicate), ("/v1/music/fail", elevenlabs), ("/fail", huggingface),
        ):  # fmt: skip
            answer = httpx.get(url + path)
            assert answer.status_code == 500
            assert message(answer.json())
            assert "secret" not in answer.text
        assert httpx.get(f"{url}/health/live").status_code == 200


def test_the_page_of_what_can_be_asked_works_without_the_internet(tmp_path: Path) -> None:
    with served(create_app(Settings(data_dir=tmp_path))) as url, httpx.Client(base_url=url) as client:
        files = re.findall(r'(?:src|href)="([^"]+)"', client.get("/docs").raise_for_status().text)
        assert len(files) >= 3
        for file in files:
            assert file.startswith("/docs/static/"), file
            assert client.get(file).raise_for_status().content
        assert "/api/generate" in client.get("/openapi.json").json()["paths"]


def test_an_app_starts_works_and_stops_again_and_again_over_one_folder(tmp_path: Path) -> None:
    for number in range(3):
        with served(create_app(Settings(data_dir=tmp_path), ServerOptions(host="127.0.0.1"))) as url:
            body = {"prompt": f"calm piano {number}", "duration": 1}
            assert httpx.post(f"{url}/api/generate", json=body, timeout=60).status_code == 200
            assert len(httpx.get(f"{url}/api/jobs").json()["jobs"]) == number + 1
