"""What the clients give back and raise, away from any server."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith import ApiError, AsyncTunesmith, Clip, InvalidRequest, RemoteJob, ServerBusy, Tunesmith, errors
from tunesmith.files import atomic_write

JOB = {
    "id": "j",
    "state": "succeeded",
    "progress": 1.0,
    "stage": "",
    "eta_seconds": None,
    "request": {},
    "metadata": {},
}
ERRORS: list[errors.TunesmithError] = [
    ServerBusy("later", status=429, kind="RateLimited", retry_after=3.5),
    ApiError("no", status=422, field="duration"),
    errors.GenerationFailed("InternalError", "it broke"),
    InvalidRequest("base_url", "must be one"),
    errors.UnknownName("genre", "jaz", ["jazz"]),
    errors.InvalidScore("no such beat", line=3, part="bass"),
    errors.RateLimited("60 a minute", 7),
    errors.DeadlineExceeded("too late"),
    errors.GenerationCancelled(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("copied", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy], ids=["pickle", "copy"])
def test_errors_go_from_process_to_process(error: errors.TunesmithError, copied: Any) -> None:
    same = copied(error)
    assert type(same) is type(error)
    assert (str(same), same.exit_code, vars(same)) == (str(error), error.exit_code, vars(error))


def _half() -> Iterator[bytes]:
    yield b"half"
    raise OSError("the disk is full")


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    there = tmp_path / "piano.wav"
    there.write_bytes(b"as it was")
    with pytest.raises(OSError, match="full"), atomic_write(there) as file:
        file.writelines(_half())
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("piano.wav", b"as it was")]
    Clip(b"new", RemoteJob.of(JOB)).save(there)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("piano.wav", b"new")]


def test_a_link_stays_one_and_a_device_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "there.wav").write_bytes(b"old")
    link = tmp_path / "link.wav"
    link.symlink_to("there.wav")
    clip = Clip(b"new", RemoteJob.of(JOB))
    assert clip.save(str(link)) == link
    assert link.is_symlink()
    assert (tmp_path / "there.wav").read_bytes() == b"new"
    clip.save("/dev/null")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("client", [Tunesmith, AsyncTunesmith])
def test_neither_token_nor_password_is_shown(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = client("http://me:secret@127.0.0.1:1/studio/", "ts_secret")
    assert repr(made) == f"{client.__name__}('http://127.0.0.1:1/studio')"
    for spoilt in ("ts_secret\n", "ts secret", "ts_s\N{LATIN SMALL LETTER E WITH ACUTE}cret"):
        with pytest.raises(InvalidRequest, match="token: must be printable") as refused:
            client("http://127.0.0.1:1", spoilt)
        assert "secret" not in str(refused.value)
        monkeypatch.setenv("TUNESMITH_TOKEN", spoilt)
        with pytest.raises(InvalidRequest, match="token"):
            client("http://127.0.0.1:1")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/?a=1", "http://127.0.0.1:1/#top"])
def test_an_address_with_more_than_a_path_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="base_url"):
        Tunesmith(url)


@pytest.mark.parametrize("client", [Tunesmith, AsyncTunesmith])
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("ALL_PROXY", "ftp://proxy", "Unknown scheme"), ("SSL_CERT_FILE", "/none/at/all", "No such file")],
)
def test_an_environment_that_cannot_be_used_is_named(
    client: Any, name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidRequest, match=f"{name}.*: .*{told}"):
        client("https://music.invalid")


@pytest.mark.parametrize("url", ["http://[::1]:8765", "http://localhost", "http://127.1.2.3:80/path"])
def test_this_machine_may_be_named_in_any_way(url: str) -> None:
    assert Tunesmith(url).base_url == url


def test_a_password_is_not_in_the_errors_either() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    transport = httpx.MockTransport(refuse)
    with (
        Tunesmith("http://me:secret@music.invalid", deadline=0.2, transport=transport) as client,
        pytest.raises(errors.ServerUnreachable, match=r"http://music\.invalid/api/version: no route") as failed,
    ):
        client.version()
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize("body", [b"[]", b"<html>", b"{}", b'"ok"', b"\xff"])
def test_answers_of_something_else_are_told_as_such(body: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    with Tunesmith("http://music.invalid", transport=transport) as client:
        for call in (
            client.version, client.models, client.tracks, client.jobs, client.loaded, lambda: client.job("one"),
            lambda: client.submit("piano"), lambda: client.generate("piano"), lambda: client.vary("one"),
        ):  # fmt: skip
            with pytest.raises(ApiError, match="not a response of a Tunesmith server"):
                call()


@pytest.mark.parametrize("text", ["data: <html>", "data: []", "data: {}"])
def test_news_of_something_else_are_told_as_such(text: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=f": hello\n\n{text}\n\n"))
    with (
        Tunesmith("http://music.invalid", transport=transport) as client,
        pytest.raises(ApiError, match="not a response of a Tunesmith server"),
    ):
        list(client.follow("one"))


def test_ids_are_one_part_of_the_path() -> None:
    asked: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(404, json={"error": {"type": "JobNotFound", "message": "there is no such job"}})

    with Tunesmith("http://music.invalid/studio", transport=httpx.MockTransport(answer)) as client:
        for call in (client.job, client.track, client.wait):
            with pytest.raises(errors.NotFound):
                call("a/b?c=1#d")
    assert [path.partition(b"?")[0] for path in asked] == [
        b"/studio/api/jobs/a%2Fb%3Fc%3D1%23d", b"/studio/api/tracks/a%2Fb%3Fc%3D1%23d",
        b"/studio/api/jobs/a%2Fb%3Fc%3D1%23d",
    ]  # fmt: skip


@pytest.mark.parametrize("deadline", [float("inf"), 1e12])
def test_a_deadline_may_be_as_far_away_as_one_likes(deadline: float) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"version": "9.9"}))
    with Tunesmith("http://music.invalid", deadline=deadline, transport=transport) as client:
        assert client.version() == "9.9"


def test_no_time_at_all_asks_for_nothing() -> None:
    with Tunesmith("http://127.0.0.1:1", deadline=0) as client, pytest.raises(errors.DeadlineExceeded):
        client.version()
