"""OpenAI's client as people have it, unmodified: only the base URL is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from lazy_modules import LazyModule
from listening_to import heard
from serving import BROKEN, TINY, WRONG_TOKEN, Serving

from tunesmith.jobs.job import JobState
from tunesmith.jobs.store import EVERYTHING

if TYPE_CHECKING:
    import openai
else:
    openai = LazyModule("openai")

Held = Callable[[str], str]


def openai_at(server: Serving, token: str = "sk-any", **options: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key=token, base_url=f"{server.url}/v1", **options)


def spoken(server: Serving, text: str = "calm piano", token: str = "sk-any", **wishes: Any) -> bytes:
    options = {name: wishes.pop(name) for name in ("timeout", "max_retries", "http_client") if name in wishes}
    with openai_at(server, token, **options) as client:
        wishes = {"model": "tts-1", "voice": "alloy", "extra_body": {"duration": 2, "seed": 7}, **wishes}
        return client.audio.speech.create(input=text, **wishes).content


def refusal(server: Serving, text: str = "calm piano", **wishes: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        spoken(server, text, **wishes)
    return caught.value


@pytest.mark.parametrize(
    ("name", "kind"), [("mp3", "MP3"), ("wav", "WAV"), ("flac", "FLAC"), ("opus", "OGG")]
)  # fmt: skip
def test_music_comes_in_the_format_asked_for(server: Serving, name: str, kind: str) -> None:
    made = heard(spoken(server, response_format=name))
    assert made.format == kind
    assert made.seconds == pytest.approx(2.0, abs=0.1)
    assert not made.is_silent


def test_a_program_is_led_here_by_its_environment_alone(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-any"}.items():
        monkeypatch.setenv(name, value)
    with openai.OpenAI() as client:
        assert "composer" in [model.id for model in client.models.list()]


def test_a_seed_repeats_the_music_also_to_a_file_and_for_asyncio(server: Serving, tmp_path: Path) -> None:
    wishes: Any = {
        "model": "composer", "voice": "alloy", "input": "calm piano", "extra_body": {"duration": 2, "seed": 7},
    }  # fmt: skip
    with openai_at(server) as client, client.audio.speech.with_streaming_response.create(**wishes) as answer:
        answer.stream_to_file(tmp_path / "music.mp3")

    async def speak() -> bytes:
        async with openai.AsyncOpenAI(api_key="sk-any", base_url=f"{server.url}/v1") as client:
            return (await client.audio.speech.create(**wishes)).content

    assert asyncio.run(speak()) == (tmp_path / "music.mp3").read_bytes() == spoken(server, model="composer")


def test_models_are_listed_and_each_is_found(server: Serving, musicgen_server: Serving) -> None:
    with openai_at(server) as client:
        names = [model.id for model in client.models.list()]
        assert "composer" in names
        assert [client.models.retrieve(name).id for name in names] == names
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("nobody/nothing")
    with openai_at(musicgen_server) as client:
        assert client.models.retrieve(TINY).object == "model"


def test_a_cold_model_is_waited_for(musicgen_server: Serving) -> None:
    assert heard(spoken(musicgen_server, model=TINY, response_format="wav")).seconds == 2.0


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, strict_server: Serving) -> None:
    bad = refusal(server, "!!")
    assert (bad.status_code, bad.type, bad.param) == (422, "invalid_request_error", "input")
    assert "must contain words" in bad.message
    assert refusal(server, response_format="aac").param == "response_format"
    unknown = refusal(server, model="nobody/nothing")
    assert (unknown.status_code, unknown.code) == (404, "model_not_found")
    absent = refusal(strict_server, model=TINY)
    assert (absent.status_code, absent.code) == (404, "model_not_found")
    assert "tunesmith pull musicgen-small" in absent.message
    wrong = refusal(server_with_tokens, token=WRONG_TOKEN)
    assert (wrong.status_code, wrong.type, wrong.code) == (401, "authentication_error", "invalid_api_key")


def test_a_spent_quota_is_told_at_once_rather_than_tried_again(server_with_tokens: Serving) -> None:
    token = server_with_tokens.token(quota="1/day")
    assert not heard(spoken(server_with_tokens, token=token)).is_silent
    spent = refusal(server_with_tokens, token=token)
    assert (spent.status_code, spent.type, spent.code) == (429, "rate_limit_error", "rate_limit_exceeded")


def test_a_full_queue_is_tried_again_until_there_is_room(strict_server: Serving, held: Held) -> None:
    prompts = [held("running"), held("waiting")]
    answers: list[int] = []

    def make_room(answer: httpx2.Response) -> None:
        answers.append(answer.status_code)
        for prompt in prompts:
            Path(prompt).touch()

    with ThreadPoolExecutor() as callers, httpx2.Client(event_hooks={"response": [make_room]}) as connections:
        first = callers.submit(spoken, strict_server, prompts[0], model="patient")
        strict_server.wait_for_state(prompts[0], JobState.RUNNING)
        second = callers.submit(spoken, strict_server, prompts[1], model="patient")
        strict_server.wait_for_state(prompts[1], JobState.QUEUED)
        music = spoken(strict_server, http_client=connections)
    assert answers == [503, 200]
    assert not heard(music).is_silent
    assert first.result()
    assert second.result()


def test_a_failure_is_tried_twice_more_and_tells_nothing_of_the_inside(server: Serving) -> None:
    with pytest.raises(openai.InternalServerError) as failed:
        spoken(server, "raise me", model="raising")
    assert failed.value.type == "server_error"
    assert "secret" not in str(failed.value)
    tried = [job for job in server.jobs.list(EVERYTHING).jobs if job.request.prompt == "raise me"]
    assert len(tried) == 3


def test_a_model_with_a_changed_file_fails(musicgen_server: Serving) -> None:
    assert refusal(musicgen_server, model=BROKEN, max_retries=0).status_code == 500


def test_a_caller_who_gives_up_has_the_job_cancelled(server: Serving, held: Held) -> None:
    prompt = held("given-up")
    with pytest.raises(openai.APITimeoutError):
        spoken(server, prompt, model="patient", timeout=1, max_retries=0)
    server.wait_for_state(prompt, JobState.CANCELED)
