"""ElevenLabs' client as people have it, unmodified: only the base URL is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from lazy_modules import LazyModule
from listening_to import heard
from serving import BROKEN, TINY, WRONG_TOKEN, Serving

from tunesmith.jobs.job import JobState

if TYPE_CHECKING:
    from elevenlabs import client as their_client
    from elevenlabs.core import api_error
else:
    their_client = LazyModule("elevenlabs.client")
    api_error = LazyModule("elevenlabs.core.api_error")

ONCE: Any = {"max_retries": 0}
SHORT: Any = {"prompt": "calm piano", "music_length_ms": 3000}


@contextmanager
def elevenlabs_at(server: Serving, token: str = "xi_any") -> Iterator[their_client.ElevenLabs]:
    """Give their client; it leaves connections open unless it is handed them."""
    with httpx.Client(timeout=120) as connections:
        yield their_client.ElevenLabs(api_key=token, base_url=server.url, httpx_client=connections)


def composed(server: Serving, token: str = "xi_any", **wishes: Any) -> bytes:
    with elevenlabs_at(server, token) as client:
        return b"".join(client.music.compose(**{**SHORT, "request_options": ONCE, **wishes}))


def refusal(server: Serving, **wishes: Any) -> tuple[int | None, str, str]:
    """Return the status, and their word and ours for it."""
    with pytest.raises(api_error.ApiError) as caught:
        composed(server, **wishes)
    detail = caught.value.body["detail"]
    return caught.value.status_code, detail["status"], detail["message"]


def test_music_is_an_mp3_of_the_length_asked_for(server: Serving) -> None:
    made = heard(composed(server, seed=7))
    assert (made.format, made.sample_rate) == ("MP3", 44_100)
    assert made.seconds == pytest.approx(3.0, abs=0.1)
    assert not made.is_silent


def test_a_seed_repeats_the_music_also_in_pieces_and_for_asyncio(server: Serving) -> None:
    first = composed(server, seed=7)
    with elevenlabs_at(server) as client:
        assert b"".join(client.music.stream(**SHORT, seed=7)) == first

    async def compose() -> bytes:
        async with httpx.AsyncClient(timeout=120) as connections:
            client = their_client.AsyncElevenLabs(api_key="xi_any", base_url=server.url, httpx_client=connections)
            return b"".join([piece async for piece in client.music.compose(**SHORT, seed=7)])

    assert asyncio.run(compose()) == first


def test_a_sound_is_as_long_as_asked_for(server: Serving) -> None:
    with elevenlabs_at(server) as client:
        sound = b"".join(
            client.text_to_sound_effects.convert(
                text="soft rain", duration_seconds=4.0, loop=True, output_format="pcm_16000"
            )
        )
    assert len(sound) == 4 * 16_000 * 2 * 2


def test_a_cold_model_is_waited_for(musicgen_server: Serving) -> None:
    with elevenlabs_at(musicgen_server) as client:
        music: Any = client.music
        with music.with_raw_response.compose(**SHORT, model_id=TINY) as answer:
            made = heard(b"".join(answer.data))
    assert made.seconds == pytest.approx(3.0, abs=0.1)
    assert answer.headers["x-tunesmith-model"] == "musicgen-small"
    assert "x-tunesmith-stand-in-for" not in answer.headers


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, strict_server: Serving) -> None:
    status, word, message = refusal(server, prompt="!!")
    assert (status, word) == (422, "invalid_request")
    assert "must contain words" in message
    assert refusal(server, music_length_ms=1)[:2] == (422, "invalid_request")
    assert refusal(server, model_id="music_v9")[:2] == (404, "model_not_found")
    status, word, message = refusal(strict_server, model_id=TINY)
    assert (status, word) == (404, "model_not_found")
    assert "tunesmith pull musicgen-small" in message
    assert refusal(server_with_tokens, token=WRONG_TOKEN)[:2] == (401, "invalid_api_key")


def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving) -> None:
    token = server_with_tokens.token(quota="1/day")
    assert not heard(composed(server_with_tokens, token)).is_silent
    assert refusal(server_with_tokens, token=token)[:2] == (429, "too_many_concurrent_requests")


def test_a_failure_tells_nothing_of_the_inside(server: Serving, musicgen_server: Serving) -> None:
    hidden = (500, "internal_error", "generation failed; see the server's log")
    assert refusal(server, model_id="raising") == hidden
    assert refusal(musicgen_server, model_id=BROKEN) == hidden


def test_a_caller_who_gives_up_has_the_job_cancelled(server: Serving, held: Callable[[str], str]) -> None:
    prompt = held("given-up")
    options = {"timeout_in_seconds": 1, "max_retries": 0}
    with pytest.raises(httpx.TimeoutException):
        composed(server, prompt=prompt, model_id="patient", request_options=options)
    server.wait_for_state(prompt, JobState.CANCELED)
