"""Replicate's Python client as people have it, unmodified: only the base URL, or REPLICATE_BASE_URL, is ours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from listening_to import heard
from replicate.client import Client
from replicate.exceptions import ModelError
from replicate.pagination import paginate
from replicate.prediction import Prediction
from replicate_calls import COMPOSER, META, ran, ran_async, refusal, replicate_at
from serving import BROKEN, TINY, WRONG_TOKEN, Serving
from sounds import wav_bytes
from started_server import wait_for

from tunesmith.jobs.job import JobState

VERSION = "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
SHORT = {"prompt": "calm piano", "duration": 2, "seed": 7}
ENDLESS = {**SHORT, "duration": 600}
"""What a musicgen of any size is still busy with when the test is over."""


@pytest.mark.parametrize("ref", [META, f"{META}:{VERSION}", COMPOSER])
def test_run_gives_a_file(server: Serving, ref: str) -> None:
    made = heard(ran(server.url, ref, SHORT).read())
    assert (made.format, made.sample_rate, made.seconds) == ("WAV", 32_000, 2.0)
    assert not made.is_silent


def test_a_file_is_read_piece_by_piece_and_a_seed_repeats_it(server: Serving) -> None:
    wishes = {**SHORT, "output_format": "mp3", "top_k": 250, "classifier_free_guidance": 3}
    first = b"".join(ran(server.url, META, wishes))
    assert heard(first).format == "MP3"
    assert ran_async(server.url, META, wishes).read() == first
    assert ran(server.url, META, wishes, use_file_output=False, wait=False).startswith("data:audio/mpeg;base64,")


def test_a_script_needs_only_another_base_url(server: Serving, tmp_path: Path) -> None:
    script = (
        "import replicate\n"
        f"output = replicate.run({META!r}, input={SHORT!r})\n"
        "open('music.wav', 'wb').write(output.read())\n"
    )
    environment = {"REPLICATE_BASE_URL": server.url, "REPLICATE_API_TOKEN": "r8_any"}
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=tmp_path, timeout=60, check=True)
    assert heard((tmp_path / "music.wav").read_bytes()).seconds == 2.0


def test_a_cold_model_is_waited_for(musicgen_server: Serving) -> None:
    made = heard(ran(musicgen_server.url, META, {**SHORT, "model_version": "small"}).read())
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 2.0)


def test_progress_is_in_the_logs_and_a_running_prediction_is_cancelled(musicgen_server: Serving) -> None:
    with replicate_at(musicgen_server.url) as client:
        prediction = client.models.predictions.create(TINY, input=ENDLESS)
        assert prediction.status == "starting"
        wait_for(lambda: has_begun(prediction), "progress in the logs")
        assert client.predictions.get(prediction.id).status == "processing"
        assert prediction.progress
        assert 0 < prediction.progress.percentage < 1
        assert "Using seed 7\n" in (prediction.logs or "")
        assert "stand-in" not in (prediction.logs or "")
        prediction.cancel()
        prediction.wait()
        assert (prediction.status, prediction.output, prediction.error) == ("canceled", None, None)
        prediction.cancel()
        assert client.predictions.get(prediction.id).status == "canceled"


def has_begun(prediction: Prediction) -> bool:
    prediction.reload()
    return prediction.progress is not None and prediction.progress.current > 0


def test_a_prediction_is_cancelled_while_it_waits_and_a_full_queue_is_told(
    strict_server: Serving, held: Callable[[str], str]
) -> None:
    with replicate_at(strict_server.url) as client:
        client.poll_interval = 0.05
        first, second = (
            client.models.predictions.create("tunesmith/patient", input={"prompt": held(name), "duration": 1})
            for name in ("running", "waiting")
        )
        strict_server.wait_for_state(first.input["prompt"], JobState.RUNNING)  # type: ignore[index]
        full = refusal(strict_server.url, COMPOSER, SHORT)
        assert (full.status, full.title) == (503, "Service unavailable")
        second.cancel()
        assert (second.status, second.started_at) == ("canceled", None)
        first.cancel()
        first.wait()
        assert first.status == "canceled"


def test_everything_is_there_for_asyncio_too(server: Serving) -> None:
    async def run() -> None:
        client = Client(api_token="r8_any", base_url=server.url)
        client.poll_interval = 0.05
        made = await client.models.predictions.async_create(COMPOSER, input=SHORT)
        events = [event.event.value async for event in made.async_stream()]
        assert events[-2:] == ["output", "done"]
        await made.async_wait()
        assert (await client.predictions.async_get(made.id)).status == made.status == "succeeded"
        await made.async_cancel()
        assert made.status == "succeeded"
        await client._async_client.aclose()

    asyncio.run(run())


def test_a_wait_that_runs_out_goes_on_as_polling(musicgen_server: Serving) -> None:
    with replicate_at(musicgen_server.url) as client:
        slow = client.models.predictions.create(TINY, input={**SHORT, "duration": 600}, wait=1)
        assert (slow.status, slow.output) == ("starting", None)
        slow.cancel()
        output: Any = client.run(TINY, input={**SHORT, "duration": 20}, wait=1)
    assert heard(output.read()).seconds == 20.0


def test_a_stream_tells_of_logs_and_output(server: Serving) -> None:
    with replicate_at(server.url) as client:
        events: list[Any] = list(client.stream(META, input=SHORT))
        prediction = client.predictions.create(VERSION, input=SHORT)
        again: list[Any] = list(prediction.stream())
    *logs, output, done = events
    assert {event.event.value for event in logs} == {"logs"}
    assert heard(output.data.read()).seconds == 2.0
    assert (done.event.value, done.data) == ("done", "{}")
    assert again[-2].data.read() == output.data.read()


def test_a_stream_of_a_failure_raises_it_and_tells_nothing_of_the_inside(musicgen_server: Serving) -> None:
    with replicate_at(musicgen_server.url) as client, pytest.raises(RuntimeError) as caught:
        list(client.stream(BROKEN, input=SHORT))
    assert "generation failed" in str(caught.value)
    assert "/" not in str(caught.value)


def test_a_failure_is_raised_and_tells_nothing_of_the_inside(musicgen_server: Serving) -> None:
    with pytest.raises(ModelError) as caught:
        ran(musicgen_server.url, BROKEN, SHORT)
    assert caught.value.prediction.status == "failed"
    assert str(caught.value) == "generation failed; see the server's log"


def test_files_are_kept_listed_used_and_removed(musicgen_server: Serving, tmp_path: Path) -> None:
    tune = tmp_path / "tune.wav"
    tune.write_bytes(wav_bytes(1.0))
    wishes = {**SHORT, "continuation": True}
    with replicate_at(musicgen_server.url) as client:
        file = client.files.create(tune, metadata={"take": 1})
        assert (file.name, file.size, file.metadata) == ("tune.wav", tune.stat().st_size, {"take": 1})
        assert file.id in [one.id for one in client.files.list()]
        by_address: Any = client.run(TINY, input={**wishes, "input_audio": file.urls["get"]})
        with tune.open("rb") as content:
            inline: Any = client.run(
                TINY, input={**wishes, "input_audio": content}, file_encoding_strategy="base64"
            )  # fmt: skip
            uploaded = client.models.predictions.create(TINY, input={**ENDLESS, "input_audio": content})
        assert str(uploaded.input and uploaded.input["input_audio"]).startswith(f"{musicgen_server.url}/v1/files/")
        uploaded.cancel()
        assert client.files.delete(file.id)
        assert file.id not in [one.id for one in client.files.list()]
    assert heard(by_address.read()).seconds == 3.0
    assert by_address.read() == inline.read()


def test_predictions_are_listed_page_by_page_newest_first_with_their_files(server_with_tokens: Serving) -> None:
    with replicate_at(server_with_tokens.url, server_with_tokens.token()) as client:
        client.run(COMPOSER, input=SHORT)
        oldest, *_ = client.predictions.list()
        assert isinstance(oldest.output, str)
        with urlopen(oldest.output, timeout=30) as answer:
            assert heard(answer.read()).seconds == 2.0
        made = [cancelled(client) for _ in range(100)]
        pages: list[Any] = list(paginate(client.predictions.list))
    assert [len(page) for page in pages] == [100, 1]
    assert [one.id for page in pages for one in page] == [*reversed(made), oldest.id]


def cancelled(client: Client) -> str:
    prediction = client.models.predictions.create(COMPOSER, input=SHORT)
    prediction.cancel()
    return prediction.id


def test_models_can_be_iterated_and_have_versions(server: Serving) -> None:
    with replicate_at(server.url) as client:
        names = [model.id for page in paginate(client.models.list) for model in page]
        version = client.models.get(META).versions.get(VERSION)
    assert {META, COMPOSER, TINY} <= set(names)
    assert version.openapi_schema["components"]["schemas"]["Input"]["properties"]["duration"]["default"] == 8


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, strict_server: Serving) -> None:
    bad = refusal(server.url, META, {"duration": 0})
    assert (bad.status, bad.title) == (422, "Input validation failed")
    assert "prompt is required" in (bad.detail or "")
    assert "input.duration: Must be greater than or equal to 1" in (bad.detail or "")
    assert refusal(server.url, "nobody/nothing", SHORT).status == 404
    unknown = refusal(server.url, f"{META}:{'0' * 64}", SHORT)
    assert (unknown.status, unknown.title) == (422, "Invalid version or not permitted")
    absent = refusal(strict_server.url, META, SHORT)
    assert absent.status == 404
    assert "tunesmith pull musicgen" in (absent.detail or "")
    wrong = refusal(server_with_tokens.url, META, SHORT, token=WRONG_TOKEN)
    assert (wrong.status, wrong.title) == (401, "Unauthenticated")


def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving) -> None:
    token = server_with_tokens.token(quota="1/day")
    assert heard(ran(server_with_tokens.url, META, SHORT, token=token).read()).seconds == 2.0
    spent = refusal(server_with_tokens.url, META, SHORT, token=token)
    assert spent.status == 429
    assert (spent.detail or "").startswith("Request was throttled. Your rate limit resets in ~")


def test_reads_beyond_the_rate_are_tried_again_when_the_server_says(server_with_tokens: Serving) -> None:
    began = time.monotonic()
    with replicate_at(server_with_tokens.url, server_with_tokens.token(rate="1/second")) as client:
        assert [len(client.predictions.list()) for _ in range(45)] == [0] * 45  # of which 20 a second are allowed
    assert time.monotonic() - began >= 1


def test_ones_own_predictions_are_nobody_elses(server_with_tokens: Serving) -> None:
    with replicate_at(server_with_tokens.url, server_with_tokens.token()) as client:
        prediction = client.models.predictions.create(COMPOSER, input=SHORT, wait=True)
    assert prediction.status == "succeeded"
    with replicate_at(server_with_tokens.url, server_with_tokens.token()) as other:
        with pytest.raises(Exception, match="404"):
            other.predictions.get(prediction.id)
        with pytest.raises(Exception, match="404"):
            other.predictions.cancel(prediction.id)
