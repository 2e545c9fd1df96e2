"""Replicate's own Python client, unmodified but for its base URL, against a running server."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from jobs_in_memory import MADE
from receivers import receiver
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.webhook import Webhooks
from replicate_server import Server
from sounds import wav_bytes

from tunesmith.errors import ModelNotInstalled, OutOfResources, QueueFull, TunesmithError
from tunesmith.server.apis.replicate.models import PUBLIC_VERSIONS

VERSION = "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
INPUT = {"prompt": "lofi", "duration": 3}


@pytest.mark.parametrize("ref", ["meta/musicgen", f"meta/musicgen:{VERSION}", "tunesmith/composer"])
def test_run_gives_the_file(server: Server, ref: str) -> None:
    server.service.finish_at_once = True
    output: Any = server.client.run(ref, input=INPUT)
    assert output.read() == MADE
    assert server.service.newest().request.duration == 3


@pytest.mark.parametrize("pinned", ["7a76a825", "b05b1dff", "7be0f12c"])
def test_a_pinned_version_runs_and_the_answer_says_which_one_does(server: Server, pinned: str) -> None:
    version = next(one for one in PUBLIC_VERSIONS if one.startswith(pinned))
    server.service.finish_at_once = True
    output: Any = server.client.run(f"meta/musicgen:{version}", input=INPUT)
    assert output.read() == MADE
    prediction = server.client.predictions.get(server.service.newest().id)
    assert (prediction.model, prediction.version) == ("meta/musicgen", VERSION)
    note = f"Version {pinned} is not installed; version {VERSION[:8]} of meta/musicgen is used\n"
    assert note in (prediction.logs or "")
    described = server.client.models.get("meta/musicgen").versions.get(version)
    assert described.id == version
    assert "prompt" in described.openapi_schema["components"]["schemas"]["Input"]["properties"]


def test_a_version_of_no_model_here_is_refused(server: Server) -> None:
    with pytest.raises(ReplicateError, match="Invalid version or not permitted"):
        server.client.predictions.create(version="0" * 64, input=INPUT)
    with pytest.raises(ReplicateError, match="There is no version"):
        server.client.models.get("meta/musicgen").versions.get("latest")
    body = {"version": "0" * 64, "model": "meta/musicgen", "input": INPUT}  # as JavaScript programs may send it
    headers = {"authorization": "Bearer ann"}
    assert httpx.post(f"{server.url}/v1/predictions", json=body, headers=headers).json()["version"] == VERSION


def test_run_waits_for_a_slow_job_by_polling(server: Server) -> None:
    timer = threading.Timer(1.2, lambda: server.service.succeed(server.service.newest().id))
    timer.start()
    output: Any = server.client.run("meta/musicgen", input=INPUT, wait=1)
    assert output.read() == MADE
    timer.join()


def test_run_raises_the_reason_of_a_failure(server: Server) -> None:
    timer = threading.Timer(0.1, lambda: server.service.fail(server.service.newest().id, "out of tune"))
    timer.start()
    with pytest.raises(ModelError, match="out of tune"):
        server.client.run("meta/musicgen", input=INPUT)
    timer.join()


def test_a_wait_that_runs_out_says_starting(server: Server) -> None:
    headers = {"authorization": "Bearer ann", "prefer": "wait=1"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as client:
        timer = threading.Timer(0.1, lambda: server.service.run(server.service.newest().id))
        timer.start()
        answer = client.post("/v1/models/meta/musicgen/predictions", json={"input": INPUT})
        timer.join()
        assert (answer.status_code, answer.json()["status"], answer.json()["output"]) == (201, "starting", None)
        assert client.get(answer.headers["location"]).json()["status"] == "processing"


def test_a_prediction_is_made_watched_and_cancelled(server: Server) -> None:
    prediction = server.client.predictions.create(version=VERSION, input=INPUT)
    assert (prediction.status, prediction.version, prediction.logs) == ("starting", VERSION, "")
    server.service.run(prediction.id, 0.42)
    prediction.reload()
    assert prediction.status == "processing"
    assert prediction.progress is not None
    assert prediction.progress.percentage == pytest.approx(0.4)
    assert "Using seed" in (prediction.logs or "")
    prediction.cancel()
    prediction.wait()
    assert server.client.predictions.get(prediction.id).status == "canceled"
    prediction.cancel()


def test_listing_goes_from_page_to_page_newest_first_and_only_through_ones_own(server: Server) -> None:
    server.client.predictions.create("meta/musicgen", input=INPUT)
    made = [server.service.again(server.service.newest()) for _ in range(102)]
    other = server.client_of("bob")
    pages: list[Any] = []
    page: Any = server.client.predictions.list()
    while page is not None:
        pages.append(page)
        page = server.client.predictions.list(page.next) if page.next else None
    assert [len(page) for page in pages] == [100, 3]
    assert [one.id for page in pages for one in page] == sorted(server.service.jobs, reverse=True)
    assert len(other.predictions.list()) == 0
    with pytest.raises(ReplicateError, match="404"):
        other.predictions.get(made[0].id)


def test_streams_tell_of_logs_and_output(server: Server) -> None:
    server.service.finish_at_once = True
    events: list[Any] = list(server.client.stream("meta/musicgen", input=INPUT))
    assert [event.event.value for event in events] == ["logs", "output", "done"]
    assert events[1].data.read() == MADE
    assert events[0].data.rstrip().endswith("150/150")


def test_an_uploaded_file_is_an_input(server: Server, tmp_path: Path) -> None:
    server.service.finish_at_once = True
    path = tmp_path / "tune.wav"
    path.write_bytes(wav_bytes(2.0))
    with path.open("rb") as file:
        server.client.run("meta/musicgen", input={**INPUT, "input_audio": file})
    melody = server.service.newest().request.melody
    assert melody is not None
    assert melody.read_bytes() == path.read_bytes()


def test_a_continuation_begins_with_the_part_asked_for_and_is_longer_by_it(server: Server) -> None:
    tune = io.BytesIO(wav_bytes(3.0))
    more = {"input_audio": tune, "continuation": True, "continuation_start": 1, "continuation_end": 2}
    server.client.predictions.create("meta/musicgen", input={**INPUT, **more}, file_encoding_strategy="base64")
    request = server.service.newest().request
    assert (request.duration, request.melody) == (4.0, None)
    assert request.audio is not None


def test_files_are_kept_described_listed_and_removed(server: Server) -> None:
    content = io.BytesIO(wav_bytes())
    file = server.client.files.create(content, filename="a.wav", content_type="audio/wav", metadata={"take": 1})
    assert (file.name, file.size, file.metadata) == ("a.wav", len(wav_bytes()), {"take": 1})
    assert server.client.files.get(file.id).checksums == file.checksums
    assert [one.id for one in server.client.files.list()] == [file.id]
    with pytest.raises(ReplicateError, match="404"):
        server.client_of("bob").files.get(file.id)
    server.client.files.delete(file.id)
    assert list(server.client.files.list()) == []


def test_webhooks_arrive_and_the_vendors_validator_accepts_them(server: Server) -> None:
    with receiver() as there:
        server.client.predictions.create("meta/musicgen", input=INPUT, webhook=there.url)
        server.service.succeed(server.service.newest().id)
        got = there.wait_for(4)
    kinds = [one.headers["webhook-id"].split(".")[1] for one in got]
    assert kinds == ["start", "logs", "output", "completed"]
    secret = server.client.webhooks.default.secret()
    for one in got:
        Webhooks.validate(headers=dict(one.headers), body=one.body.decode(), secret=secret)


def test_models_versions_account_hardware_and_deployments_are_described(server: Server) -> None:
    assert "meta/musicgen" in [model.id for model in server.client.models.list()]
    version = server.client.models.get("meta/musicgen").versions.list()[0]
    assert version.id == VERSION
    schema = version.openapi_schema["components"]["schemas"]
    assert schema["Input"]["properties"]["duration"]["default"] == 8
    assert server.client.accounts.current().username == "ann"
    assert [one.sku for one in server.client.hardware.list()] == ["local"]
    deployment = server.client.deployments.get("meta/musicgen")
    assert deployment.predictions.create(input=INPUT).status == "starting"


@pytest.mark.parametrize(("given", "words"), [
    ({}, "prompt is required"), ({"prompt": "x", "duration": 0}, "input.duration: Must be greater than or equal to 1"),
    ({"prompt": "x", "top_k": "many"}, "Expected: integer, given: string"),
    ({"prompt": "x", "output_format": "midi"}, "output_format must be one of"),
    ({"prompt": "x", "seed": True}, "Expected: integer, given: boolean"),
    ({"prompt": "!!"}, "input.prompt: must contain words"),
    ({"prompt": "x", "input_audio": "http://127.0.0.1:9/"}, "input.input_audio: cannot be fetched"),
])  # fmt: skip
def test_a_bad_input_is_named(server: Server, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ReplicateError) as caught:
        server.client.run("meta/musicgen", input=given)
    assert (caught.value.status, caught.value.title) == (422, "Input validation failed")
    assert words in (caught.value.detail or "")


def test_errors_are_problems(server: Server) -> None:
    def status(ref: str, client: Client = server.client) -> int | None:
        with pytest.raises(ReplicateError) as caught:
            client.run(ref, input=INPUT)
        return caught.value.status

    assert status("meta/musicgen", server.client_of("bad")) == 401
    assert status("nobody/nothing") == 404
    assert status(f"meta/musicgen:{'0' * 64}") == 422
    server.service.fail_with = ModelNotInstalled("pull it first")
    assert status("meta/musicgen") == 404


@pytest.mark.parametrize(("error", "seconds"), [
    (QueueFull(500, 7), "7"), (QueueFull(500), "5"), (OutOfResources("the disk is full"), "5"),
])  # fmt: skip
def test_a_want_of_room_is_said_with_a_time_to_come_back(server: Server, error: TunesmithError, seconds: str) -> None:
    server.service.fail_with = error
    answer = httpx.post(
        f"{server.url}/v1/models/meta/musicgen/predictions", json={"input": INPUT},
        headers={"authorization": "Bearer ann"}, trust_env=False,
    )  # fmt: skip
    assert (answer.status_code, answer.json()["status"], answer.headers["retry-after"]) == (503, 503, seconds)
