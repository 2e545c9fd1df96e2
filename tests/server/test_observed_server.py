"""What a really started server lets be seen of itself: its log, its metrics, its health, and what it throws away."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import strange_generators
from databases import PostgreSQL, postgresql
from live_server import served
from models_of_tests import installed_tiny
from prometheus_client.parser import text_string_to_metric_families
from serving import Serving, serving
from started_server import started, wait_for

from tunesmith.config import Settings
from tunesmith.server.app import ServerOptions, create_app

__all__ = ["postgresql"]
DAYS = 86_400.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("observed")
    installed_tiny(folder / "tiny", folder / "data")
    with serving(folder, log_format="json", log_level="debug") as one:
        yield one


def events(server: Serving, **about: object) -> list[dict[str, Any]]:
    """Return the events of the log that are about something."""
    lines = (json.loads(line) for line in server.process.log.splitlines())
    return [line for line in lines if about.items() <= line.items()]


def music(server: Serving, model: str, prompt: str = "calm piano", **headers: str) -> httpx.Response:
    body = {"inputs": prompt, "parameters": {"duration": 1, "seed": 1}}
    return httpx.post(f"{server.url}/models/{model}", json=body, headers=headers, timeout=60)


def samples(url: str, **headers: str) -> dict[str, float]:
    """Return what /metrics says, summed over the labels."""
    answer = httpx.get(f"{url}/metrics", headers=headers, timeout=30)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.raise_for_status().text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def test_a_request_is_followed_from_its_line_to_its_job_by_two_ids(server: Serving) -> None:
    answer = music(server, "composer", **{"x-request-id": "from-the-proxy.1"})
    assert answer.headers["x-request-id"] == "from-the-proxy.1"
    job_id = answer.headers["x-tunesmith-job"]
    wait_for(lambda: events(server, request_id="from-the-proxy.1", event="request"), "the request's line")
    queued, request = events(server, request_id="from-the-proxy.1")
    assert (queued["event"], queued["job_id"], queued["dialect"]) == ("job queued", job_id, "huggingface")
    assert (request["method"], request["path"], request["status"]) == ("POST", "/models/composer", 200)
    assert [event["event"] for event in events(server, job_id=job_id)] == ["job queued", "job started", "job succeeded"]


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nothing/here", 404), ("DELETE", "/health/live", 405), ("POST", "/v1/predictions", 422),
    ("PUT", "/api/jobs", 405), ("GET", "/v1/outputs/x/y/z", 404),
])  # fmt: skip
def test_what_is_refused_has_an_id_and_a_line_too(server: Serving, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, server.url + path, timeout=30)
    assert answer.status_code == status
    request_id = answer.headers["x-request-id"]
    wait_for(lambda: events(server, request_id=request_id, event="request"), "the request's line")
    assert events(server, request_id=request_id, event="request")[0]["status"] == status


def test_a_page_elsewhere_that_is_turned_away_at_the_door_is_seen(server: Serving) -> None:
    answer = httpx.get(f"{server.url}/health", headers={"host": "evil.example", "x-request-id": "rebound"}, timeout=30)
    assert (answer.status_code, answer.headers["x-request-id"]) == (403, "rebound")
    wait_for(lambda: events(server, request_id="rebound"), "the request's line")


def test_a_bug_in_a_runner_is_in_the_log_with_its_job_and_not_in_the_answer(server: Serving) -> None:
    answer = music(server, "raising", **{"x-request-id": "unlucky"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == "unlucky"
    wait_for(lambda: events(server, event="job failed"), "the job's line")
    failed = events(server, event="job failed", model="raising")[-1]
    assert "ZeroDivisionError: a secret of the program" in failed["exception"]
    assert events(server, event="job queued", job_id=failed["job_id"])[0]["request_id"] == "unlucky"


def test_what_a_library_in_a_runner_prints_is_in_the_log_with_its_model(server: Serving) -> None:
    assert music(server, "talkative").status_code == 200
    wait_for(lambda: events(server, logger="tunesmith.runner", model="talkative"), "what it printed")
    (said,) = events(server, logger="tunesmith.runner", model="talkative")
    assert (said["event"], said["level"]) == ('{"made": "nonsense"}', "warning")
    assert said["process_id"] > 0
    assert not {"job_id", "request_id"} & said.keys()


def test_no_secret_that_a_caller_sends_is_in_the_log(server: Serving) -> None:
    secret = "ts_" + "c2VjcmV0" * 5
    headers = {"authorization": f"Bearer {secret}", "xi-api-key": secret, "cookie": f"a={secret}"}
    for path in (f"/api/ps?token={secret}", f"/v1/streams/0/{secret}", f"/v1/outputs/0/{secret}/a.wav", f"/{secret}"):
        answer = httpx.get(server.url + path, headers=headers, timeout=30)
        request_id = answer.headers["x-request-id"]
        wait_for(lambda: events(server, request_id=request_id), "the request's line")  # noqa: B023
    assert "c2VjcmV0" not in server.process.log


def test_every_line_of_the_log_is_json_from_the_first(server: Serving) -> None:
    lines = events(server)
    assert lines
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)
    assert any(server.url in line["event"] for line in lines)


def test_metrics_tell_of_jobs_requests_and_runners(server: Serving) -> None:
    before = samples(server.url)
    assert music(server, "composer").status_code == 200
    assert music(server, "mistaken").status_code == 422
    ended = before.get("tunesmith_jobs_total", 0.0) + 2
    wait_for(lambda: samples(server.url).get("tunesmith_jobs_total") == ended, "both jobs to be counted")
    after = samples(server.url)
    for name, more in {
        "tunesmith_job_failures_total": 1, "tunesmith_audio_seconds_total": 1,
        "tunesmith_job_generation_seconds_count": 1, "tunesmith_job_real_time_factor_count": 1,
        "tunesmith_job_wait_seconds_count": 2,
    }.items():  # fmt: skip
        assert after[name] - before.get(name, 0.0) == pytest.approx(more), name
    assert after["tunesmith_http_request_seconds_count"] >= before["tunesmith_http_request_seconds_count"] + 2
    assert after["tunesmith_runners"] >= 1
    assert after["tunesmith_runner_memory_bytes"] > 1e6
    assert after["tunesmith_ready"] == after["tunesmith_database_reached"] == 1
    assert after["process_resident_memory_bytes"] > 1e6


def test_the_tokens_of_a_language_model_are_counted(server: Serving) -> None:
    before = samples(server.url).get("tunesmith_tokens_total", 0.0)
    assert music(server, "tiny").status_code == 200
    wait_for(lambda: samples(server.url).get("tunesmith_tokens_total", 0.0) >= before + 4 * 50, "its tokens")


def test_the_metrics_of_a_server_with_tokens_are_for_admins(tmp_path: Path) -> None:
    with serving(tmp_path) as one:
        assert httpx.get(f"{one.url}/metrics", timeout=30).status_code == 200
        admin, other = one.token(scope="admin"), one.token()
        wait_for(lambda: httpx.get(f"{one.url}/metrics", timeout=30).status_code == 401, "the door to close")
        assert httpx.get(f"{one.url}/metrics", headers={"authorization": f"Bearer {other}"}).status_code == 403
        assert samples(one.url, authorization=f"Bearer {admin}")["tunesmith_ready"] == 1
        for path in ("/health/live", "/health/ready"):
            assert httpx.get(one.url + path, timeout=30).status_code == 200


def test_a_server_whose_database_goes_says_that_it_is_not_ready_and_lives_on(
    tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    url = postgresql.new_database()
    with started(tmp_path / "data", database_url=url) as one:
        ready = httpx.get(f"{one.url}/health/ready", timeout=30)
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
        engine = sa.create_engine(postgresql.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)"))
        wait_for(lambda: httpx.get(f"{one.url}/health/ready", timeout=30).status_code == 503, "it to notice")
        reason = httpx.get(f"{one.url}/health/ready", timeout=30).json()["reason"]
        assert reason in ("the database cannot be reached", "cannot process the queue")
        assert httpx.get(f"{one.url}/health/live", timeout=30).status_code == 200


def test_a_server_that_is_about_to_end_is_not_ready(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path), ServerOptions(host="127.0.0.1"))
    with served(app) as url:
        assert httpx.get(f"{url}/health/ready", timeout=30).status_code == 200
        app.state.ending.drain()
        answer = httpx.get(f"{url}/health/ready", timeout=30)
        assert (answer.status_code, answer.json()["reason"]) == (503, "the server is stopping")
        assert httpx.get(f"{url}/health/live", timeout=30).status_code == 200


def test_a_server_throws_away_what_is_old_as_soon_as_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    data, digest, other = tmp_path / "data", "ab" * 32, "cd" * 32
    places = [data / "results" / digest[:2] / digest, data / "inputs" / digest, data / "inputs" / other]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"music")
    for place in places[:2]:
        os.utime(place, (time.time() - 3 * DAYS,) * 2)
    upload = data / "files" / ("0" * 42)
    upload.mkdir(parents=True)
    with started(data, result_days="2", log_format="json") as one:
        wait_for(lambda: "removed old or excess files" in one.log, "the round of housekeeping")
        assert [place.exists() for place in (*places, upload)] == [False, False, True, False]
        removed = next(json.loads(line) for line in one.log.splitlines() if "removed old or excess files" in line)
        assert (removed["results"], removed["recordings"], removed["uploads"]) == (1, 1, 1)
        assert samples(one.url)["tunesmith_housekeeping_removed_total"] == 3
