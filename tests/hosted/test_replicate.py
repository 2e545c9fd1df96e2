"""Replicate as a generator: how a prediction is made, waited for and paid for once, and how each refusal is told."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest
from hosted_bench import TOKEN, Bench
from hosted_services import Answer, audio_answer, json_answer, sound

from tunesmith.audio.reader import read_audio
from tunesmith.errors import (
    ApiError,
    GenerationCancelled,
    GenerationFailed,
    InvalidRequest,
    NotFound,
    ServerBusy,
    TokenRefused,
    TunesmithError,
)
from tunesmith.request import GenerationRequest

MODEL = "replicate:meta/musicgen"
CREATE, OF_VERSION = ("POST", "/v1/models/meta/musicgen/predictions"), ("POST", "/v1/predictions")
POLL, CANCEL, FILE = ("GET", "/v1/predictions/p1"), ("POST", "/v1/predictions/p1/cancel"), ("GET", "/out.wav")
UPLOAD = ("POST", "/v1/files")


def prediction(status: str, **said: Any) -> Answer:
    return json_answer({"id": "p1", "status": status, "version": "671ac645", "output": None, **said}, 201)


def ready(bench: Bench, *, seconds: float = 2, output: Any = None) -> None:
    """Have the service answer with a sound at once."""
    address = f"{bench.service.url}/out.wav"
    bench.service.routes[CREATE] = [prediction("succeeded", output=output or address)]
    bench.service.routes[FILE] = [audio_answer(seconds)]


def test_a_prediction_is_asked_for_with_the_fields_that_replicate_knows(bench: Bench) -> None:
    ready(bench)
    audio = bench.make(MODEL, duration=2, temperature=0.5, top_k=50, guidance_scale=4, tempo_bpm=90)
    asked = bench.service.asked[0]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["prefer"] == "wait=60"
    assert asked.json["input"] == {
        "prompt": "lofi, 90 bpm", "duration": 2, "seed": 7, "output_format": "wav",
        "temperature": 0.5, "top_k": 50, "classifier_free_guidance": 4,
    }  # fmt: skip
    assert audio.duration == 2
    assert audio.metadata["model_version"] == "671ac645"
    assert audio.metadata["settings"]["seed_heeded"]
    assert len(bench.calls) == 1


@pytest.mark.parametrize(
    ("model", "fields", "given"),
    [
        ("stability-ai/stable-audio-2.5", {"steps": 6, "guidance_scale": 2.5},
         {"duration": 3, "steps": 6, "cfg_scale": 2.5}),
        ("stackadoc/stable-audio-open-1.0", {"steps": 50, "negative_prompt": "noise"},
         {"seconds_total": 3, "steps": 50, "negative_prompt": "noise"}),
    ],
)  # fmt: skip
def test_stable_audio_is_asked_for_by_its_own_names_of_the_fields(
    bench: Bench, model: str, fields: dict[str, Any], given: dict[str, Any]
) -> None:
    ready(bench, seconds=3)
    bench.service.routes["POST", f"/v1/models/{model}/predictions"] = bench.service.routes[CREATE]
    audio = bench.make(f"replicate:{model}", duration=2.5, **fields)
    assert bench.service.asked[0].json["input"] == {"prompt": "lofi", "seed": 7, **given}
    assert audio.duration == 2.5


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("stability-ai/stable-audio-2.5", "temperature", 0.5),
        ("stability-ai/stable-audio-2.5", "negative_prompt", "x"),
        ("meta/musicgen", "steps", 8), ("meta/musicgen", "strength", 0.5),
    ],
)  # fmt: skip
def test_a_setting_that_the_service_has_no_name_for_costs_no_call(
    bench: Bench, model: str, field: str, value: Any
) -> None:
    with pytest.raises(InvalidRequest, match=f"{field}: is not supported by replicate:{model}"):
        bench.make(f"replicate:{model}", **{field: value})
    assert bench.service.asked == []


def test_one_that_is_not_done_is_polled_and_its_logs_tell_how_far_it_is(bench: Bench) -> None:
    ready(bench)
    bench.service.routes[CREATE] = [prediction("starting")]
    bench.service.routes[POLL] = [
        prediction("starting"),
        prediction("processing", logs=" 20%|██        | 100/503\n 40%|████      | 200/503"),
        prediction("succeeded", output=f"{bench.service.url}/out.wav"),
    ]
    bench.make(MODEL, duration=2)
    assert any(one.stage == "Replicate is starting the model" for one in bench.told)
    assert any(one.fraction == pytest.approx(0.4 * 0.97) for one in bench.told)
    assert [one.fraction for one in bench.told] == sorted(one.fraction for one in bench.told)


def test_a_version_that_is_named_is_the_one_that_is_asked_for(bench: Bench) -> None:
    ready(bench)
    bench.service.routes[OF_VERSION] = bench.service.routes.pop(CREATE)
    bench.make(f"{MODEL}:abcdef0123", duration=2)
    assert bench.service.asked[0].json["version"] == "abcdef0123"


def test_a_model_that_is_not_an_official_one_is_asked_for_by_its_latest_version(bench: Bench) -> None:
    ready(bench)
    bench.service.routes[OF_VERSION] = bench.service.routes[CREATE]
    bench.service.routes[CREATE] = [json_answer({"detail": "Not found"}, 404)]
    bench.service.routes["GET", "/v1/models/meta/musicgen"] = [json_answer({"latest_version": {"id": "fe3d"}})]
    assert bench.make(MODEL, duration=2).duration == 2
    assert bench.service.asked[2].json["version"] == "fe3d"


def test_a_model_that_is_not_there_is_said_to_be_so(bench: Bench) -> None:
    bench.service.answers = [json_answer({"detail": "The requested resource could not be found."}, 404)]
    with pytest.raises(NotFound, match=r"does not serve replicate:meta/musicgen .404: The requested .*replicate\.com"):
        bench.make(MODEL, duration=2)


@pytest.mark.parametrize("shape", ["text", "list", "named", "data"])
def test_the_output_may_be_an_address_several_or_the_sound_itself(bench: Bench, shape: str) -> None:
    address = f"{bench.service.url}/out.wav"
    data = f"data:audio/wav;base64,{base64.b64encode(sound(2)).decode()}"
    outputs = {"text": address, "list": [address], "named": {"audio": address}, "data": data}
    ready(bench, output=outputs[shape])
    assert bench.make(MODEL, duration=2).duration == 2


@pytest.mark.parametrize("output", [{"text": "a poem"}, "a poem", []])
def test_an_output_without_a_file_is_said_to_be_so(bench: Bench, output: Any) -> None:
    ready(bench)
    bench.service.routes[CREATE] = [prediction("succeeded", output=output)]
    with pytest.raises(GenerationFailed, match="without an output that is a file"):
        bench.make(MODEL, duration=2)


@pytest.mark.parametrize(("status", "words"), [
    ("failed", "could not generate it: CUDA out of memory"), ("canceled", "could not generate it: canceled"),
])  # fmt: skip
def test_a_prediction_that_fails_is_not_tried_again(bench: Bench, status: str, words: str) -> None:
    error = "CUDA out\nof memory" if status == "failed" else None
    bench.service.routes[CREATE] = [prediction(status, error=error)]
    with pytest.raises(GenerationFailed, match=words):
        bench.make(MODEL, duration=2)
    assert len(bench.service.asked) == len(bench.calls) == 1


@pytest.mark.parametrize(("status", "kind", "words"), [
    (401, TokenRefused, "set REPLICATE_API_TOKEN to one from https://replicate.com/account/api-tokens"),
    (402, ApiError, "requires payment .402: No.; see https://replicate.com/account/billing"),
    (422, ApiError, "cannot generate it .422: No"),
])  # fmt: skip
def test_what_waiting_does_not_help_is_explained_at_once(
    bench: Bench, status: int, kind: type[TunesmithError], words: str
) -> None:
    bench.service.answers = [json_answer({"title": "Refused", "detail": "No"}, status)]
    with pytest.raises(kind, match=words):
        bench.make(MODEL, duration=2)
    assert (len(bench.service.asked), bench.pauses) == (1, [])


def test_too_many_requests_are_repeated_when_replicate_says(bench: Bench) -> None:
    ready(bench)
    bench.service.routes[CREATE].insert(0, json_answer({"detail": "throttled"}, 429, Retry_After="5"))
    assert bench.make(MODEL, duration=2).duration == 2
    assert bench.pauses == [5.5]
    assert len(bench.calls) == 1


def test_a_prediction_that_takes_longer_than_there_is_time_is_cancelled(bench: Bench) -> None:
    bench.seconds = 3
    bench.service.routes[CREATE] = [prediction("starting")]
    bench.service.routes[POLL] = [prediction("processing")]
    bench.service.routes[CANCEL] = [prediction("canceled")]
    with pytest.raises(TunesmithError, match="within 3 s"):
        bench.make(MODEL, duration=2)
    assert bench.service.paths()[-1] == "POST /v1/predictions/p1/cancel"


def test_whoever_cancels_has_the_prediction_cancelled(bench: Bench) -> None:
    bench.service.routes[CREATE] = [prediction("starting")]
    bench.service.routes[POLL] = [prediction("processing")]
    bench.service.routes[CANCEL] = [prediction("canceled")]
    enough = threading.Event()
    request = GenerationRequest.checked(prompt="lofi", model=MODEL, seed=7, duration=2)

    def seen(told: Any) -> None:
        if told.stage == "generating at Replicate":
            enough.set()

    with pytest.raises(GenerationCancelled):
        bench.generator(MODEL).generate(request, seen, enough.is_set)
    assert "POST /v1/predictions/p1/cancel" in bench.service.paths()


def test_a_long_piece_goes_on_from_what_there_is(bench: Bench) -> None:
    ready(bench, seconds=30)
    bench.service.routes[UPLOAD] = [json_answer({"urls": {"get": f"{bench.service.url}/v1/files/f1"}}, 201)]
    audio = bench.make(MODEL, duration=45)
    assert audio.duration == 45
    assert "generated as 2 clips, each continuing the previous one" in audio.metadata["warnings"][0]
    first, second = [one.json["input"] for one in bench.service.asked if one.path == CREATE[1]]
    assert "input_audio" not in first
    assert (second["input_audio"], second["continuation"]) == (f"{bench.service.url}/v1/files/f1", True)
    assert second["seed"] != first["seed"]
    assert second["duration"] == 23  # eight seconds of what there is, and fifteen more


@pytest.mark.parametrize(("field", "continues"), [("audio", True), ("melody", False)])
def test_a_recording_is_handed_in_for_what_it_is(bench: Bench, tmp_path: Path, field: str, *, continues: bool) -> None:
    (tmp_path / "mine.wav").write_bytes(sound(3))
    ready(bench, seconds=6)
    bench.service.routes[UPLOAD] = [json_answer({"urls": {"get": f"{bench.service.url}/v1/files/f1"}}, 201)]
    audio = bench.make(MODEL, duration=6, **{field: str(tmp_path / "mine.wav")})
    assert b"RIFF" in bench.service.asked[0].body
    given = next(one.json["input"] for one in bench.service.asked if one.path == CREATE[1])
    assert given["continuation"] is continues
    assert audio.duration == 6
    assert "mine.wav by an unknown author: unknown" in audio.metadata["licence"]
    assert audio.metadata["model_licence"] == "cc-by-nc-4.0"
    if continues:
        before = read_audio(tmp_path / "mine.wav").duration
        assert before < audio.duration


def test_the_composer_guides_a_model_that_takes_a_melody(bench: Bench) -> None:
    ready(bench, seconds=4)
    bench.service.routes[UPLOAD] = [json_answer({"urls": {"get": f"{bench.service.url}/v1/files/f1"}}, 201)]
    audio = bench.make(MODEL, duration=4, guide="composer", genre="lofi")
    given = next(one.json["input"] for one in bench.service.asked if one.path == CREATE[1])
    assert (given["input_audio"], given["continuation"]) == (f"{bench.service.url}/v1/files/f1", False)
    settings = audio.metadata["settings"]
    assert f"{settings['tempo_bpm']:g} bpm" in given["prompt"]
    assert (settings["guide"], settings["attempts"]) == ("composer", 1)
    assert audio.metadata["model_licence"] == "cc-by-nc-4.0"


def test_the_composer_guides_no_model_without_an_input_for_it(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match=r"guide: replicate:stability-ai/stable-audio-2\.5 takes no audio"):
        bench.make("replicate:stability-ai/stable-audio-2.5", duration=4, guide="composer")
    assert not bench.service.asked


def test_a_recording_that_is_longer_than_what_is_asked_for_is_refused(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "mine.wav").write_bytes(sound(3))
    with pytest.raises(InvalidRequest, match="duration: must be longer than the recording's 3 s, got 2 s"):
        bench.make(MODEL, duration=2, audio=str(tmp_path / "mine.wav"))


def test_what_the_service_wrote_into_its_file_is_not_taken_for_the_piece_s_own(bench: Bench, tmp_path: Path) -> None:
    foreign = {"tags": {"artist": ["Somebody"]}, "title": "x", "stitched": [{"title": "y"}]}
    made = read_audio(bench_file(tmp_path)).with_metadata(**foreign).save(tmp_path / "theirs.wav")
    ready(bench)
    bench.service.routes[FILE] = [Answer(200, made.read_bytes(), {"content-type": "audio/wav"})]
    metadata = bench.make(MODEL, duration=2).metadata
    assert not {"tags", "stitched"} & metadata.keys()
    assert (metadata["title"], metadata["licence"]) == ("lofi", "cc-by-nc-4.0")


def bench_file(folder: Path) -> Path:
    (folder / "sound.wav").write_bytes(sound(2))
    return folder / "sound.wav"


def test_the_token_goes_to_replicate_alone(bench: Bench) -> None:
    elsewhere = bench.service.url.replace("127.0.0.1", "localhost")
    ready(bench, output=f"{elsewhere}/out.wav")
    bench.make(MODEL, duration=2)
    assert "authorization" not in bench.service.asked[-1].headers


def test_a_server_that_is_full_is_told_as_busy(bench: Bench) -> None:
    bench.seconds = 10
    bench.service.answers = [json_answer({"detail": "no capacity"}, 503, Retry_After="60")]
    with pytest.raises(ServerBusy, match=r"is overloaded .503: no capacity.; try again in 60 s"):
        bench.make(MODEL, duration=2)
