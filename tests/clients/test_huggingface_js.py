"""@huggingface/inference as people have it, unmodified: only the endpoint is ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from javascript import heard_in, told_by
from serving import BROKEN, TINY, WRONG_TOKEN, Serving

from tunesmith.jobs.job import JobState

SHORT = {"duration": 2, "seed": 7}


def music(server: Serving, prompt: str = "calm piano", model: str = TINY, **given: Any) -> Any:
    args = {"inputs": prompt, **given.pop("args", {"parameters": SHORT})}
    case = given.pop("case", "music")
    return told_by("huggingface.js", case, endpointUrl=f"{server.url}/models/{model}", args=args, **given)


def refusal(server: Serving, *args: str, **given: Any) -> dict[str, Any]:
    """Return what the client's error says; it asks no more than once."""
    told: dict[str, Any] = music(server, *args, options={"retry_on_error": False}, **given)["refused"]
    assert told["name"] == "ProviderApiError"
    return told


@pytest.mark.parametrize("way", [{"task": "textToSpeech"}, {"task": "textToAudio"}, {"case": "endpoint"}], ids=str)
def test_music_comes_as_musicgens_does(server: Serving, way: dict[str, str]) -> None:
    told = music(server, args={}, **way)
    made = heard_in(told)
    assert told["type"] == "audio/wav"
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 10.0)
    assert not made.is_silent


def test_parameters_of_theirs_and_ours_are_followed_and_a_seed_repeats_the_music(server: Serving) -> None:
    wishes = {"seed": 7, "format": "flac", "max_new_tokens": 103, "generation_parameters": {"guidance_scale": 3.0}}
    first, again = (music(server, args={"parameters": wishes}) for _ in range(2))
    assert first == again
    assert first["type"] == "audio/flac"
    assert (heard_in(first).format, heard_in(first).seconds) == ("FLAC", 2.0)


def test_a_cold_model_is_waited_for(musicgen_server: Serving) -> None:
    made = heard_in(music(musicgen_server, "slow piano, in JavaScript"))
    assert (made.sample_rate, made.channels, made.seconds) == (32_000, 1, 2.0)
    job = musicgen_server.wait_for_state("slow piano, in JavaScript", JobState.SUCCEEDED)
    assert job.generated_by == "musicgen-small"


def test_who_does_not_want_to_wait_asks_again_and_is_not_let_to_do_so_at_once(musicgen_server: Serving) -> None:
    no_wait = {"options": {"wait_for_model": False}}
    told = refusal(musicgen_server, "calm piano", "slow", args=no_wait)
    assert told["status"] == 503
    assert told["body"]["error"] == "Model slow is currently loading"
    assert told["body"]["estimated_time"] >= 1
    gate = musicgen_server.gate
    try:
        made = music(musicgen_server, "calm piano", "slow", case="insistent", gate=str(gate), args=no_wait)
    finally:
        gate.unlink(missing_ok=True)
    assert heard_in(made).format == "WAV"
    assert made["pauses"]
    assert min(made["pauses"]) >= 990


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, strict_server: Serving) -> None:
    assert "must contain words" in refusal(server, "!!")["message"]
    unknown = refusal(server, "calm piano", "nobody/nothing")
    assert (unknown["status"], set(unknown["body"])) == (404, {"error"})
    absent = refusal(strict_server)
    assert absent["status"] == 404
    assert "tunesmith pull musicgen-small" in absent["message"]
    wrong = refusal(server_with_tokens, token=WRONG_TOKEN)
    assert wrong["status"] == 401
    assert wrong["body"] == {"error": "Authorization header is correct, but the token seems invalid"}


def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving) -> None:
    token = server_with_tokens.token(quota="1/day")
    assert heard_in(music(server_with_tokens, token=token)).seconds == 2.0
    spent = refusal(server_with_tokens, token=token)
    assert spent["status"] == 429
    assert spent["body"]["error"].startswith("Rate limit reached. ")


def test_a_failure_tells_nothing_of_the_inside(server: Serving, musicgen_server: Serving) -> None:
    for where, model in ((server, "raising"), (musicgen_server, BROKEN)):
        failed = refusal(where, "calm piano", model)
        assert failed["status"] == 500
        assert failed["body"] == {"error": "generation failed; see the server's log"}


def test_a_caller_who_gives_up_has_the_job_cancelled(server: Serving, held: Callable[[str], str]) -> None:
    prompt = held("given-up")
    told = music(server, prompt, "patient", case="givesUp", milliseconds=1000, args={})
    assert told["refused"]["name"] == "TimeoutError"
    server.wait_for_state(prompt, JobState.CANCELED)
