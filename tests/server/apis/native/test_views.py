"""What a finished job's document and headers say of its file: where it loops, and under which licence it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tunesmith.audio.markers import Cue, Markers, whole_loop
from tunesmith.jobs.estimates import QueueEstimate
from tunesmith.jobs.job import Job, JobOptions, JobResult, JobState
from tunesmith.request import GenerationRequest
from tunesmith.server.apis.native.schemas import job_document
from tunesmith.server.apis.responses import headers_of


def job_with(metadata: dict[str, Any], form: str = "wav") -> Job:
    return Job(
        id="1", state=JobState.SUCCEEDED, request=GenerationRequest.checked(prompt="x", seed=1), options=JobOptions(),
        model="composer", generated_by="composer", dialect="api", priority=0, owner=None, idempotency_key=None,
        progress=1.0, stage="done", eta_seconds=None, created_at=1.0, started_at=1.0, running_at=1.0, finished_at=2.0,
        attempts=1, worker=None, result=JobResult("d" * 64, form, 4, 2.0, 44_100, 2), failure=None, metadata=metadata,
        data_removed=False,
    )  # fmt: skip


def loop_points(metadata: dict[str, Any], form: str) -> list[dict[str, Any]] | None:
    result = job_document(job_with(metadata, form), QueueEstimate(None, None, None)).model_dump()["result"]
    found: list[dict[str, Any]] | None = result["loop_points"]
    return found


@pytest.mark.parametrize(("form", "length"), [("wav", 88_200), ("mp3", 88_200), ("opus", 96_000)])
def test_a_loop_s_points_are_in_samples_of_the_file_and_in_seconds(form: str, length: int) -> None:
    points = loop_points({"markers": whole_loop(88_200, 44_100).as_json()}, form)
    assert points == [
        {"start": 0, "end": length - 1, "length": length, "kind": "forward", "start_seconds": 0.0, "end_seconds": 2.0,
         "length_seconds": 2.0}
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["wav", "mid", "zip"])
def test_what_does_not_loop_has_no_points(form: str) -> None:
    assert loop_points({"markers": Markers(44_100, cues=(Cue(1),)).as_json()}, form) is None
    assert loop_points({}, form) is None


def test_the_licence_in_the_header_is_one_line_that_fits() -> None:
    assert headers_of(job_with({"licence": "A\r\nB: c"}))["x-tunesmith-license"] == "A B: c"
    long = headers_of(job_with({"licence": "works " * 2_000}))["x-tunesmith-license"]
    assert len(long) < 2_100
    assert long.endswith("(full text in the file)")
    assert "x-tunesmith-license" not in headers_of(replace(job_with({}), metadata={}))
