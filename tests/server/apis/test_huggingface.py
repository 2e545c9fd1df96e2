"""The Hugging Face dialect as its callers meet it: a started server, every content type, every kind of answer."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest
from huggingface_hub import InferenceClient
from listening_to import Heard, heard
from serving import TINY, WRONG_TOKEN, Serving

from tunesmith.jobs.job import JobState

Held = Callable[[str], str]
PARAMETERS = {"duration": 1, "seed": 7}
COMPOSED = "/models/composer"
AXIOS = "application/json, text/plain, */*"


def posted(server: Serving, path: str = COMPOSED, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    body = {"inputs": "calm piano", "parameters": PARAMETERS, **body}
    return httpx.post(server.url + path, json=body, headers=headers, timeout=60)


def sent(server: Serving, content: bytes, kind: str | None, path: str = COMPOSED) -> httpx.Response:
    headers = {} if kind is None else {"content-type": kind}
    return httpx.post(server.url + path, content=content, headers=headers, timeout=60)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the text of an error, in which there is nothing but strings their clients know."""
    body = answer.json()
    assert set(body) <= {"error", "error_type", "estimated_time"}
    assert isinstance(body["error"], str)
    return answer.status_code, body["error"]


def sound_of(answer: httpx.Response) -> Heard:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("audio/")
    assert int(answer.headers["content-length"]) == len(answer.content)
    return heard(answer.content)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x/y", None])
def test_json_gets_the_same_music_under_every_content_type(server: Serving, kind: str | None) -> None:
    content = json.dumps({"inputs": "calm piano", "parameters": PARAMETERS}).encode()
    assert sent(server, content, kind).content == posted(server).content


@pytest.mark.parametrize(("content", "kind"), [
    (b"calm piano", "text/plain"), (b'"calm piano"', "application/json"), (b"calm piano", None),
    (b"inputs=calm+piano", "application/x-www-form-urlencoded"), (b'["calm piano"]', "application/json"),
])  # fmt: skip
def test_a_bare_prompt_gets_ten_seconds_as_musicgen_makes_them(
    server: Serving, content: bytes, kind: str | None
) -> None:
    made = sound_of(sent(server, content, kind, f"/models/{TINY}"))
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 10.0)
    assert not made.is_silent


@pytest.mark.parametrize("path", [
    "/models/facebook/musicgen-small", "/models/facebook%2Fmusicgen-small", "/models/facebook/musicgen-small/",
    "/models/musicgen-small", "/hf-inference/models/facebook/musicgen-small", "/", "/predict",
    "/pipeline/text-to-audio/facebook/musicgen-small", "/pipeline/text-to-speech/musicgen-small",
])  # fmt: skip
def test_every_address_of_musicgen_is_answered_by_a_declared_stand_in(server: Serving, path: str) -> None:
    answer = posted(server, path)
    assert sound_of(answer).seconds == 1.0
    assert answer.headers["x-tunesmith-model"] == "composer"
    assert answer.headers["x-tunesmith-stand-in-for"].endswith("musicgen-small")


@pytest.mark.parametrize("path", ["/models/facebook/musicgen-small", "/models/musicgen-large", "/", "/predict"])
def test_without_stand_ins_a_model_that_is_not_here_is_not_found(strict_server: Serving, path: str) -> None:
    status, text = error_of(posted(strict_server, path))
    assert status == 404
    assert "tunesmith pull musicgen-" in text


def test_a_model_that_is_installed_is_no_stand_in(musicgen_server: Serving) -> None:
    answer = posted(musicgen_server, f"/models/{TINY}")
    assert sound_of(answer).seconds == 1.0
    assert answer.headers["x-tunesmith-model"] == "musicgen-small"
    assert "x-tunesmith-stand-in-for" not in answer.headers
    job = musicgen_server.job_of("calm piano")
    assert job
    assert "asked_model" not in job.metadata


def test_the_model_of_the_body_is_heard_where_the_path_has_none(server: Serving) -> None:
    assert "x-tunesmith-stand-in-for" not in posted(server, "/", model="composer").headers
    assert error_of(sent(server, b'{"inputs": "lofi", "model": "\\ud800"}', None, "/"))[0] == 422
    assert error_of(posted(server, "/", model={"a": 1})) == (422, "model: must be text, got an object")


