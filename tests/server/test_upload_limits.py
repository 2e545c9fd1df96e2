"""Uploads: the quota, an owner's day and the disk's budget hold at every door that takes a recording or a file."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sounds import wav_bytes

from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import TokenRequest, Tokens
from tunesmith.logs import LimitLog
from tunesmith.server import upload_limits as uploads
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.auth import RateLimits
from tunesmith.server.errors import UploadLimited, UploadsFull
from tunesmith.server.upload_limits import MAKE_ROOM_SECONDS, MEASURE_SECONDS, UploadBudget, Uploads

Send = Callable[[TestClient, bytes, dict[str, str]], Any]
MEGABYTE = 10**6


def as_file(client: TestClient, sound: bytes, headers: dict[str, str]) -> Any:
    return client.post("/v1/files", files={"content": ("a.wav", sound, "audio/wav")}, headers=headers)


def as_part(client: TestClient, sound: bytes, headers: dict[str, str]) -> Any:
    form = {"prompt": "calm", "duration": "2"}
    return client.post("/api/jobs", data=form, files={"melody": ("a.wav", sound, "audio/wav")}, headers=headers)


def as_base64(client: TestClient, sound: bytes, headers: dict[str, str]) -> Any:
    body = {"prompt": "calm", "duration": 2, "audio": base64.b64encode(sound).decode()}
    return client.post("/api/jobs", json=body, headers=headers)


def as_data_uri(client: TestClient, sound: bytes, headers: dict[str, str]) -> Any:
    uri = f"data:audio/wav;base64,{base64.b64encode(sound).decode()}"
    body = {"input": {"prompt": "calm", "duration": 2, "input_audio": uri}}
    return client.post("/v1/models/meta/musicgen/predictions", json=body, headers=headers)


def message_of(answer: Any) -> str:
    body = answer.json()
    return str(body["detail"] if "detail" in body else body["error"]["message"])


DOORS = [as_file, as_part, as_base64, as_data_uri]


@contextmanager
def house(folder: Path, **settings: Any) -> Iterator[TestClient]:
    """Serve callers with and without tokens; the jobs stay in the queue, because nobody starts the dispatcher."""
    options = ServerOptions(anonymous=True, host="127.0.0.1")
    app = create_app(Settings(data_dir=folder, **settings), options)
    yield TestClient(app, base_url="http://127.0.0.1", client=("198.51.100.7", 1))


def kept(folder: Path) -> list[Path]:
    return [path for name in ("inputs", "files") for path in (folder / name).rglob("*") if path.name != ".lock"]


@pytest.mark.parametrize("send", DOORS)
def test_who_has_used_up_its_quota_hands_nothing_in_and_nothing_is_kept(tmp_path: Path, send: Send) -> None:
    with house(tmp_path, anonymous_quota="1/day") as client:
        client.post("/api/jobs", json={"prompt": "calm", "duration": 2}).raise_for_status()
        answer = send(client, wav_bytes(), {})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert kept(tmp_path) == []


@pytest.mark.parametrize("send", DOORS)
def test_the_bytes_of_a_day_are_an_owner_s_own(tmp_path: Path, send: Send) -> None:
    with house(tmp_path, upload_gigabytes_per_day=0.002) as client:
        with closing(open_database(Settings(data_dir=tmp_path))) as database:
            token = Tokens(database).create(TokenRequest("ann")).secret
        sounds = [wav_bytes(seconds) for seconds in (0.5, 1.0, 1.5)]
        assert [send(client, sound, {}).status_code // 100 for sound in sounds[:2]] == [2, 2]
        before = kept(tmp_path)
        refused = send(client, sounds[2], {})
        assert kept(tmp_path) == before
        assert send(client, sounds[2], {"authorization": f"Bearer {token}"}).status_code // 100 == 2
    assert refused.status_code == 429
    assert "limit of 0.002 GB of uploads a day reached; try again in " in message_of(refused)
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize("send", DOORS)
def test_what_does_not_fit_into_the_budget_is_refused_and_leaves_nothing(tmp_path: Path, send: Send) -> None:
    with house(tmp_path, result_gigabytes=1e-6) as client:
        answer = send(client, wav_bytes(), {})
    assert answer.status_code == 507
    assert "the server keeps 0 of 1e-06 GB of uploads and has no room for " in message_of(answer)
    assert str(tmp_path) not in answer.text
    assert kept(tmp_path) == []


def test_an_upload_that_fits_is_kept_up_to_the_last_byte(tmp_path: Path) -> None:
    sound = wav_bytes()
    with house(tmp_path, result_gigabytes=(len(sound) + 1000) / 1e9) as client:
        assert as_file(client, sound, {}).status_code == 201
        assert as_file(client, sound, {}).status_code == 507


def test_the_same_request_again_is_answered_also_when_the_quota_is_used_up(tmp_path: Path) -> None:
    with house(tmp_path, anonymous_quota="1/day") as client:
        first = as_part(client, wav_bytes(), {"idempotency-key": "k"})
        again = as_part(client, wav_bytes(), {"idempotency-key": "k"})
        other = as_part(client, wav_bytes(), {"idempotency-key": "other"})
    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 429)
    assert first.json()["id"] == again.json()["id"]


def test_a_used_up_quota_has_the_server_fetch_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fetched(*_: object) -> bytes:
        raise AssertionError("the server fetched")

    monkeypatch.setattr("tunesmith.server.remote_audio.RemoteAudioFetcher.fetch", fetched)
    url = "https://sounds.example.org/a.wav"
    with house(tmp_path, anonymous_quota="1/day") as client:
        client.post("/api/jobs", json={"prompt": "calm", "duration": 2}).raise_for_status()
        assert client.post("/api/jobs", json={"prompt": "calm", "melody": url}).status_code == 429
        body = {"input": {"prompt": "calm", "input_audio": url}}
        assert client.post("/v1/models/meta/musicgen/predictions", json=body).status_code == 429


def enter(context: AbstractContextManager[None]) -> None:
    with context:
        pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def put(folder: Path, name: str, size: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes(size))
    return folder / name


def test_a_budget_counts_what_others_put_there_and_what_it_lets_in(tmp_path: Path) -> None:
    clock = Clock()
    folders = [tmp_path / "a", tmp_path / "b"]
    put(folders[0], "one", 300), put(folders[1] / "deep", "two", 300)
    budget = UploadBudget(folders, 1000, clock=clock)
    with budget.reserve(400), pytest.raises(UploadsFull):
        enter(budget.reserve(1))
    with pytest.raises(UploadsFull):
        enter(budget.reserve(1))
    clock.now += MEASURE_SECONDS  # nothing was written
    with pytest.raises(ZeroDivisionError), budget.reserve(400):
        raise ZeroDivisionError
    with budget.reserve(400):
        put(folders[0], "three", 400)
    clock.now += MEASURE_SECONDS
    with pytest.raises(UploadsFull):
        enter(budget.reserve(1))


def test_a_budget_makes_room_before_it_refuses_and_not_at_each_refusal(tmp_path: Path) -> None:
    clock, asked = Clock(), list[int]()
    old = put(tmp_path, "old", 900)

    def make_room(size: int) -> None:
        asked.append(size)
        old.unlink(missing_ok=True)

    budget = UploadBudget([tmp_path], 1000, make_room, clock)
    with budget.reserve(1000):
        for _ in range(100):
            with pytest.raises(UploadsFull):
                enter(budget.reserve(1))
        assert asked == [1000]
        clock.now += MAKE_ROOM_SECONDS
        with pytest.raises(UploadsFull):
            enter(budget.reserve(5))
        assert asked == [1000, 5]


def test_the_last_of_the_disk_is_not_for_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LEAST_FREE_BYTES", float("inf"))
    with pytest.raises(UploadsFull, match="the disk is full"):
        enter(UploadBudget([tmp_path], 1e12).reserve(1))


def test_old_recordings_go_to_make_room_for_a_new_one(tmp_path: Path) -> None:
    sound = wav_bytes()
    old = put(tmp_path / "inputs", "0" * 64, len(sound))
    os.utime(old, (0, 0))
    with house(tmp_path, result_gigabytes=(len(sound) + 1000) / 1e9, result_days=1e5) as client:
        assert as_part(client, sound, {}).status_code == 202
    assert not old.exists()


def test_refusals_are_told_to_the_operator_once_a_minute_with_their_owner(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "tunesmith.limits"), house(tmp_path, anonymous_quota="1/day") as client:
        client.post("/api/jobs", json={"prompt": "calm", "duration": 2}).raise_for_status()
        for _ in range(20):
            assert as_file(client, wav_bytes(), {}).status_code == 429
    (line,) = [vars(record) for record in caplog.records if record.name == "tunesmith.limits"]
    assert (line["reason"], line["owner"]) == ("upload_quota", "198.51.100.7")
    assert "limit of 1 piece a day reached" in line["problem"]


@pytest.mark.parametrize(("size", "taken"), [(1, 10), (MEGABYTE, 10), (4 * MEGABYTE, 2)])
def test_a_day_holds_a_bounded_number_of_files_and_refusals_count_nothing(size: int, taken: int) -> None:
    clock = Clock()
    limits = Uploads(lambda *_: None, RateLimits(clock=clock), UploadBudget([], 0), LimitLog(), 10 * MEGABYTE)

    async def count(times: int) -> int:
        done = 0
        for _ in range(times):
            with suppress(UploadLimited):
                await limits.count("ann", size)
                done += 1
        return done

    async def days() -> list[int]:
        first = await count(30)
        clock.now += 86_400
        return [first, await count(30)]

    assert asyncio.run(days()) == [taken, taken]
