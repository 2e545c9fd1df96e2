"""What no client of the vendor's shows: addresses, signatures, bodies of any type, restarts, idempotency."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from jobs_in_memory import MADE, FakeService, serving
from receivers import Reply, receiver
from replicate_server import Server, app_of, settings_in
from stand_ins import install

from tunesmith.models.store import Store
from tunesmith.server.apis.replicate import files
from tunesmith.server.apis.replicate.predictions import with_heartbeats
from tunesmith.server.apis.replicate.request import wait_seconds

INPUT = {"prompt": "lofi", "seed": 5}
AS_ANN = {"authorization": "Token ann"}
PATH = "/v1/models/meta/musicgen/predictions"


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


def _client(service: FakeService, base_url: str = "http://here.test") -> TestClient:
    return TestClient(app_of(service, settings_in(service.folder)), base_url=base_url, headers=AS_ANN)


@pytest.mark.parametrize(("origin", "scheme"), [("http://here.test", "data:"), ("https://here.test", "https:")])
def test_the_output_begins_with_what_clients_take_for_a_file(service: FakeService, origin: str, scheme: str) -> None:
    service.finish_at_once = True
    assert _client(service, origin).post(PATH, json={"input": INPUT}).json()["output"].startswith(scheme)


def test_the_addresses_of_outputs_and_streams_need_no_token_and_cannot_be_made_up(service: FakeService) -> None:
    service.finish_at_once = True
    client = _client(service, "https://here.test")
    made = client.post(PATH, json={"input": INPUT}).json()
    anonymous = TestClient(client.app, base_url="https://here.test")
    assert anonymous.get(made["output"]).content == MADE
    assert "event: done" in anonymous.get(made["urls"]["stream"]).text
    for url in (made["output"], made["urls"]["stream"]):
        forged = url.replace(url.split("/")[6], "0" * 40)
        assert anonymous.get(forged).status_code == 404
    assert anonymous.get(made["urls"]["get"]).status_code == 401


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_is_json_whatever_its_type_says(service: FakeService, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = _client(service).post(PATH, content=json.dumps({"input": INPUT}), headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (201, answer.json()["urls"]["get"])


@pytest.mark.parametrize("body", [
    b"{", b"[]", b"\xff", b"[" * 100_000,
])  # fmt: skip
def test_a_body_that_is_no_object_is_a_bad_request(service: FakeService, body: bytes) -> None:
    answer = _client(service).post(PATH, content=body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Bad request")


@pytest.mark.parametrize(("body", "field"), [
    (b'{"input": NaN}', "input"), (b'{"a": 1e999}', "a"), (b'{"\\u0000": 1}', "(a name)"),
    (b'{"a": ["\\ud800"]}', "a.0"),
])  # fmt: skip
def test_a_value_that_cannot_be_kept_is_named(service: FakeService, body: bytes, field: str) -> None:
    answer = _client(service).post(PATH, content=body)
    assert (answer.status_code, answer.json()["invalid_fields"][0]["field"]) == (422, field)


def test_a_model_of_ones_own_is_predicted_with_by_name_and_by_version(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    install(Store.default(), "mine")
    client = _client(service)
    listed = {model["name"]: model for model in client.get("/v1/models").json()["results"]}
    version = listed["x"]["latest_version"]["id"]  # the stand-in says that it was pulled from org/x
    for path, body in (("/v1/models/tunesmith/mine/predictions", {}), ("/v1/predictions", {"version": version})):
        answer = client.post(path, json={"input": INPUT, **body})
        assert answer.status_code == 201
        assert service.jobs[answer.json()["id"]].model == "mine"


def test_the_same_idempotency_key_is_the_same_prediction(service: FakeService) -> None:
    client, body = _client(service), {"input": {"prompt": "lofi"}}
    first, second = (client.post(PATH, json=body, headers={"idempotency-key": "k"}).json() for _ in range(2))
    assert first["id"] == second["id"]


def test_older_names_are_understood_and_unknown_ones_are_told_of(service: FakeService) -> None:
    body = {"input": {"description": "lofi", "model": "stereo-large", "colour": "red", "top_p": 0.5, "seed": -1}}
    job_id = _client(service).post(PATH, json=body).json()["id"]
    job = service.run(job_id)
    assert (job.model, job.request.prompt, job.request.top_p) == ("facebook/musicgen-stereo-large", "lofi", 0.5)
    assert (job.request.seed or 0) > 0
    assert "there is no input 'colour'" in _client(service).get(f"/v1/predictions/{job_id}").json()["logs"]


def test_logs_only_grow_and_a_stand_in_is_declared(service: FakeService) -> None:
    client = _client(service)
    job_id = client.post(PATH, json={"input": INPUT}).json()["id"]
    service.change(job_id, generated_by="composer")
    seen = ""
    for progress in (0.0, 0.1, 0.33, 0.99, 1.0):
        service.run(job_id, progress)
        logs = client.get(f"/v1/predictions/{job_id}").json()["logs"]
        assert logs.startswith(seen)
        seen = logs
    assert seen.splitlines()[:2] == [
        "Using seed 5", "meta/musicgen is not installed here; composer is used instead",
    ]  # fmt: skip
    assert seen.splitlines()[-1] == "100%|##########| 400/400"


def test_a_file_that_is_gone_is_said_to_be_removed(service: FakeService) -> None:
    service.finish_at_once = True
    client = _client(service)
    job_id = client.post(PATH, json={"input": INPUT}).json()["id"]
    service.change(job_id, data_removed=True)
    shown = client.get(f"/v1/predictions/{job_id}").json()
    assert (shown["status"], shown["data_removed"], shown["output"]) == ("succeeded", True, None)


def test_a_server_that_starts_again_goes_on_sending_the_news(server: Server, tmp_path: Path) -> None:
    with receiver() as there:
        body = {"input": INPUT, "webhook": there.url, "webhook_events_filter": ["completed"]}
        httpx.post(f"{server.url}{PATH}", json=body, headers=AS_ANN, trust_env=False).raise_for_status()
        later = FakeService(tmp_path)
        later.jobs.update(server.service.jobs)
        with serving(app_of(later, settings_in(tmp_path))):
            job = later.newest()
            later.succeed(job.id)
            assert json.loads(there.wait_for(1)[0].body)["status"] == "succeeded"


def test_the_end_that_one_server_could_not_tell_is_told_by_the_next_and_only_once(
    server: Server, tmp_path: Path
) -> None:
    answers = iter([Reply(503)])
    with receiver(lambda _: next(answers, Reply(200))) as there:
        body = {"input": INPUT, "webhook": there.url}
        httpx.post(f"{server.url}{PATH}", json=body, headers=AS_ANN, trust_env=False).raise_for_status()
        ended = FakeService(tmp_path)
        ended.jobs.update(server.service.jobs)
        ended.succeed(ended.newest().id)
        with serving(app_of(ended, settings_in(tmp_path))):
            first = there.wait_for(1)[0]
        with serving(app_of(ended, settings_in(tmp_path))):
            second = there.wait_for(1)[1]
        with serving(app_of(ended, settings_in(tmp_path))) as last:
            assert httpx.get(f"{last}/v1/account", headers=AS_ANN, trust_env=False).status_code == 200
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"{ended.newest().id}.completed"
    assert json.loads(second.body)["status"] == "succeeded"
    assert len(there.received) == 2


@pytest.mark.parametrize("webhook", ["ftp://x", "nonsense", 7])
def test_a_webhook_that_cannot_be_is_refused_when_it_is_asked_for(service: FakeService, webhook: object) -> None:
    answer = _client(service).post(PATH, json={"input": INPUT, "webhook": webhook})
    assert (answer.status_code, answer.json()["invalid_fields"][0]["field"]) == (422, "webhook")


@pytest.mark.parametrize(("prefer", "seconds"), [
    (None, None), ("wait", 60.0), ("wait=5", 5.0), ("wait=0", 1.0), ("wait=900", 60.0), ("respond-async", None),
    ("respond-async, wait=7", 7.0), ("Wait = 3", 3.0), ("await", None), ("waiting", None),
])  # fmt: skip
def test_prefer_is_read(prefer: str | None, seconds: float | None) -> None:
    assert wait_seconds(prefer) == seconds


def test_a_silent_stream_is_kept_open_by_comments() -> None:
    go_on = asyncio.Event()

    async def news() -> AsyncIterator[str]:
        await go_on.wait()
        yield "one"

    async def read() -> list[str]:
        got = []
        async for chunk in with_heartbeats(news(), 0.01):
            got.append(chunk)
            go_on.set()
        return got

    assert asyncio.run(read()) == [": still here\n\n", "one"]


def test_ids_and_cursors_that_were_never_given_are_refused(service: FakeService) -> None:
    client = _client(service)
    assert client.get("/v1/predictions/..%5Cx%00").status_code == 404
    assert client.get("/v1/predictions?cursor=%00").status_code == 400
    assert client.get("/v1/files/..%2f..%2fetc").status_code == 404


def test_an_upload_without_a_length_is_still_bounded(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1_000)
    start = b'--x\r\ncontent-disposition: form-data; name="content"; filename="a"\r\n\r\n'
    body = (chunk for chunk in (start, *[b"0" * 100_000] * 12, b"\r\n--x--\r\n"))
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = _client(service).post("/v1/files", content=body, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (413, "Payload too large")
