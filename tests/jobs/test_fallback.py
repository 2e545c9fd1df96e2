"""What a stand-in leaves out of a request, and who waits for a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.jobs.job import JobOptions, Submission
from tunesmith.jobs.service import for_fallback, submission_for_fallback
from tunesmith.request import NEURAL_FIELDS, GenerationRequest
from tunesmith.server.apis.huggingface.request import waits_for_model

NEURAL = {
    "negative_prompt": "drums", "guidance_scale": 3.0, "temperature": 1.0, "top_k": 250, "top_p": 0.5,
    "audio": Path("a.wav"), "melody": Path("b.wav"), "steps": 8, "ending": "natural", "strength": 0.6,
    "schedule": "reference", "repaint": "4-8", "guide": "composer", "keep_stems": ("drums",),
}  # fmt: skip
PERFORMED = {"perform": True, "performances": 4, "accompany": True, "snap_tempo": True, "lead_frames": 2}
"""What does not go with the others: a model follows the notes of the composer, or its sound."""


def asked(**fields: Any) -> GenerationRequest:
    return GenerationRequest.checked(prompt="calm piano", seed=7, tempo_bpm=90, **fields)


def test_a_stand_in_is_asked_for_all_but_what_only_neural_models_have() -> None:
    assert {*NEURAL, *PERFORMED} == set(NEURAL_FIELDS)
    for given in (NEURAL, PERFORMED):
        assert for_fallback(asked(**given)) == (asked(), tuple(name for name in NEURAL_FIELDS if name in given))


@pytest.mark.parametrize("field", NEURAL_FIELDS)
def test_what_is_left_out_is_named(field: str) -> None:
    given = {field: {**NEURAL, **PERFORMED}[field], **({"guide": "composer"} if field == "keep_stems" else {})}
    if field in PERFORMED:
        given["perform"] = True
    submission = Submission(asked(**given), "test", options=JobOptions("wav", notes=("first",)))
    changed = submission_for_fallback(submission)
    assert changed.request == asked()
    dropped = tuple(name for name in NEURAL_FIELDS if name in given)
    notes = (f"Ignored: {name} means nothing to the composer" for name in dropped)
    assert changed.options == JobOptions("wav", notes=("first", *notes), dropped=dropped)


def test_a_request_that_the_composer_understands_stays_as_it_is() -> None:
    submission = Submission(asked(), "test")
    assert submission_for_fallback(submission) is submission


@pytest.mark.parametrize(("header", "body", "usually", "waits"), [
    (None, {}, True, True), (None, {}, False, False),
    ("false", {}, True, False), ("0", {}, True, False), ("true", {}, False, True), ("1", {}, False, True),
    (None, {"options": {"wait_for_model": False}}, True, False),
    (None, {"options": {"wait_for_model": True}}, False, True),
    (None, {"options": {"use_cache": False}}, True, True), (None, {"options": None}, False, False),
    ("true", {"options": {"wait_for_model": False}}, True, True),
])  # fmt: skip
def test_who_waits_for_a_model_is_said_by_header_body_or_settings(
    header: str | None, body: Mapping[str, Any], usually: bool, waits: bool
) -> None:
    assert waits_for_model(body, header, usually) is waits


def test_options_that_are_no_object_are_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="options: must be an object, got 'nonsense'"):
        waits_for_model({"options": "nonsense"}, None, False)
