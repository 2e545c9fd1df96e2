"""Metrics count what happened, under labels of which there are only so many."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest

from tunesmith.jobs.job_run import JobEnd, Outcome
from tunesmith.server.middleware.stack import RequestSummary
from tunesmith.server.observability.metrics import MAX_MODELS, OTHER, Bounded, Metrics

MADE = JobEnd("tiny", "api", Outcome.SUCCEEDED, 1.5, 3.0, 4.0, audio_seconds=8.0, codes=1600)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"tunesmith_{name}", labels)


def failed(kind: str, model: str = "tiny") -> JobEnd:
    return JobEnd(model, "api", Outcome.FAILED, 0.0, kind=kind)


def test_a_job_that_was_made_is_in_every_count(metrics: Metrics) -> None:
    metrics.ended(MADE)
    metrics.ended(MADE)
    assert value(metrics, "jobs_total", dialect="api", model="tiny", outcome="succeeded") == 2
    assert value(metrics, "job_wait_seconds_sum", model="tiny") == 3.0
    assert value(metrics, "model_load_seconds_sum", model="tiny") == 6.0
    assert value(metrics, "job_generation_seconds_sum", model="tiny") == 8.0
    assert value(metrics, "job_real_time_factor_bucket", model="tiny", le="0.5") == 2
    assert value(metrics, "job_real_time_factor_bucket", model="tiny", le="0.25") == 0
    assert value(metrics, "audio_seconds_total", model="tiny") == 16.0
    assert value(metrics, "tokens_total", model="tiny") == 3200
    assert value(metrics, "job_failures_total", model="tiny", kind="InternalError") is None


def test_one_that_was_not_made_is_in_no_measure_of_speed(metrics: Metrics) -> None:
    metrics.ended(failed("InvalidRequest"))
    metrics.ended(JobEnd("tiny", "api", Outcome.STOPPED, 1.0, generate_seconds=9.0))
    assert value(metrics, "job_failures_total", model="tiny", kind="InvalidRequest") == 1
    assert value(metrics, "jobs_total", dialect="api", model="tiny", outcome="stopped") == 1
    assert value(metrics, "job_generation_seconds_sum", model="tiny") is None
    assert value(metrics, "job_real_time_factor_sum", model="tiny") is None
    assert value(metrics, "job_wait_seconds_count", model="tiny") == 2


def test_requests_are_counted_by_dialect_and_status(metrics: Metrics) -> None:
    for seconds in (0.1, 20.0):
        metrics.answered(RequestSummary("replicate", 201, seconds))
    metrics.answered(RequestSummary("replicate", 429, 0.001))
    assert value(metrics, "http_request_seconds_count", dialect="replicate", status="201") == 2
    assert value(metrics, "http_request_seconds_sum", dialect="replicate", status="201") == pytest.approx(20.1)
    assert value(metrics, "http_request_seconds_count", dialect="replicate", status="429") == 1


def test_the_first_values_of_a_label_keep_their_name_and_the_rest_share_one() -> None:
    name = Bounded(2, known={"a"})
    assert [name(one) for one in "abcab"] == ["a", "b", OTHER, "a", "b"]


def test_neither_models_nor_failures_that_others_invent_grow_without_end(metrics: Metrics) -> None:
    for number in range(3 * MAX_MODELS):
        metrics.ended(failed(f"Strange{number}", f"model-{number}"))
    page = generate_latest(metrics.registry).decode()
    lines = [line for line in page.splitlines() if line.startswith("tunesmith_job_failures_total{")]
    assert len(lines) == MAX_MODELS + 1
    assert all(f'kind="{OTHER}"' in line for line in lines)
