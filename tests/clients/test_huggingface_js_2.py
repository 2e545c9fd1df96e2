"""@huggingface/inference as of 2.8.1, with which much was written: only the endpoint is ours."""

from __future__ import annotations

from typing import Any

import pytest
from javascript import heard_in, told_by
from serving import BROKEN, TINY, WRONG_TOKEN, Serving

SHORT = {"duration": 2, "seed": 7}
AS_MODEL = {"parameters": SHORT, "model": TINY}


def music(server: Serving, prompt: str = "calm piano", path: str = f"/models/{TINY}", **given: Any) -> Any:
    args = {"inputs": prompt, **given.pop("args", AS_MODEL)}
    case = given.pop("case", "music")
    return told_by("huggingface.js", case, old=True, endpointUrl=server.url + path, args=args, **given)


def refusal(server: Serving, *args: str, **given: Any) -> str:
    """Return what the client's error says."""
    message: str = music(server, *args, options={"retry_on_error": False}, **given)["refused"]["message"]
    return message


@pytest.mark.parametrize("path", [f"/models/{TINY}", "/", f"/pipeline/text-to-audio/{TINY}"])
def test_music_comes_as_a_blob(server: Serving, path: str) -> None:
    told = music(server, path=path)
    made = heard_in(told)
    assert told["type"] == "audio/wav"
    assert (made.sample_rate, made.channels, made.seconds) == (32_000, 1, 2.0)


def test_an_address_may_be_given_as_the_model_or_once_and_for_all(server: Serving) -> None:
    args = {"parameters": SHORT, "model": f"{server.url}/models/{TINY}"}
    assert heard_in(told_by("huggingface.js", "music", old=True, args={"inputs": "piano", **args})).seconds == 2.0
    assert heard_in(music(server, case="endpoint", options={"use_cache": False})).seconds == 2.0


def test_a_cold_model_is_asked_for_again_and_then_waited_for(musicgen_server: Serving) -> None:
    args = {"options": {"wait_for_model": False}, "model": "slow"}
    gate = musicgen_server.gate
    assert "currently loading" in refusal(musicgen_server, "calm piano", "/models/slow", args=args)
    try:
        made = music(musicgen_server, "calm piano", "/models/slow", case="insistent", gate=str(gate), args=args)
    finally:
        gate.unlink(missing_ok=True)
    assert heard_in(made).format == "WAV"
    assert len(made["pauses"]) == 1
    assert made["pauses"][0] >= 990


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, musicgen_server: Serving) -> None:
    assert "must contain words" in refusal(server, "!!")
    assert "nobody/nothing" in refusal(server, "calm piano", "/models/nobody/nothing")
    assert "the token seems invalid" in refusal(server_with_tokens, token=WRONG_TOKEN)
    hidden = '"generation failed; see the server\'s log"'
    assert refusal(musicgen_server, "calm piano", f"/models/{BROKEN}") == hidden
    token = server_with_tokens.token(quota="1/day")
    assert heard_in(music(server_with_tokens, token=token)).seconds == 2.0
    assert "Rate limit reached. " in refusal(server_with_tokens, token=token)
