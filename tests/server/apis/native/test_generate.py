from __future__ import annotations

import base64
import io
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from own_api import error_of, job_of
from sounds import wav_bytes
from started_server import wait_for

TINY = {"prompt": "a second of silence", "model": "prompt", "duration": 1}


def newest(server: httpx.Client) -> str:
    jobs = server.get("/api/jobs", params={"limit": 1}).raise_for_status().json()["jobs"]
    return str(jobs[0]["id"]) if jobs else ""


@pytest.mark.parametrize(
    ("name", "kind", "media_type"),
    [("wav", "WAV", "audio/wav"), ("mp3", "MP3", "audio/mpeg"), ("flac", "FLAC", "audio/flac"),
     ("ogg", "OGG", "audio/ogg"), ("opus", "OGG", "audio/ogg")],
)  # fmt: skip
def test_the_answer_is_the_sound_in_the_format_asked_for(
    server: httpx.Client, name: str, kind: str, media_type: str
) -> None:
    answer = server.post("/api/generate", json={**TINY, "format": name}).raise_for_status()
    assert answer.headers["content-type"] == media_type
    assert soundfile.info(io.BytesIO(answer.content)).format == kind


def test_the_headers_say_who_made_it_from_which_seed_and_how_long_it_took(server: httpx.Client) -> None:
    answer = server.post("/api/generate", json={"prompt": "piano", "duration": 1, "seed": 7}).raise_for_status()
    headers = answer.headers
    job = job_of(server, headers["x-tunesmith-job"])
    assert (headers["x-tunesmith-model"], headers["x-tunesmith-seed"]) == ("composer", "7")
    assert "commercially" in headers["x-tunesmith-license"]
    for stage in ("queued", "load", "generate", "total"):
        shown = job["timings"][f"{stage}_seconds"]
        assert float(headers[f"x-tunesmith-{stage}-seconds"]) == pytest.approx(shown, abs=1e-3)
    assert server.get(job["result"]["url"]).content == answer.content


def test_a_stream_is_the_same_bytes_without_a_length(server: httpx.Client) -> None:
    body = {**TINY, "seed": 3}
    whole = server.post("/api/generate", json=body).raise_for_status()
    streamed = server.post("/api/generate?stream=1", json=body).raise_for_status()
    assert "content-length" in whole.headers
    assert streamed.headers["transfer-encoding"] == "chunked"
    assert soundfile.info(io.BytesIO(streamed.content)).frames == soundfile.info(io.BytesIO(whole.content)).frames


def test_the_composer_gives_notes_and_parts_too(server: httpx.Client) -> None:
    body = {"prompt": "piano", "duration": 1, "seed": 7}
    notes = server.post("/api/generate", json={**body, "format": "mid"}).raise_for_status()
    assert (notes.headers["content-type"], notes.content[:4]) == ("audio/midi", b"MThd")
    parts = server.post("/api/generate", json={**body, "format": "zip"}).raise_for_status()
    assert (parts.headers["content-type"], parts.content[:2]) == ("application/zip", b"PK")
    refused = server.post("/api/generate", json={**TINY, "format": "mid"})
    assert error_of(refused)[0] == 422
    assert "only composer has mid" in refused.text


def test_whoever_hangs_up_cancels_the_job(server: httpx.Client, tmp_path: Path) -> None:
    before = newest(server)
    with httpx.Client(base_url=server.base_url, timeout=1) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post("/api/generate", json={"prompt": str(tmp_path / "never"), "model": "patient"})
    made = newest(server)
    assert made != before
    wait_for(lambda: job_of(server, made)["state"] == "canceled", "the job to be cancelled")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_json_is_read_whatever_the_content_type_says(server: httpx.Client, kind: str) -> None:
    content = b'{"prompt": "x", "model": "prompt", "duration": 1}'
    assert server.post("/api/generate", content=content, headers={"content-type": kind}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": "x", "duration": 0.5}, "duration"),
        ({"duration": 3}, "prompt"),
        ({"prompt": "x", "bpm": 900}, "bpm"),
        ({"prompt": "x", "format": "aac"}, "format"),
        ({"prompt": "x", "format": ["wav"]}, "format"),
        ({"prompt": "x", "keep_alive": "long"}, "keep_alive"),
        ({"prompt": "x", "priority": 11}, "priority"),
        ({"prompt": "x", "priority": 0.5}, "priority"),
        ({"prompt": "x", "priority": True}, "priority"),
        ({"prompt": "x", "priority": "first"}, "priority"),
        ({"prompt": "x", "soundfont": "/etc/passwd"}, "soundfont"),
        ({"prompt": "x", "audio": "/etc/passwd"}, "audio"),
        ({"prompt": "x", "melody": 7}, "melody"),
        ({"prompt": "x", "audio": "data:audio/wav;base64,AAAA"}, "audio"),
        ({"prompt": "x", "cls": 1}, "cls"),
    ],
)
def test_a_wrong_field_is_named(server: httpx.Client, body: dict[str, object], field: str) -> None:
    assert error_of(server.post("/api/generate", json=body)) == (422, "InvalidRequest", field)


