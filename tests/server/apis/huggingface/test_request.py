"""Every form in which callers send a prompt, and what each parameter of theirs becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.jobs.job import JobOptions, Submission
from tunesmith.request import GenerationRequest
from tunesmith.server.apis.huggingface.request import NOT_THEIRS, read_body, to_submission
from tunesmith.server.errors import BadRequest

ASKED = {"inputs": "lofi", "parameters": {"duration": 3}}
KINDS = ["application/json", "text/plain", "application/x-www-form-urlencoded", "audio/wav", ""]


def asked(body: dict[str, Any], model: str | None = None) -> Submission:
    return to_submission(body, model, "owner", "*/*")


def request_of(**parameters: Any) -> GenerationRequest:
    return asked({"inputs": "lofi", "parameters": parameters}).request


@pytest.mark.parametrize("kind", KINDS)
def test_json_is_read_whatever_the_content_type_says(kind: str) -> None:
    assert read_body(json.dumps(ASKED).encode(), kind) == ASKED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("raw", "prompt"), [
    ("lofi hip hop, 90 bpm", "lofi hip hop, 90 bpm"), ('"lofi"', "lofi"), ("låt \u266b", "låt \u266b"),
    ("[verse] lofi", "[verse] lofi"), ("a=b&c=d", "a=b&c=d"), ("", ""),
])  # fmt: skip
def test_a_bare_prompt_is_read_whatever_the_content_type_says(raw: str, prompt: str, kind: str) -> None:
    assert read_body(raw.encode(), kind) == {"inputs": prompt}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_body(b"\xef\xbb\xbf" + json.dumps(ASKED).encode(), "application/json") == ASKED


def test_a_form_is_read() -> None:
    body = b"inputs=lofi+hip%20hop%2C+90+bpm&other=1"
    assert read_body(body, "application/x-www-form-urlencoded; charset=utf-8")["inputs"] == "lofi hip hop, 90 bpm"


@pytest.mark.parametrize("raw", [b'{"inputs": "lofi"', b' {"inputs": lofi}', b"{" * 100_000, b'{"n": ' + b"9" * 5000])
def test_what_begins_as_an_object_and_is_none_is_not_taken_for_a_prompt(raw: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^body: "):
        read_body(raw, "application/json")


def test_deep_nonsense_is_refused_and_not_a_fault() -> None:
    with pytest.raises(BadRequest, match=r"^body: "):
        read_body(b"[" * 100_000, "application/json")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadRequest, match="UTF-8"):
        read_body(b"RIFF\xff\xfe", "audio/wav")


@pytest.mark.parametrize("body", [{"inputs": "lofi"}, {"input": "lofi"}, {"inputs": ["lofi"]}])
def test_the_prompt_has_several_names(body: dict[str, Any]) -> None:
    assert asked(body).request.prompt == "lofi"


@pytest.mark.parametrize(
    "inputs", [None, 7, True, ["a", "b"], [], [7], {"text": "lofi"}],
)  # fmt: skip
def test_a_prompt_that_is_no_text_is_a_bad_request(inputs: object) -> None:
    with pytest.raises(BadRequest, match="inputs"):
        asked({"inputs": inputs})


@pytest.mark.parametrize("inputs", ["", " \n"])
def test_an_empty_prompt_is_said_in_their_word_for_it(inputs: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs: must not be empty"):
        asked({"inputs": inputs})


def test_ten_seconds_of_mono_at_32_khz_are_made_unless_asked_otherwise() -> None:
    usual = asked({"inputs": "lofi"})
    assert (usual.request.duration, usual.request.mono, usual.request.sample_rate) == (10.0, True, 32_000)
    assert usual.options == JobOptions("wav")
    otherwise = request_of(duration=30, mono=False, sample_rate=48_000)
    assert (otherwise.duration, otherwise.mono, otherwise.sample_rate) == (30.0, False, 48_000)


@pytest.mark.parametrize(("body", "path", "model"), [
    ({}, None, "facebook/musicgen-small"), ({"model": "composer"}, None, "composer"),
    ({"model": "composer"}, "facebook/musicgen-large", "facebook/musicgen-large"),
])  # fmt: skip
def test_the_model_is_that_of_the_path_then_of_the_body_then_the_usual_one(
    body: dict[str, Any], path: str | None, model: str
) -> None:
    submission = asked({"inputs": "lofi", **body}, path)
    assert submission.model == submission.request.model == model


@pytest.mark.parametrize(("parameters", "expected"), [
    ({"guidance_scale": 3.0, "top_k": 250, "top_p": 0.5, "temperature": 1.0},
     {"guidance_scale": 3.0, "top_k": 250, "top_p": 0.5, "temperature": 1.0}),
    ({"negative_prompt": "drums", "seed": 7, "loop": True}, {"negative_prompt": "drums", "seed": 7, "loop": True}),
    ({"bpm": 90, "key": "A minor"}, {"tempo_bpm": 90.0, "key": "A minor"}),
    ({"tempo_bpm": 90, "genre": "lofi", "instruments": ["piano"]},
     {"tempo_bpm": 90.0, "genre": "lofi", "instruments": ("piano",)}),
    ({"generation_parameters": {"guidance_scale": 5}, "guidance_scale": 3}, {"guidance_scale": 5.0}),
    ({"generation_parameters": {"top_k": 5}, "generate_kwargs": {"top_k": 6}}, {"top_k": 6}),
    ({"generate_kwargs": {"max_new_tokens": 256}}, {"duration": 5.06}),
    ({"max_new_tokens": 503.0}, {"duration": 10.0}), ({"max_new_tokens": "503"}, {"duration": 10.0}),
    ({"max_new_tokens": 503}, {"duration": 10.0}), ({"max_new_tokens": 503, "duration": 2}, {"duration": 2.0}),
    ({"seed": None, "duration": None, "generation_parameters": None}, {"seed": None, "duration": 10.0}),
    ({"do_sample": True, "return_full_text": False, "num_beams": 4, "cls": 1}, {"prompt": "lofi"}),
])  # fmt: skip
def test_parameters_are_merged_and_the_unknown_ones_let_through(
    parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    request = request_of(**parameters)
    assert {name: getattr(request, name) for name in expected} == expected


def test_parameters_are_heard_beside_the_inputs_too_where_a_form_puts_them() -> None:
    form = read_body(b"inputs=lofi&duration=2&seed=7&loop=true&format=mp3", "application/x-www-form-urlencoded")
    given = asked(form)
    assert (given.request.duration, given.request.seed, given.request.loop) == (2.0, 7, True)
    assert given.options == JobOptions("mp3")
    assert asked({"inputs": "lofi", "max_new_tokens": 103}).request.duration == 2.0
    assert asked({"inputs": "lofi", "duration": 2, "parameters": {"duration": 3}}).request.duration == 3.0
    assert asked({"inputs": "lofi", "generation_parameters": {"top_k": 5}}).request.top_k == 5
    with pytest.raises(InvalidRequest, match="duration"):
        asked({"inputs": "lofi", "duration": 0})


@pytest.mark.parametrize("name", NOT_THEIRS)
def test_no_parameter_sets_a_path_or_what_is_said_elsewhere(name: str) -> None:
    for body in ({"parameters": {name: "/etc/passwd"}}, {name: "/etc/passwd"}):
        given = asked({"inputs": "lofi", **body}, "composer").request
        assert getattr(given, name) in ("lofi", "composer", None)


@pytest.mark.parametrize(("parameters", "field"), [
    ({"duration": 0.5}, "duration"), ({"duration": 1e9}, "duration"), ({"duration": float("nan")}, "duration"),
    ({"duration": "long"}, "duration"), ({"seed": -2}, "seed"), ({"seed": 2**60}, "seed"),
    ({"max_new_tokens": 3}, "max_new_tokens"), ({"max_new_tokens": True}, "max_new_tokens"),
    ({"max_new_tokens": "many"}, "max_new_tokens"), ({"max_new_tokens": 10**9}, "max_new_tokens"),
    ({"max_new_tokens": 256.5}, "max_new_tokens"), ({"max_new_tokens": [256]}, "max_new_tokens"),
    ({"max_new_tokens": float("inf")}, "max_new_tokens"), ({"max_new_tokens": 10**400}, "max_new_tokens"),
    ({"format": "aac"}, "format"), ({"format": ["wav"]}, "format"), ({"format": "\ud800"}, "format"),
    ({"generation_parameters": 3}, "parameters.generation_parameters"), ({"guidance_scale": 0}, "guidance_scale"),
    ({"instruments": "piano"}, "instruments"), ({"sample_rate": 12_345}, "sample_rate"),
])  # fmt: skip
def test_a_wrong_parameter_is_named(parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request_of(**parameters)
    assert caught.value.field == field
    str(caught.value).encode()


@pytest.mark.parametrize("parameters", [[1], "lofi", 7])
def test_parameters_that_are_no_object_are_refused(parameters: object) -> None:
    with pytest.raises(TunesmithError, match="parameters: must be an object"):
        asked({"inputs": "lofi", "parameters": parameters})
