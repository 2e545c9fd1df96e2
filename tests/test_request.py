"""GenerationRequest: every bad input is one line that names field, limit and value."""

from __future__ import annotations

import math
import re
import time
import unicodedata
from typing import Any

import pytest
from budgets import VALUES
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS, MAX_ITEMS
from tunesmith.request import MAX_SEED, GenerationRequest, Hit


@pytest.mark.parametrize(("fields", "words"), [
    ({"prompt": ""}, "prompt: must not be empty"),
    ({"prompt": " \n\t "}, "prompt: must not be empty"),
    ({"prompt": "?!"}, "prompt: must contain words, got '\\?!'"),
    ({"prompt": "a\0b"}, "prompt: must not contain control characters, got U.0000"),
    ({"prompt": "a\ud800b"}, "prompt: "),
    ({"prompt": "a" * 100_000}, "prompt: must be at most 2000 characters, got 100000"),
    ({"prompt": 7}, "prompt: must be text, got 7"),
    ({"prompt": None}, "prompt: is missing$"),
    ({"duration": 0}, "duration: .*1, got 0"),
    ({"duration": -1}, "duration: .*1, got -1"),
    ({"duration": math.nan}, "duration: .*finite number, got nan"),
    ({"duration": math.inf}, "duration: .*finite number, got inf"),
    ({"duration": 1801}, "duration: .*1800, got 1801"),
    ({"duration": "long"}, "duration: .*number.*got 'long'"),
    ({"tempo_bpm": 0}, "tempo_bpm: .*20, got 0"),
    ({"tempo_bpm": 1000}, "tempo_bpm: .*300, got 1000"),
    ({"bars": 0}, "bars: .*1, got 0"),
    ({"bars": 1.5}, "bars: must be a whole number, got 1.5"),
    ({"seed": 1e30}, "seed: must be a smaller whole number, got 1e\\+30"),
    ({"seed": -2}, "seed: must be at least -1, got -2"),
    ({"seed": MAX_SEED + 1}, f"seed: .*{MAX_SEED}, got {MAX_SEED + 1}"),
    ({"form": "opera"}, "form: .*'track'.*got 'opera'"),
    ({"intensity": 1.1}, "intensity: .*1, got 1.1"),
    ({"loudness_lufs": -5}, "loudness_lufs: .*-8, got -5"),
    ({"sample_rate": 44000}, "sample_rate: .*44100.*got 44000"),
    ({"colour": "red"}, "colour: is not a field of this request$"),
    ({"bpm": 900}, "bpm: must be at most 300, got 900"),
    ({"Tempo": True}, "Tempo: must be a number, got true"),
    ({"seed": True}, "seed: must be a number, got true"),
    ({"bpm": 90, "tempo": 91}, "tempo: is an alias of bpm, which has another value; give only one"),
    ({"instruments": "piano"}, "instruments: must be an array, got 'piano'"),
    ({"instruments": {"a": 1}}, "instruments: must be an array, got an object"),
    ({"instruments": [None]}, "instruments.0: must be text, got null"),
    ({"hits": [{"time": []}]}, "hits.0.time: must be a number, got an array"),
    ({"hits": [7]}, "hits.0: must be an object, got 7"),
    ({"loop": "perhaps"}, "loop: must be true or false, got 'perhaps'"),
    ({"genre": False}, "genre: must be text, got false"),
    ({"Audio": "/etc/passwd"}, r"Audio: is not a field of this request; did you mean audio\?"),
    ({"loop": True, "form": "bed"}, "loop: cannot be combined with form 'bed'"),
    ({"instruments": ("Piano",), "without": ("piano",)}, "without: 'piano' is also in instruments"),
    ({"duration": 10, "hits": (Hit(time=10),)}, "hits: must lie before the end at 10 s, got 10 s"),
])  # fmt: skip
def test_bad_input_names_field_limit_and_value(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        GenerationRequest.checked(**{"prompt": "calm piano", **fields})
    assert re.match(words, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("text", "seconds"), [("62.5", 62.5), ("62.5s", 62.5), ("1:02.5", 62.5), ("0:01:02", 62.0)])
def test_durations_can_be_written_as_a_clock(text: str, seconds: float) -> None:
    assert GenerationRequest.checked(prompt="x", duration=text).duration == seconds


@pytest.mark.parametrize(("text", "hit"), [("12", Hit(time=12)), ("0:12.5=climax", Hit(time=12.5, climax=True))])
def test_hits_are_read(text: str, hit: Hit) -> None:
    assert Hit.parse(text) == hit


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "5=loud", "99999"])
def test_bad_hits_are_named(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^hit: "):
        Hit.parse(text)


@VALUES
@given(st.text(max_size=2500))
def test_any_text_is_a_prompt_or_a_clear_error(prompt: str) -> None:
    try:
        request = GenerationRequest.checked(prompt=prompt)
    except InvalidRequest as error:
        field = error.field
    else:
        field = "prompt" if request.prompt else ""
    assert field == "prompt"


def test_none_is_not_given_whatever_the_field() -> None:
    nothing = dict.fromkeys(set(GenerationRequest.model_fields) - {"prompt"})
    assert GenerationRequest.checked(prompt="x", **nothing) == GenerationRequest.checked(prompt="x")
    assert Hit(time=3, climax=None) == Hit(time=3)  # type: ignore[arg-type]  # as JSON may have it


@pytest.mark.parametrize("seed", [-1, "-1", -1.0])
def test_minus_one_is_a_seed_to_be_drawn(seed: Any) -> None:
    assert GenerationRequest.checked(prompt="x", seed=seed).seed is None


def test_fields_have_other_usual_names() -> None:
    plain = GenerationRequest.checked(prompt="x", tempo_bpm=90, duration=20, guidance_scale=3)
    assert GenerationRequest.checked(prompt="x", bpm=90, length=20, guidance=3) == plain
    assert GenerationRequest.checked(description="x", tempoBpm=90, tempo=90.0, length="0:20", cfg_scale=3) == plain


def test_a_request_survives_json() -> None:
    request = GenerationRequest.checked(prompt="雨 piano", duration="1:30", hits=(Hit(time=3),), instruments=("piano",))
    assert GenerationRequest.model_validate_json(request.model_dump_json()) == request


@pytest.mark.parametrize(("fields", "line"), [
    ({"promt": "x" * 5_000}, r"promt: is not a field of this request; did you mean prompt\?"),
    ({"prompt": "x", "lenght": "9" * 500}, r"lenght: is not a field of this request; did you mean duration\?"),
    ({"prompt": "x", "zzz": 7}, r"zzz: is not a field of this request"),
    ({"duration": "9" * 500}, r"prompt: is missing"),
    ({"prompt": "x", "duration": "9" * 5000}, r"duration: must be a number of at most 40 characters, got 5000"),
])  # fmt: skip
def test_a_wrong_name_is_said_with_the_nearest_and_without_the_request(fields: dict[str, Any], line: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        GenerationRequest.checked(**fields)
    assert re.fullmatch(line, str(refused.value))


@pytest.mark.parametrize("field", ["negative_prompt", "genre", "key", "meter", "model"])
def test_every_text_has_its_limit_and_holds_no_half_characters(field: str) -> None:
    limit = MAX_CHARACTERS[field]
    assert getattr(GenerationRequest.checked(prompt="calm", **{field: "x" * limit}), field) == "x" * limit
    with pytest.raises(InvalidRequest, match=rf"^{field}: must be at most {limit} characters, got {limit + 1}$"):
        GenerationRequest.checked(prompt="calm", **{field: "x" * (limit + 1)})
    for wrong in ("\ud800", "x\udc00", "x\0"):
        with pytest.raises(InvalidRequest, match=rf"^{field}: must (be text in UTF-8|not contain control characters)"):
            GenerationRequest.checked(prompt="calm", **{field: wrong})


@pytest.mark.parametrize(("field", "item"), [("instruments", "piano"), ("without", "piano"), ("hits", {"time": 1})])
def test_every_list_has_its_limit(field: str, item: object) -> None:
    limit = MAX_ITEMS[field]
    assert len(getattr(GenerationRequest.checked(prompt="calm", **{field: [item] * limit}), field)) == limit
    with pytest.raises(InvalidRequest, match=rf"^{field}: must be at most {limit} items, got {limit + 1}$"):
        GenerationRequest.checked(prompt="calm", **{field: [item] * (limit + 1)})


@pytest.mark.parametrize("field", ["instruments", "without"])
@pytest.mark.parametrize("name", ["x" * 65, "\ud800", "a\0"])
def test_every_name_in_a_list_has_its_limit(field: str, name: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{field}\.1: must "):
        GenerationRequest.checked(prompt="calm", **{field: ["piano", name]})


def test_a_prompt_is_measured_before_it_is_normalised() -> None:
    accents = "a" + "\u0301\u0316" * 80_000
    began = time.process_time()
    with pytest.raises(InvalidRequest, match=r"^prompt: must be at most 2000 characters, got 160001$"):
        GenerationRequest.checked(prompt=accents)
    assert time.process_time() - began < 0.05
    decomposed = unicodedata.normalize("NFD", "é" * MAX_CHARACTERS["prompt"])
    assert GenerationRequest.checked(prompt=decomposed).prompt == "é" * MAX_CHARACTERS["prompt"]


@pytest.mark.parametrize("duration", ["9" * 400 + ":00", "9" * 400, "1:" + "9" * 400, " " * 100_000 + "5"])
def test_a_duration_of_many_digits_is_refused(duration: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^duration: must be a number of at most 40 characters, got \d+$"):
        GenerationRequest.checked(prompt="calm", duration=duration)
    with pytest.raises(InvalidRequest, match="hit"):
        Hit.parse(duration)
