"""Replicate's JavaScript client as people have it, unmodified: only the base URL is ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from javascript import heard_in, told_by
from receivers import Receiver, Reply, receiver
from replicate_calls import COMPOSER, META
from serving import BROKEN, TINY, WRONG_TOKEN, Serving
from sounds import wav_bytes

from tunesmith.jobs.job import JobState

VERSION = "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
SHORT = {"prompt": "calm piano", "duration": 2, "seed": 7}
ENDLESS = {**SHORT, "duration": 600}
"""What a musicgen of any size is still busy with when the test is over."""


def asked(server: Serving, case: str, **given: Any) -> Any:
    return told_by("replicate.js", case, url=server.url, **given)


@pytest.mark.parametrize("ref", [META, f"{META}:{VERSION}", COMPOSER])
def test_run_gives_a_file(server: Serving, ref: str) -> None:
    told = asked(server, "run", ref=ref, options={"input": SHORT})
    made = heard_in(told)
    assert (told["type"], told["scheme"]) == ("audio/wav", "data:")
    assert (made.format, made.sample_rate, made.seconds) == ("WAV", 32_000, 2.0)
    assert not made.is_silent


def test_a_seed_repeats_the_music_and_the_text_of_a_file_is_its_address(server: Serving) -> None:
    wishes = {**SHORT, "output_format": "mp3", "top_k": 250, "classifier_free_guidance": 3}
    made = asked(server, "run", ref=META, options={"input": wishes})
    address = asked(server, "withoutFiles", ref=META, options={"input": wishes})["output"]
    assert heard_in(made).format == "MP3"
    assert address == f"data:audio/mpeg;base64,{made['audio']}"


def test_a_cold_model_is_waited_for_and_polling_tells_how_it_goes(musicgen_server: Serving) -> None:
    options = {"input": {**SHORT, "model_version": "small"}, "wait": {"mode": "poll", "interval": 20}}
    told = asked(musicgen_server, "run", ref=META, options=options, progress=True)
    assert (heard_in(told).channels, heard_in(told).seconds) == (1, 2.0)
    assert (told["statuses"][0], told["statuses"][-1]) == ("starting", "succeeded")
    assert set(told["statuses"]) <= {"starting", "processing", "succeeded"}


def test_progress_is_in_the_logs_and_a_running_prediction_is_cancelled(musicgen_server: Serving) -> None:
    told = asked(musicgen_server, "cancel", model=TINY, input=ENDLESS)
    assert (told["made"]["status"], told["running"]["status"]) == ("starting", "processing")
    assert 0 < told["progress"]["percentage"] < 1
    assert "Using seed 7\n" in told["running"]["logs"]
    over = told["over"]
    assert (over["status"], over["output"], over["error"]) == ("canceled", None, None)
    assert told["again"]["status"] == "canceled"


def test_a_run_that_is_let_go_of_is_cancelled(server: Serving, held: Callable[[str], str]) -> None:
    prompt = held("let-go")
    told = asked(server, "abort", model="tunesmith/patient", input={"prompt": prompt})
    assert (told["output"], told["statuses"][-1]) == (None, "canceled")
    server.wait_for_state(prompt, JobState.CANCELED)


def test_a_wait_that_runs_out_goes_on_as_polling(musicgen_server: Serving) -> None:
    slow = asked(musicgen_server, "waitRunsOut", model=TINY, input=ENDLESS, seconds=1)
    assert (slow["status"], slow["output"]) == ("starting", None)
    options = {"input": {**SHORT, "duration": 20}, "wait": {"mode": "block", "timeout": 1}}
    assert heard_in(asked(musicgen_server, "run", ref=TINY, options=options)).seconds == 20.0


def test_a_stream_tells_of_logs_and_output(server: Serving) -> None:
    *logs, output, done = asked(server, "stream", ref=META, input=SHORT)["events"]
    assert {event["event"] for event in logs} == {"logs"}
    assert output["event"] == "output"
    scheme, sound = output["data"].split(",", 1)
    assert scheme == "data:audio/wav;base64"
    assert heard_in({"audio": sound}).seconds == 2.0
    assert done == {"event": "done", "data": "{}"}


def test_a_failure_is_thrown_and_tells_nothing_of_the_inside(musicgen_server: Serving) -> None:
    hidden = "generation failed; see the server's log"
    for options in ({}, {"wait": {"mode": "poll", "interval": 20}}):
        failed = asked(musicgen_server, "run", ref=BROKEN, options={"input": SHORT, **options})["refused"]
        assert failed["message"] == f"Prediction failed: {hidden}"
    streamed = asked(musicgen_server, "stream", ref=BROKEN, input=SHORT)["refused"]
    assert hidden in streamed["message"]
    assert "/" not in streamed["message"]


def test_files_are_kept_listed_used_and_removed(musicgen_server: Serving) -> None:
    tune = wav_bytes(1.0)
    content = base64.b64encode(tune).decode()
    told = asked(musicgen_server, "files", model=TINY, content=content, input={**SHORT, "continuation": True})
    file = told["file"]
    assert (file["name"], file["size"], file["metadata"]) == ("tune.wav", len(tune), {"take": 1})
    assert (told["listed"], told["deleted"], told["listedAfter"]) == (True, True, False)
    assert [heard_in(made).seconds for made in told["made"]] == [3.0, 3.0, 3.0]
    assert told["made"][0] == told["made"][1] == told["made"][2]


def test_predictions_are_listed_page_by_page_newest_first(server_with_tokens: Serving) -> None:
    token = server_with_tokens.token()
    told = asked(server_with_tokens, "pages", token=token, model=COMPOSER, input=SHORT, cancelled=100)
    assert [len(page) for page in told["pages"]] == [100, 1]
    assert [one for page in told["pages"] for one in page] == told["made"][::-1]


def test_models_can_be_iterated_and_have_versions(server: Serving) -> None:
    told = asked(server, "about", owner="meta", name="musicgen", version=VERSION)
    assert {META, COMPOSER, TINY} <= set(told["models"])
    assert told["schema"]["components"]["schemas"]["Input"]["properties"]["duration"]["default"] == 8
    assert told["model"]["latest_version"]["id"] == VERSION
    assert told["account"]["username"]


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, strict_server: Serving) -> None:
    calls = [
        {"url": server.url, "ref": META, "input": {"duration": 0}},
        {"url": server.url, "ref": "nobody/nothing", "input": SHORT},
        {"url": server.url, "ref": f"{META}:{'0' * 64}", "input": SHORT},
        {"url": strict_server.url, "ref": META, "input": SHORT},
        {"url": server_with_tokens.url, "ref": META, "input": SHORT, "token": WRONG_TOKEN},
    ]
    bad, unknown, no_version, absent, wrong = told_by("replicate.js", "refusals", calls=calls)
    assert (bad["status"], "prompt is required" in bad["message"]) == (422, True)
    assert "input.duration: Must be greater than or equal to 1" in bad["message"]
    assert unknown["status"] == 404
    assert (no_version["status"], "Invalid version or not permitted" in no_version["message"]) == (422, True)
    assert (absent["status"], "tunesmith pull musicgen" in absent["message"]) == (404, True)
    assert (wrong["status"], "Unauthenticated" in wrong["message"]) == (401, True)


def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving) -> None:
    call = {
        "url": server_with_tokens.url,
        "ref": META,
        "input": SHORT,
        "token": server_with_tokens.token(quota="1/day"),
    }
    first, spent = told_by("replicate.js", "refusals", calls=[call, call])
    assert first is None
    assert spent["status"] == 429
    assert "Request was throttled. Your rate limit resets in ~" in spent["message"]


def test_webhooks_are_signed_as_its_own_validator_expects(server: Serving) -> None:
    with receiver(lambda _: Reply()) as there:
        made = asked(server, "withWebhook", model=META, input=SHORT, webhook=f"{there.url}/hook")
        got = there.wait_for(2)
    assert [json.loads(one.body)["id"] for one in got] == [made["id"]] * 2
    assert json.loads(got[-1].body)["status"] == "succeeded"
    for one in got:
        verified = asked(server, "verify", headers=dict(one.headers), body=one.body.decode())
        assert verified == {"request": True, "parts": True, "changed": False}


def test_a_webhook_to_a_private_address_is_refused_unless_it_is_allowed(strict_server: Serving) -> None:
    there = Receiver("http://127.0.0.1:9")
    refused = asked(strict_server, "withWebhook", model=COMPOSER, input=SHORT, webhook=f"{there.url}/hook")["refused"]
    assert refused["status"] == 422
    assert "webhook" in refused["message"]
