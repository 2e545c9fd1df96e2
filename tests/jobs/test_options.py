"""What travels with a job beside its request, and the JSON that the database keeps of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.jobs.job import JobOptions, PredictionOptions, Submission, WebhookTarget
from tunesmith.jobs.row_mapping import fingerprint
from tunesmith.jobs.service import submission_for_fallback
from tunesmith.request import GenerationRequest

SUBMISSION = Submission(GenerationRequest(prompt="calm piano", seed=7, duration=10), "api", "o", model="m")
INPUT = {"prompt": "calm piano", "nested": [1, None, {"é": 0.1}]}
PREDICTION = PredictionOptions(INPUT, "meta/musicgen", "v1", "https://x.test")
WITH_WEBHOOK = replace(PREDICTION, webhook=WebhookTarget("https://y.test/", ("start", "completed")))
PREDICTION_ROW: dict[str, Any] = {
    "format": "mp3", "input": INPUT, "model": "meta/musicgen", "version": "v1", "notes": [],
    "origin": "https://x.test", "webhook": None,
}  # fmt: skip
WEBHOOK_ROW = {**PREDICTION_ROW, "webhook": {"url": "https://y.test/", "events": ["start", "completed"]}}

CASES: list[tuple[JobOptions, dict[str, Any], str]] = [
    (JobOptions(), {"format": "wav"}, "fbf795ebd023df43e88849f10a0169693709a5afc388b7f246fba3cb18dd060e"),
    (JobOptions("flac", 30), {"format": "flac", "keep_alive": 30},
     "c48a6a366955c115f08ce4bff6fba5aafcec07ab25cc9a605e14894c101f6547"),
    (JobOptions("flac", 30.0), {"format": "flac", "keep_alive": 30.0},
     "34fedd7c8b62f7a12dfd071f294d83f1a8a974b675e2474b5561b684e9b0710f"),
    (JobOptions("mid", for_track="t1"), {"format": "mid", "for_track": "t1"},
     "8b1a20e6cee7be63fc6c23e81719ce9f9ace09208e802f41ef92824f8e2ab525"),
    (JobOptions("wav", parent="t1"), {"format": "wav", "parent": "t1"},
     "b8f23c14b8a77904b279ca197ead85546e1f0063f6f91521ae4b61cb0bff76bf"),
    (JobOptions("mp3", prediction=PREDICTION), PREDICTION_ROW,
     "236b7c4855ed384cde0eb8741752b336e21782370fcabe1085b838c7fc19e139"),
    (JobOptions("mp3", prediction=WITH_WEBHOOK, notes=("first",)), {**WEBHOOK_ROW, "notes": ["first"]},
     "202cf8c88773dcf11ab9f71c5cd083f4de108cd12ccc8ff3419729c47f62b070"),
]  # fmt: skip
"""Options, the row that was written of them while they were a dict, and the fingerprint of SUBMISSION with them."""


@pytest.mark.parametrize(("options", "row", "expected"), CASES)
def test_rows_and_fingerprints_are_those_of_the_dict_that_was_there_before(
    options: JobOptions, row: dict[str, Any], expected: str
) -> None:
    assert json.dumps(options.to_row(), sort_keys=True) == json.dumps(row, sort_keys=True)
    assert fingerprint(replace(SUBMISSION, options=options)) == expected


@pytest.mark.parametrize(("options", "row"), [(options, row) for options, row, _ in CASES])
def test_options_are_read_from_rows(options: JobOptions, row: dict[str, Any]) -> None:
    assert JobOptions.from_row(row) == JobOptions.from_row(options.to_row()) == options


@pytest.mark.parametrize(("options", "row", "expected"), [
    (JobOptions(), {"format": "wav"}, "a24f515ff63968e928e34364f0b381c96764ffb8c4f3722626ca6e6a9fa348fd"),
    (JobOptions("mp3", prediction=PREDICTION), PREDICTION_ROW,
     "b1802f52b14890a6c51b6a33357841ab17199c008ec6d9ed6bdecc3cb0615a2b"),
])  # fmt: skip
def test_what_the_composer_leaves_out_is_in_the_row(options: JobOptions, row: dict[str, Any], expected: str) -> None:
    request = GenerationRequest(prompt="calm piano", seed=7, duration=10, top_k=5)
    submission = submission_for_fallback(replace(SUBMISSION, request=request, options=options))
    row = {**row, "notes": ["Ignored: top_k means nothing to the composer"], "dropped": ["top_k"]}
    assert submission.options.to_row() == row
    assert JobOptions.from_row(row) == submission.options
    assert fingerprint(submission) == expected


def test_a_row_of_another_version_is_read_as_far_as_it_is_known() -> None:
    assert JobOptions.from_row({}) == JobOptions("wav")
    assert JobOptions.from_row({"format": "ogg", "tempo": 3, "prediction": 4}) == JobOptions("ogg")
    assert JobOptions.from_row({"version": "v1"}) == JobOptions(prediction=PredictionOptions(version="v1"))


@pytest.mark.parametrize("row", [
    {"format": 3}, {"parent": ["t1"]}, {"notes": "x"}, {"webhook": "https://x.test/"}, {"input": [1]},
    {"webhook": {"url": "https://x.test/"}},
])  # fmt: skip
def test_a_value_of_another_type_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(row))):
        JobOptions.from_row(row)


@pytest.mark.parametrize("seconds", [None, -1, 0, 0.5, 300])
def test_a_job_may_say_how_long_its_model_stays(seconds: float | None) -> None:
    assert JobOptions(keep_alive=seconds).keep_alive == seconds


@pytest.mark.parametrize("nonsense", ["5m", True, float("nan"), float("inf"), 1e9, -2, -0.5, -1e308, [1]])
def test_how_long_a_model_stays_is_a_number_of_seconds(nonsense: Any) -> None:
    with pytest.raises(InvalidRequest, match="keep_alive: must be 0 to 2592000 seconds, or -1 for no limit, got"):
        JobOptions(keep_alive=nonsense)
