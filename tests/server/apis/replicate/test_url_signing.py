"""The server's secret: made once, whole or not at all, and a webhook key for each owner."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from jobs_in_memory import FakeService, serving
from receivers import receiver
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret
from replicate_server import Server, app_of, settings_in

from tunesmith.cli import run
from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.server.apis.replicate.url_signing import FILE, Secret
from tunesmith.server.app import ServerOptions, create_app

RANDOM = hashlib.sha256(b"random").digest()
PATH, SECRET_PATH = "/v1/models/meta/musicgen/predictions", "/v1/webhooks/default/secret"


def headers(owner: str) -> dict[str, str]:
    return {"authorization": f"Token {owner}"}


def test_the_secret_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    first, second = Secret.kept_in(tmp_path), Secret.kept_in(tmp_path)
    assert first.signed("output", "job") == second.signed("output", "job") != first.signed("stream", "job")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert len((tmp_path / FILE).read_bytes()) == 32
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(f".{FILE}")] == []


def test_servers_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as starting:
        secrets = list(starting.map(lambda _: Secret.kept_in(tmp_path).key("webhooks"), range(64)))
    assert len(set(secrets)) == 1


@pytest.mark.parametrize(("content", "found"), [
    (b"", "0 bytes"), (RANDOM[:31], "31 bytes"), (RANDOM + b"\n", "33 bytes"), (bytes(32), "a pattern"),
    (b"0123456789012345678901234567890a", "a pattern"), (bytes(10**6), "1000000 bytes"),
])  # fmt: skip
def test_a_file_that_is_no_secret_is_refused_in_one_line_and_left_as_it_is(
    tmp_path: Path, content: bytes, found: str
) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InvalidRequest, match=f"{FILE} must be 32 random bytes, got {found}; restore it") as caught:
        Secret.kept_in(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / FILE).read_bytes() == content


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to(path.parent / "gone")])
def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / FILE)
    with pytest.raises(InvalidRequest, match="cannot be read or created: "):
        Secret.kept_in(tmp_path)


def test_a_server_with_an_empty_secret_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    (tmp_path / FILE).touch()
    assert run(["serve", "--port", "0"]) == 2
    assert f"{FILE} must be 32 random bytes, got 0 bytes" in capsys.readouterr().err


def test_a_secret_that_others_can_read_is_used_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_bytes(RANDOM)
    (tmp_path / FILE).chmod(0o640)
    with caplog.at_level(logging.WARNING):
        Secret.kept_in(tmp_path)
    assert [message.partition("; ")[2] for message in caplog.messages] == [f"run: chmod 600 {tmp_path / FILE}"]


def test_each_owner_has_a_webhook_key_of_its_own() -> None:
    keys = [Secret(RANDOM).webhook_key(owner) for owner in (None, "", "ann", "bob", "127.0.0.1")]
    assert len(set(keys)) == len(keys)
    assert Secret(RANDOM).webhook_key("ann") == Secret(RANDOM).webhook_key("ann")
    assert Secret(os.urandom(32)).webhook_key("ann") != Secret(RANDOM).webhook_key("ann")


def test_what_one_owner_is_sent_another_s_key_does_not_verify(server: Server) -> None:
    with receiver() as there:
        body = {"input": {"prompt": "lofi"}, "webhook": there.url, "webhook_events_filter": ["completed"]}
        for owner in ("ann", "bob"):
            httpx.post(server.url + PATH, json=body, headers=headers(owner)).raise_for_status()
        for job in list(server.service.jobs.values()):
            server.service.succeed(job.id)
        received = {
            server.service.jobs[one.headers["webhook-id"].partition(".")[0]].owner: one for one in there.wait_for(2)
        }
    keys = {
        owner: WebhookSigningSecret(key=httpx.get(server.url + SECRET_PATH, headers=headers(owner)).json()["key"])
        for owner in ("ann", "bob")
    }
    for sent_to, one in received.items():
        for owner, key in keys.items():
            if owner == sent_to:
                Webhooks.validate(headers=dict(one.headers), body=one.body.decode(), secret=key)
                continue
            with pytest.raises(InvalidSignatureError):
                Webhooks.validate(headers=dict(one.headers), body=one.body.decode(), secret=key)


def test_the_key_of_an_owner_stays_the_same_when_the_server_starts_again(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with serving(app_of(FakeService(tmp_path), settings_in(tmp_path))) as url:
            keys.append(httpx.get(url + SECRET_PATH, headers=headers("ann")).json()["key"])
    assert keys[0] == keys[1]


def test_a_caller_without_a_token_gets_no_key_where_its_address_is_all_that_tells_it_apart(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path), ServerOptions(anonymous=True, host="127.0.0.1"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.get(SECRET_PATH)
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
    assert "key" not in answer.json()
