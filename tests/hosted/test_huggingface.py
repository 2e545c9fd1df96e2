"""Hugging Face as a generator: what is sent, what comes back in all its forms, and what is done when nothing does."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest
from hosted_bench import TOKEN, Bench
from hosted_services import Answer, audio_answer, json_answer, sound

from tunesmith.errors import (
    ApiError,
    DeadlineExceeded,
    GenerationFailed,
    InvalidRequest,
    NotFound,
    ServerBusy,
    ServerUnreachable,
    TokenRefused,
    TunesmithError,
)
from tunesmith.hosted.model_names import HostedName

LOADING = {"error": "Model facebook/musicgen-small is currently loading", "estimated_time": 20.0}


def test_the_prompt_goes_out_and_the_sound_comes_back(bench: Bench) -> None:
    bench.service.answers = [audio_answer(2)]
    audio = bench.make(duration=2, temperature=0.5, guidance_scale=4, tempo_bpm=90)
    asked = bench.service.asked[0]
    assert (asked.method, asked.path) == ("POST", "/models/facebook/musicgen-small")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.json == {
        "inputs": "lofi, 90 bpm",
        "parameters": {"guidance_scale": 4, "temperature": 0.5, "max_new_tokens": 103},
    }
    assert (audio.duration, audio.sample_rate) == (2, 8000)
    assert [one.fraction for one in bench.told] == sorted(one.fraction for one in bench.told)
    assert bench.told[-1].fraction == 1


def test_model_licence_and_commit_are_recorded_and_an_unheeded_seed_is_said(bench: Bench) -> None:
    bench.service.answers = [audio_answer(2, **{"x-repo-commit": "4c8334b0", "x-compute-time": "3.1"})]
    metadata = bench.make(duration=2).metadata
    assert metadata["model"] == "hf:facebook/musicgen-small"
    assert metadata["model_version"] == "4c8334b0"
    assert metadata["licence"] == "cc-by-nc-4.0"
    assert metadata["settings"]["calls"][0]["compute_time"] == "3.1"
    assert any(warning.startswith("seed:") for warning in metadata["warnings"])


@pytest.mark.parametrize("form", ["WAV", "FLAC", "MP3", "OGG"])
@pytest.mark.parametrize("says", ["audio/wav", "audio/flac", "application/json", "application/octet-stream"])
def test_a_sound_is_known_by_its_content_whatever_it_is_called(bench: Bench, form: str, says: str) -> None:
    bench.service.answers = [audio_answer(2, form, says)]
    assert bench.make(duration=2).duration == pytest.approx(2, abs=0.1)


BLOB = base64.b64encode(sound(2, "FLAC")).decode()


@pytest.mark.parametrize("body", [
    [{"blob": BLOB, "content-type": "audio/flac", "label": "label_0"}],
    {"blob": BLOB},
    {"audio": f"data:audio/flac;base64,{BLOB}", "sampling_rate": 8000},
    {"audio": {"content": BLOB}},
    [{"generated_audio": [[[0.1, -0.1] * 32_000]]}],
    {"generated_audio": [0.1, -0.1] * 8_000, "sampling_rate": 8000},
    {"array": [[0.1] * 16_000, [0.2] * 16_000], "sampling_rate": 8000},
], ids=["list", "blob", "data", "nested", "batch", "samples", "stereo"])  # fmt: skip
def test_json_with_a_sound_in_it_is_read(bench: Bench, body: Any) -> None:
    bench.service.answers = [json_answer(body)]
    assert bench.make(duration=2).duration == pytest.approx(2, abs=0.01)


def test_a_sound_that_is_elsewhere_is_fetched_without_our_token(bench: Bench) -> None:
    elsewhere = bench.service.url.replace("127.0.0.1", "localhost")
    bench.service.routes["GET", "/made.flac"] = [audio_answer(2, "FLAC")]
    bench.service.answers = [json_answer({"audio": {"url": f"{elsewhere}/made.flac"}})]
    assert bench.make(duration=2).duration == 2
    assert "authorization" not in bench.service.asked[1].headers


@pytest.mark.parametrize("status", [503, 200, 500])
def test_a_model_that_loads_is_waited_for_as_long_as_it_says_at_most(bench: Bench, status: int) -> None:
    bench.service.answers = [json_answer(LOADING, status), json_answer(LOADING, status), audio_answer(2)]
    assert bench.make(duration=2).duration == 2
    assert bench.pauses == [20.5, 20.5]
    assert any("loading the model, about 20 s" in one.stage for one in bench.told)
    assert len(bench.calls) == 1  # the service counts none of the others


def test_a_model_that_never_loads_is_given_up_in_one_line(bench: Bench) -> None:
    bench.seconds = 120
    bench.service.answers = [json_answer(LOADING, 503)]
    with pytest.raises(ServerBusy, match="still loading hf:facebook/musicgen-small") as refused:
        bench.make(duration=2)
    assert 100 <= sum(bench.pauses) <= 120
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("header", "pause"), [({"Retry-After": "9"}, 9.5), ({}, 0.5)])
def test_too_many_requests_are_repeated_when_the_service_says(
    bench: Bench, header: dict[str, str], pause: float
) -> None:
    bench.service.answers = [Answer(429, b'{"error": "Rate limit reached"}', header), audio_answer(2)]
    assert bench.make(duration=2).duration == 2
    assert bench.pauses == [pytest.approx(pause)]


def test_a_limit_that_outlasts_our_time_is_told_at_once(bench: Bench) -> None:
    bench.service.answers = [Answer(429, b'{"error": "Rate limit reached"}', {"Retry-After": "3600"})]
    with pytest.raises(ServerBusy, match=r"Rate limit reached.*try again in 3600 s"):
        bench.make(duration=2)
    assert bench.pauses == []


@pytest.mark.parametrize(("status", "kind", "words"), [
    (401, TokenRefused, "rejects the token .401: No. set HF_TOKEN to one from https://huggingface.co/settings/tokens"),
    (403, TokenRefused, "rejects the token"),
    (402, ApiError, "requires payment .402: No.; see https://huggingface.co/settings/billing"),
    (404, NotFound, "does not serve hf:facebook/musicgen-small .404: No.; see https"),
    (410, NotFound, "does not serve"),
    (400, ApiError, "cannot generate it .400: No"),
    (422, ApiError, "cannot generate it"),
    (500, ApiError, "cannot generate it"),
])  # fmt: skip
def test_what_waiting_does_not_help_is_explained_in_one_line_at_once(
    bench: Bench, status: int, kind: type[TunesmithError], words: str
) -> None:
    bench.service.answers = [json_answer({"error": "No"}, status)]
    with pytest.raises(kind, match=words.replace("No. set", r"No\); set")) as refused:
        bench.make(duration=2)
    assert (len(bench.service.asked), bench.pauses) == (1, [])
    assert "\n" not in str(refused.value)


def test_a_page_instead_of_an_answer_is_not_shown(bench: Bench) -> None:
    bench.service.answers = [Answer(404, b"<!DOCTYPE html><html>Cannot POST</html>", {"Content-Type": "text/html"})]
    with pytest.raises(NotFound, match=r"\(404\)"):
        bench.make(duration=2)


@pytest.mark.parametrize("answer", [
    Answer(200, sound(2), {"Content-Type": "audio/wav"}, cut=5_000),
    Answer(200, sound(2)[:-5_000], {"Content-Type": "audio/wav"}),
    Answer(200, sound(2, "FLAC")[:-2_000], {"Content-Type": "audio/flac"}),
    Answer(200, b"", {"Content-Type": "audio/wav"}),
    Answer(200, b"RIFF", {"Content-Type": "audio/wav"}),
], ids=["connection", "wav", "flac", "empty", "damaged"])  # fmt: skip
def test_a_sound_that_is_not_whole_is_asked_for_again(bench: Bench, answer: Answer) -> None:
    bench.service.answers = [answer, audio_answer(2)]
    assert bench.make(duration=2).duration == 2
    assert len(bench.service.asked) == 2


def test_a_sound_that_is_never_whole_is_given_up(bench: Bench) -> None:
    bench.service.answers = [Answer(200, sound(2)[:-5_000], {"Content-Type": "audio/wav"})]
    with pytest.raises(GenerationFailed, match="truncated, 4 times"):
        bench.make(duration=2)
    assert len(bench.calls) == 4  # each was paid for


def test_a_service_that_is_not_there_is_given_up(bench: Bench) -> None:
    generator = bench.service
    generator.url = "http://127.0.0.1:1"
    with pytest.raises(ServerUnreachable, match="Hugging Face cannot be reached"):
        bench.make(duration=2)
    assert len(bench.pauses) == 3


def test_a_service_that_does_not_answer_is_given_up_at_the_deadline(bench: Bench) -> None:
    bench.service.answers, bench.service.holds, bench.seconds = [audio_answer(2)], True, 0.2
    with pytest.raises((DeadlineExceeded, ServerUnreachable), match=r"no response|no answer"):
        bench.make(duration=2)


def test_a_refused_call_is_not_made(bench: Bench) -> None:
    def none_left(_: HostedName) -> None:
        raise InvalidRequest("max_calls", "used up")

    bench.take = none_left
    with pytest.raises(InvalidRequest, match="used up"):
        bench.make(duration=2)
    assert bench.service.asked == []


@pytest.mark.parametrize("field", ["negative_prompt", "form", "audio", "melody", "hits", "steps"])
def test_what_the_model_cannot_do_is_refused_before_any_call(bench: Bench, field: str) -> None:
    wish: dict[str, Any] = {
        "form": "loop",
        "audio": "a.wav",
        "melody": "a.wav",
        "negative_prompt": "drums",
        "hits": [{"time": 1}],
        "steps": 8,
    }
    with pytest.raises(InvalidRequest, match=field):
        bench.make(duration=2, **{field: wish[field]})
    assert bench.service.asked == []


def test_the_token_is_shown_nowhere(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    generator = bench.generator("hf:facebook/musicgen-small")
    bench.service.answers = [json_answer({"error": f"no {TOKEN[:6]}"}, 401)]
    with pytest.raises(TokenRefused) as refused:
        bench.make(duration=2)
    bench.service.answers = [audio_answer(2)]
    audio = bench.make(duration=2)
    shown = [caplog.text, str(refused.value), repr(audio.metadata), repr(vars(generator)), str(bench.told)]
    assert not any(TOKEN in text for text in shown)
    assert repr(generator._service).find(TOKEN) == -1


def test_a_long_piece_is_stitched_of_clips_and_says_so(bench: Bench) -> None:
    bench.service.answers = [audio_answer(30)]
    audio = bench.make(duration=70)
    assert audio.duration == 70
    assert len(bench.service.asked) == len(bench.calls) == len(audio.metadata["settings"]["calls"]) == 3
    assert "at most 30 s at once; generated as 3 clips, stitched on the beat" in audio.metadata["warnings"][0]


def test_clips_shorter_than_asked_for_are_made_up_for(bench: Bench) -> None:
    bench.service.answers = [audio_answer(15)]
    audio = bench.make(duration=25)
    assert audio.duration == 25
    assert "stitched" in audio.metadata["warnings"][0]


def test_a_service_whose_clips_are_too_short_for_anything_is_given_up(bench: Bench) -> None:
    bench.service.answers = [audio_answer(0.5)]
    with pytest.raises(GenerationFailed, match="too short"):
        bench.make(duration=25)
    assert len(bench.service.asked) <= 2