@pytest.mark.parametrize(("accept", "media_type", "kind"), [
    ("audio/flac", "audio/flac", "FLAC"), ("audio/mpeg, */*", "audio/mpeg", "MP3"), ("audio/ogg", "audio/ogg", "OGG"),
    ("audio/opus", "audio/ogg", "OGG"), (AXIOS, "audio/wav", "WAV"), ("image/png", "audio/wav", "WAV"),
])  # fmt: skip
def test_the_accept_header_chooses_the_file(server: Serving, accept: str, media_type: str, kind: str) -> None:
    answer = posted(server, headers={"accept": accept})
    assert answer.headers["content-type"] == media_type
    assert sound_of(answer).format == kind


def test_only_those_who_take_nothing_else_get_json(server: Serving) -> None:
    answer = posted(server, headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    (said,) = answer.json()
    assert base64.b64decode(said.pop("blob")) == posted(server).content
    assert said == {"label": "composer", "content-type": "audio/wav"}


def test_the_headers_say_what_was_made_by_whom_and_how_long_it_took(server: Serving) -> None:
    headers = posted(server).headers
    assert (headers["x-compute-type"], headers["x-compute-characters"]) == ("cpu", str(len("calm piano")))
    assert float(headers["x-compute-time"]) > 0
    assert headers["x-request-id"]
    assert (headers["x-tunesmith-model"], headers["x-tunesmith-seed"]) == ("composer", "7")
    assert "commercially" in headers["x-tunesmith-license"]


def test_a_page_may_read_all_of_the_headers_and_send_those_of_the_clients(server: Serving) -> None:
    wanted = "authorization,content-type,accept,prefer,x-wait-for-model,x-use-cache,xi-api-key,idempotency-key"
    origin = {"origin": "http://localhost:3000"}
    asking = {**origin, "access-control-request-method": "POST", "access-control-request-headers": wanted}
    allowed = httpx.options(f"{server.url}{COMPOSED}", headers=asking)
    assert allowed.status_code == 200
    assert set(wanted.split(",")) <= set(allowed.headers["access-control-allow-headers"].lower().split(", ")) | set(
        allowed.headers["access-control-allow-headers"].lower().split(",")
    )
    assert posted(server, headers=origin).headers["access-control-expose-headers"] == "*"


@pytest.mark.parametrize("headers", [{}, {"x-use-cache": "false"}, {"x-use-cache": "true"}])
def test_without_a_seed_every_answer_is_fresh(server: Serving, headers: dict[str, str]) -> None:
    seeds = {posted(server, headers=headers, parameters={"duration": 1}).headers["x-tunesmith-seed"] for _ in range(2)}
    assert len(seeds) == 2


@pytest.mark.parametrize(("content", "status"), [
    (b'{"parameters": {}}', 400), (b'{"inputs": 7}', 400), (b'{"inputs": "lofi"', 400), (b"\xff\xfe", 400),
    (b"", 422), (b'{"inputs": "!!"}', 422), (b"[" * 100_000, 400), (b'{"inputs": "\\ud800 lofi"}', 422),
    (b'{"inputs": "lofi\\u0000"}', 422), (b'{"inputs": "lofi", "parameters": {"duration": NaN}}', 422),
    (b'{"inputs": "lofi", "parameters": {"format": ["wav"]}}', 422), (b'{"inputs": "%s"}' % (b"lofi " * 1000), 422),
])  # fmt: skip
def test_what_cannot_be_understood_is_400_and_what_cannot_be_granted_422(
    server: Serving, content: bytes, status: int
) -> None:
    answer = sent(server, content, "application/json")
    assert error_of(answer)[0] == status
    assert answer.json().get("error_type") == ("validation" if status == 422 else None)


def test_an_unknown_model_is_not_found_and_how_to_get_it_said(server: Serving) -> None:
    status, text = error_of(posted(server, "/models/someone/my-musicgen"))
    assert status == 404
    assert "tunesmith pull someone/my-musicgen" in text
    for name in ("compozer", "a/b;rm", "a/b/c"):
        status, text = error_of(posted(server, f"/models/{name}"))
        assert status == 404
        assert "tunesmith pull" not in text
    assert error_of(posted(server, "/models/%00"))[0] == 422


def test_a_wrong_or_missing_token_is_told_as_they_tell_it(server_with_tokens: Serving) -> None:
    for headers in ({}, {"authorization": f"Bearer {WRONG_TOKEN}"}):
        refused = posted(server_with_tokens, headers=headers)
        assert error_of(refused) == (401, "Authorization header is correct, but the token seems invalid")
        assert httpx.get(f"{server_with_tokens.url}/info", headers=headers).status_code == 401
        assert httpx.get(f"{server_with_tokens.url}/status/{TINY}", headers=headers).status_code == 401


def test_over_the_limit_says_when_to_come_back(server_with_tokens: Serving) -> None:
    headers = {"authorization": f"Bearer {server_with_tokens.token(rate='1/hour')}"}
    assert posted(server_with_tokens, headers=headers).status_code == 200
    limited = posted(server_with_tokens, headers=headers)
    status, text = error_of(limited)
    assert status == 429
    assert text.startswith("Rate limit reached. ")
    assert 0 < int(limited.headers["retry-after"]) <= 3600
    assert limited.headers["ratelimit-remaining"] == "0"


def test_a_body_that_is_too_large_is_told_in_their_shape(server: Serving) -> None:
    asking = HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    asking.request("POST", COMPOSED, headers={"content-length": str(10**9), "expect": "100-continue"})
    answer = asking.getresponse()
    assert answer.status == 413
    assert set(json.load(answer)) == {"error"}
    asking.close()


def test_a_full_queue_is_told_late_enough_for_those_who_ask_again_at_once(strict_server: Serving, held: Held) -> None:
    prompts = [held("first"), held("second")]
    with httpx.Client(timeout=30) as client:
        for prompt, state in zip(prompts, (JobState.RUNNING, JobState.QUEUED), strict=True):
            body = {"prompt": prompt, "model": "patient", "duration": 1}
            client.post(f"{strict_server.url}/api/jobs", json=body).raise_for_status()
            strict_server.wait_for_state(prompt, state)
        began = time.monotonic()
        busy = posted(strict_server, "/models/patient")
        assert time.monotonic() - began >= 1.0
    assert error_of(busy)[0] == 503
    assert int(busy.headers["retry-after"]) >= 1
    assert "estimated_time" not in busy.json()


def test_a_failure_is_a_500_with_a_request_id_and_nothing_of_the_inside(server: Serving) -> None:
    failed = posted(server, "/models/raising")
    assert error_of(failed)[0] == 500
    assert len(failed.headers["x-request-id"]) >= 16
    assert "secret" not in failed.text
    assert "Traceback" not in failed.text


def test_what_blames_the_request_is_passed_on(server: Serving) -> None:
    assert error_of(posted(server, "/models/mistaken")) == (422, "prompt: must rhyme")


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/models/composer", 405), ("PUT", "/", 405), ("GET", "/nothing", 404), ("POST", "/nothing", 404),
])  # fmt: skip
def test_what_is_not_served_is_told_in_their_shape(server: Serving, method: str, path: str, status: int) -> None:
    assert error_of(httpx.request(method, server.url + path))[0] == status


def test_the_status_of_a_model_is_told(server: Serving) -> None:
    posted(server)
    loaded = httpx.get(f"{server.url}/status/{TINY}").json()
    assert loaded == {"loaded": True, "state": "Loaded", "compute_type": "cpu", "framework": "tunesmith"}
    assert httpx.get(f"{server.url}/status/slow").json()["state"] == "Loadable"
    assert error_of(httpx.get(f"{server.url}/status/nobody/nothing"))[0] == 404


def test_a_model_of_the_server_is_an_endpoint_to_their_client(server: Serving) -> None:
    client = InferenceClient(model=f"{server.url}/models/{TINY}", provider="hf-inference", token="hf_any")
    assert client.health_check()
    about = client.get_endpoint_info()
    assert about["model_id"] == TINY
    assert about["generated_by"] == "composer"
    assert about["is_stand_in"] is True
    whole_server = InferenceClient(model=server.url, provider="hf-inference", token="hf_any")
    assert whole_server.health_check()
    assert whole_server.get_endpoint_info()["model_id"] == TINY
    nothing = f"{server.url}/models/nobody/nothing"
    assert not InferenceClient(model=nothing, provider="hf-inference").health_check()
