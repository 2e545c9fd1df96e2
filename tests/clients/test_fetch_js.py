"""Plain fetch of Node, with every Content-Type that it sends, and the scripts that people have written with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from javascript import heard_in, told_by
from listening_to import heard
from serving import BROKEN, TINY, WRONG_TOKEN, Serving

from tunesmith.jobs.job import JobState

CONTENT_TYPES = (
    None, "", "application/json", "application/json; charset=utf-8", "text/plain", "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded", "application/octet-stream", "multipart/form-data; boundary=x", "audio/wav",
    "*/*", "nonsense",
)  # fmt: skip
"""None has fetch send none at all, the empty one whatever it sends of itself for text."""

SHORT = {"duration": 1, "seed": 7}
BODY = {"inputs": "calm piano", "parameters": SHORT}


def posted(*requests: dict[str, Any]) -> list[Any]:
    """Make requests one after another and return the answers."""
    answers: list[Any] = told_by("fetch.js", "each", requests=requests)
    return answers


def request(server: Serving, path: str, body: Any, **options: Any) -> dict[str, Any]:
    return {"url": server.url + path, "body": body, "contentType": "application/json", **options}


def told(answer: Any) -> str:
    """Return what an error says."""
    assert set(answer["body"]) <= {"error", "error_type", "estimated_time"}
    return str(answer["body"]["error"])


def test_json_is_read_whatever_it_is_called(server: Serving) -> None:
    answers = posted(*(request(server, "/models/prompt", BODY, contentType=one) for one in CONTENT_TYPES))
    for content_type, answer in zip(CONTENT_TYPES, answers, strict=True):
        assert answer["status"] == 200, content_type
        assert answer["headers"]["content-type"] == "audio/wav"
        assert answer["headers"]["x-tunesmith-seed"] == "7", content_type


def test_every_dialect_gives_sound_also_to_those_who_do_not_say_what_they_send(server: Serving) -> None:
    asked = {
        "/": BODY,
        f"/hf-inference/models/{TINY}": {"inputs": ["calm piano"], "parameters": SHORT},
        "/api/generate": {"prompt": "calm piano", **SHORT},
        "/v1/sound-generation": {"text": "calm piano", "duration_seconds": 1},
        "/v1/audio/speech": {"model": "tts-1", "voice": "alloy", "input": "calm piano", **SHORT},
    }
    answers = posted(*(request(server, path, body, contentType="") for path, body in asked.items()))
    for answer in answers:
        assert answer["status"] == 200, answer["body"]
        assert not heard_in(answer).is_silent


def test_forms_and_a_bare_prompt_are_read(server: Serving) -> None:
    url = f"{server.url}/models/prompt"
    for answer in told_by("fetch.js", "form", url=url, fields={"inputs": "a form from JavaScript"}):
        assert (answer["status"], answer["headers"]["content-type"]) == (200, "audio/wav")
    assert server.job_of("a form from JavaScript")
    (bare,) = posted(request(server, "/models/prompt", "ein Klavier aus JavaScript, süß", contentType=""))
    assert bare["status"] == 200
    assert server.job_of("ein Klavier aus JavaScript, süß")


def test_the_sound_that_is_asked_for_comes(server: Serving) -> None:
    wishes = {"audio/mpeg": "audio/mpeg", "image/png, audio/flac;q=0.9": "audio/flac", "*/*": "audio/wav"}
    answers = posted(*(request(server, "/models/prompt", BODY, accept=accept) for accept in wishes))
    assert [answer["type"] for answer in answers] == list(wishes.values())


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, strict_server: Serving) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        (request(server, f"/models/{TINY}", {"inputs": "!!"}), 422, "must contain words"),
        (request(server, f"/models/{TINY}", {}), 400, "inputs: is missing"),
        (request(server, f"/models/{TINY}", '{"inputs": '), 400, "is not JSON"),
        (request(server, "/", {"inputs": "x", "parameters": {"duration": "long"}}), 422, "duration"),
        (request(server, "/models/nobody/nothing", BODY), 404, "nobody/nothing"),
        (request(server, "/models/raising", BODY), 500, "generation failed"),
        (request(strict_server, f"/models/{TINY}", BODY), 404, "tunesmith pull musicgen-small"),
        (request(server_with_tokens, "/", BODY), 401, "the token seems invalid"),
        (request(server_with_tokens, "/", BODY, token=WRONG_TOKEN), 401, "the token seems invalid"),
    ]
    for (asked, status, words), answer in zip(cases, posted(*(case[0] for case in cases)), strict=True):
        assert answer["status"] == status, asked
        assert words in told(answer)
        assert "/src/" not in json.dumps(answer["body"])


def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving) -> None:
    asked = request(server_with_tokens, "/models/prompt", BODY, token=server_with_tokens.token(quota="1/day"))
    first, spent = posted(asked, asked)
    assert (first["status"], first["headers"]["ratelimit-remaining"]) == (200, "0")
    assert spent["status"] == 429
    assert told(spent).startswith("Rate limit reached. ")
    assert int(spent["headers"]["retry-after"]) > 0


def test_a_cold_model_is_waited_for_and_a_broken_one_is_said_to_be(musicgen_server: Serving) -> None:
    made, broken = posted(*(request(musicgen_server, f"/models/{model}", BODY) for model in (TINY, BROKEN)))
    assert heard_in(made).seconds == 1.0
    assert made["headers"]["x-tunesmith-model"] == "musicgen-small"
    assert broken["status"] == 500


def test_a_caller_who_gives_up_has_the_job_cancelled(server: Serving, held: Callable[[str], str]) -> None:
    prompt = held("given-up")
    url = f"{server.url}/models/patient"
    told = told_by("fetch.js", "givesUp", url=url, body={"inputs": prompt}, milliseconds=1000)
    assert told["refused"]["name"] == "TimeoutError"
    server.wait_for_state(prompt, JobState.CANCELED)


def test_a_script_that_writes_the_bytes_has_ten_seconds_of_music(server: Serving, tmp_path: Path) -> None:
    file = tmp_path / "music.wav"
    url = f"{server.url}/models/{TINY}"
    told = told_by("fetch.js", "writesTheBytes", url=url, prompt="liquid drum and bass, airy sounds", file=str(file))
    assert told == {"type": "audio/wav"}
    made = heard(file.read_bytes())
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 10.0)


def test_a_script_that_loops_on_estimated_time_ends_with_sound(musicgen_server: Serving, tmp_path: Path) -> None:
    file, gate = tmp_path / "music.wav", musicgen_server.gate
    given = {"prompt": "calm piano", "file": str(file), "gate": str(gate)}
    try:
        told = told_by("fetch.js", "loopsOnEstimatedTime", url=f"{musicgen_server.url}/models/slow", **given)
    finally:
        gate.unlink(missing_ok=True)
    assert told["estimates"]
    assert min(told["estimates"]) >= 1
    assert heard(file.read_bytes()).format == "WAV"
    mistaken = told_by("fetch.js", "loopsOnEstimatedTime", url=f"{musicgen_server.url}/models/nobody/no", **given)
    assert "nobody/no" in mistaken["refused"]["message"]
