"""requests, urllib and curl, with every Content-Type that they send, and none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from listening_to import heard
from plain_callers import Answer, Call, Caller, GaveUp, every_caller
from serving import BROKEN, TINY, WRONG_TOKEN, Serving

from tunesmith.jobs.job import JobState

CONTENT_TYPES = (
    None, "application/json", "application/json; charset=utf-8", "text/plain", "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded", "application/octet-stream", "multipart/form-data; boundary=x", "audio/wav",
    "*/*", "nonsense",
)  # fmt: skip
JSON = "application/json"
SHORT = {"duration": 1, "seed": 7}
PATHS: Mapping[str, dict[str, Any]] = {
    "/": {"inputs": "calm piano", "parameters": SHORT},
    f"/hf-inference/models/{TINY}": {"inputs": ["calm piano"], "parameters": SHORT},
    f"/pipeline/text-to-audio/{TINY}": {"input": "calm piano", "parameters": SHORT},
    "/api/generate": {"prompt": "calm piano", **SHORT},
    "/v1/sound-generation": {"text": "calm piano", "duration_seconds": 1},
    "/v1/audio/speech": {"model": "tts-1", "voice": "alloy", "input": "calm piano", **SHORT},
}
"""What asks for a second of music where."""


def asked(caller: Caller, server: Serving, path: str, body: Any, **options: Any) -> Answer:
    """Post JSON, or bytes as they are, without a token unless one is given."""
    headers: dict[str, str | None] = {"Content-Type": options.pop("content_type", JSON)}
    token, timeout = options.pop("token", None), options.pop("timeout", 60.0)
    headers |= options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return caller(Call(server.url + path, content, headers, timeout))


def told(answer: Answer) -> str:
    """Return what an error says."""
    body = json.loads(answer.body)
    assert answer.headers["content-type"] == JSON
    assert isinstance(body["error"], str)
    return str(body["error"])


@every_caller
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_json_is_read_whatever_it_is_called(server: Serving, caller: Caller, content_type: str | None) -> None:
    body = {"inputs": "calm piano", "parameters": {"seed": 7, "format": "flac"}}
    answer = asked(caller, server, "/models/prompt", body, content_type=content_type)
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/flac"), answer.body
    assert answer.headers["x-tunesmith-seed"] == "7"


@every_caller
@pytest.mark.parametrize("path", PATHS)
def test_every_dialect_gives_sound_also_to_those_who_do_not_say_what_they_send(
    server: Serving, caller: Caller, path: str
) -> None:
    answers = [asked(caller, server, path, PATHS[path], content_type=one) for one in (None, CONTENT_TYPES[5])]
    for answer in answers:
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"].startswith("audio/")
        assert not heard(answer.body).is_silent


@every_caller
def test_a_form_and_a_bare_prompt_are_read(server: Serving, caller: Caller) -> None:
    form = urlencode({"inputs": "form of a piano"}).encode()
    multipart = b'--x\r\nContent-Disposition: form-data; name="inputs"\r\n\r\nparts of a piano\r\n--x--\r\n'
    for content_type, body, prompt in (
        (CONTENT_TYPES[5], form, "form of a piano"),
        (CONTENT_TYPES[5], b"bare piano", "bare piano"),
        ("text/plain", "ein Klavier, süß".encode(), "ein Klavier, süß"),
        (None, b'"quoted piano"', "quoted piano"),
        (CONTENT_TYPES[7], multipart, "parts of a piano"),
    ):
        answer = asked(caller, server, "/models/prompt", body, content_type=content_type)
        assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav"), answer.body
        assert server.job_of(prompt), prompt


@every_caller
def test_a_body_of_nearly_a_megabyte_is_read_and_one_of_more_is_refused(server: Serving, caller: Caller) -> None:
    body = {"inputs": "calm piano", "parameters": {"seed": 7}, "notes": ["x" * 15_000] * 60}
    assert asked(caller, server, "/models/prompt", body).headers["x-tunesmith-seed"] == "7"
    answer = asked(caller, server, "/models/prompt", {**body, "notes": ["x" * 15_000] * 200})
    assert (answer.status, json.loads(answer.body)) == (413, {"error": "the request must be at most 1 MB"})


def test_a_body_in_pieces_of_no_told_length_is_read(server: Serving) -> None:
    pieces = iter([b'{"inputs": "calm', b' piano", "parameters"', b': {"seed": 7}}'])
    with requests.post(f"{server.url}/models/prompt", data=pieces, timeout=60) as answer:
        assert answer.headers["x-tunesmith-seed"] == "7"


@every_caller
def test_the_first_sound_in_accept_that_can_be_written_is_what_comes(server: Serving, caller: Caller) -> None:
    wishes = {"image/png, audio/x-flac;q=0.9, audio/mpeg": "audio/flac", "audio/mpeg": "audio/mpeg", "*/*": "audio/wav"}
    for accept, content_type in wishes.items():
        answer = asked(caller, server, "/models/prompt", {"inputs": "calm piano"}, headers={"Accept": accept})
        assert answer.headers["content-type"] == content_type


@every_caller
def test_a_cold_model_is_waited_for(musicgen_server: Serving, caller: Caller) -> None:
    answer = asked(caller, musicgen_server, f"/models/{TINY}", {"inputs": "calm piano", "parameters": SHORT})
    assert heard(answer.body).seconds == 1.0
    assert answer.headers["x-tunesmith-model"] == "musicgen-small"


@every_caller
def test_who_does_not_want_to_wait_is_told_how_long_it_takes(musicgen_server: Serving, caller: Caller) -> None:
    body = {"inputs": "calm piano", "options": {"wait_for_model": False}}
    try:
        answer = asked(caller, musicgen_server, "/models/slow", body)
        assert answer.status == 503
        assert told(answer) == "Model slow is currently loading"
        assert 1 <= json.loads(answer.body)["estimated_time"] <= int(answer.headers["retry-after"])
    finally:
        musicgen_server.gate.touch()
    assert asked(caller, musicgen_server, "/models/slow", body, headers={"x-wait-for-model": "true"}).status == 200
    musicgen_server.gate.unlink()


@every_caller
def test_errors_say_what_is_wrong(
    server: Serving, server_with_tokens: Serving, strict_server: Serving, caller: Caller
) -> None:
    for body, status, words in (
        ({"inputs": "!!"}, 422, "must contain words"),
        ({}, 400, "inputs: is missing"),
        (b"", 422, "must not be empty"),
        (b"\xff\xfe", 400, "must be text in UTF-8"),
        (b'{"inputs": ', 400, "is not JSON"),
        ({"inputs": "calm piano", "parameters": {"duration": "long"}}, 422, "duration"),
    ):
        bad = asked(caller, server, f"/models/{TINY}", body)
        assert bad.status == status, body
        assert words in told(bad)
    assert asked(caller, server, "/models/nobody/nothing", {"inputs": "x"}).status == 404
    absent = asked(caller, strict_server, f"/models/{TINY}", {"inputs": "calm piano"})
    assert absent.status == 404
    assert "tunesmith pull musicgen-small" in told(absent)
    for token in (None, WRONG_TOKEN):
        wrong = asked(caller, server_with_tokens, "/", {"inputs": "calm piano"}, token=token)
        assert wrong.status == 401
        assert told(wrong) == "Authorization header is correct, but the token seems invalid"


@every_caller
def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving, caller: Caller) -> None:
    token = server_with_tokens.token(quota="1/day")
    body = {"inputs": "calm piano"}
    first, spent = (asked(caller, server_with_tokens, "/models/prompt", body, token=token) for _ in range(2))
    assert (first.status, first.headers["ratelimit-remaining"]) == (200, "0")
    assert (spent.status, spent.headers["ratelimit-remaining"]) == (429, "0")
    assert told(spent).startswith("Rate limit reached. ")
    assert int(spent.headers["retry-after"]) > 0


@every_caller
def test_a_failure_tells_nothing_of_the_inside(server: Serving, musicgen_server: Serving, caller: Caller) -> None:
    hidden = "generation failed; see the server's log"
    for where, model in ((server, "raising"), (musicgen_server, BROKEN)):
        failed = asked(caller, where, f"/models/{model}", {"inputs": "calm piano"})
        assert (failed.status, told(failed)) == (500, hidden)


@every_caller
def test_a_caller_who_gives_up_has_the_job_cancelled(
    server: Serving, caller: Caller, held: Callable[[str], str]
) -> None:
    prompt = held("given-up")
    with pytest.raises(GaveUp):
        asked(caller, server, "/models/patient", {"inputs": prompt}, timeout=1.0)
    server.wait_for_state(prompt, JobState.CANCELED)