def test_a_form_has_its_numbers_as_text(server: httpx.Client) -> None:
    form = {name: (None, text) for name, text in {"prompt": "x", "model": "prompt", "duration": "1"}.items()}
    for name, value, status in (("keep_alive", "60", 200), ("priority", "-2", 200), ("keep_alive", "long", 422)):
        answer = server.post("/api/generate", files={**form, name: (None, value)})
        assert answer.status_code == status, answer.text


def test_an_address_of_this_machine_is_not_fetched(server: httpx.Client) -> None:
    answer = server.post("/api/generate", json={"prompt": "x", "audio": "http://127.0.0.1:1/x.wav"})
    assert error_of(answer) == (422, "ForbiddenAddress", "audio")


@pytest.mark.parametrize(("content", "error"), [
    (b"", (422, "InvalidRequest", "prompt")), (b"{", (400, "NotJson", None)), (b"[1]", (422, "InvalidRequest", "body")),
    (b"null", (422, "InvalidRequest", "body")), (b"\xff\xfe", (400, "BadRequest", None)),
    (b"[" * 100_000, (400, "BadRequest", None)),
])  # fmt: skip
def test_a_body_that_is_no_object_is_refused(
    server: httpx.Client, content: bytes, error: tuple[int, str, str | None]
) -> None:
    assert error_of(server.post("/api/generate", content=content)) == error


def test_an_unknown_model_is_not_found(server: httpx.Client) -> None:
    answer = server.post("/api/generate", json={"prompt": "x", "model": "compozer"})
    assert error_of(answer) == (404, "UnknownName", "model")
    assert "composer" in answer.text


def test_a_model_that_blames_the_request_is_passed_on(server: httpx.Client) -> None:
    answer = server.post("/api/generate", json={**TINY, "model": "mistaken"})
    assert error_of(answer) == (422, "InvalidRequest", "prompt")
    assert "must rhyme" in answer.text


def test_a_bug_says_nothing_of_the_inside(server: httpx.Client) -> None:
    answer = server.post("/api/generate", json={**TINY, "model": "raising"})
    assert error_of(answer) == (500, "InternalError", None)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_recording_comes_as_a_file_in_base64_or_as_a_data_uri(server: httpx.Client) -> None:
    """The generator takes any request, so that what comes back is that the recording was understood."""
    sound = wav_bytes()
    text = base64.b64encode(sound).decode()
    for recording in (text, f"data:audio/wav;base64,{text}"):
        assert server.post("/api/generate", json={**TINY, "audio": recording}).status_code == 200
    form = {"prompt": "x", "model": "prompt", "duration": "1", "instruments": "piano, cello", "hits": "0.5=climax"}
    answer = server.post("/api/generate", data=form, files={"melody": ("hum.wav", sound)}).raise_for_status()
    asked = job_of(server, answer.headers["x-tunesmith-job"])["request"]
    assert asked["instruments"] == ["piano", "cello"]
    assert asked["hits"] == [{"time": 0.5, "climax": True}]
    assert "melody" not in asked


@pytest.mark.parametrize(("num_samples", "rate", "channels", "problem"), [
    (1_740, 1, 1, "audio: must have a sample rate of 1000 to 192000 Hz, got 1"),
    (8, 8_000, 1_024, "audio: must have at most 8 channels, got 1024"),
    (1_900_000, 1_000, 1, "audio: must be at most 1800 s long"),
])  # fmt: skip
def test_a_small_recording_that_unfolds_is_refused_by_its_field(
    server: httpx.Client, num_samples: int, rate: int, channels: int, problem: str
) -> None:
    sound = silent_wav(num_samples, rate, channels)
    as_file = server.post("/api/generate", data={**TINY}, files={"audio": ("a.wav", sound)})
    address = "data:audio/wav;base64," + base64.b64encode(sound).decode()
    for answer in (as_file, server.post("/api/generate", json={**TINY, "audio": address})):
        assert error_of(answer) == (422, "InvalidRequest", "audio")
        assert problem in answer.text


def silent_wav(num_samples: int, rate: int, channels: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros((num_samples, channels)), rate, format="WAV", subtype="PCM_U8")
    return file.getvalue()


def test_all_of_a_recording_that_was_piped_is_taken(server: httpx.Client) -> None:
    sound = bytearray(wav_bytes())
    sound[40:44] = bytes(4)
    answer = server.post("/api/generate", data={**TINY}, files={"audio": ("a.wav", bytes(sound))})
    assert answer.status_code == 200, answer.text


def test_the_composer_s_refusal_of_a_recording_names_no_path(server: httpx.Client) -> None:
    answer = server.post("/api/generate", data={"prompt": "x"}, files={"audio": ("a.wav", wav_bytes())})
    assert answer.status_code == 422
    assert "inputs" not in answer.text
