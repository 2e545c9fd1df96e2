"""huggingface_hub as people have it now, unmodified: only the model's URL, or the base URL, is ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError
from listening_to import heard
from magenta_checkpoint import HUB_ID
from magenta_vectors import has_magenta_vectors
from serving import BROKEN, STABLE_AUDIO, TINY, WRONG_TOKEN, Serving

from tunesmith.jobs.job import JobState

Held = Callable[[str], str]
SHORT = {"duration": 2, "seed": 7}


def music(server: Serving, prompt: str, model: str = TINY, token: str = "hf_any", **parameters: object) -> bytes:
    client = InferenceClient(model=f"{server.url}/models/{model}", token=token)
    return client.text_to_speech(prompt, extra_body={**SHORT, **parameters})


def refusal(server: Serving, prompt: str = "calm piano", **wishes: str) -> HfHubHTTPError:
    with pytest.raises(HfHubHTTPError) as caught:
        music(server, prompt, **wishes)
    return caught.value


def test_music_comes_as_musicgens_does(server: Serving) -> None:
    client = InferenceClient(model=f"{server.url}/models/{TINY}", token="hf_any")
    made = heard(client.text_to_speech("calm piano"))
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 10.0)
    assert not made.is_silent


def test_parameters_of_theirs_and_ours_are_followed_and_a_seed_repeats_the_music(server: Serving) -> None:
    client = InferenceClient(model=f"{server.url}/models/{TINY}", token="hf_any")
    wishes = {"seed": 7, "format": "flac", "generation_parameters": {"guidance_scale": 3.0}}
    first = client.text_to_speech("calm piano", do_sample=True, max_new_tokens=103, top_k=50, extra_body=wishes)
    made = heard(first)
    assert (made.format, made.seconds) == ("FLAC", 2.0)
    assert first == client.text_to_speech("calm piano", max_new_tokens=103, extra_body=wishes)


def test_a_cold_model_is_waited_for(musicgen_server: Serving) -> None:
    made = heard(music(musicgen_server, "slow piano"))
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 2.0)
    assert not made.is_silent
    job = musicgen_server.wait_for_state("slow piano", JobState.SUCCEEDED)
    assert job.generated_by == "musicgen-small"


def test_stable_audio_answers_by_the_name_of_its_own_repository(stable_audio_server: Serving) -> None:
    made = heard(music(stable_audio_server, "slow piano", model=STABLE_AUDIO))
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 2.0)
    assert not made.is_silent
    job = stable_audio_server.wait_for_state("slow piano", JobState.SUCCEEDED)
    assert job.generated_by == "stable-audio-3-small-music"


@has_magenta_vectors
def test_magenta_realtime_answers_by_the_name_of_its_repository(magenta_server: Serving) -> None:
    made = heard(music(magenta_server, "slow piano", model=HUB_ID))
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 2.0)
    assert not made.is_silent
    job = magenta_server.wait_for_state("slow piano", JobState.SUCCEEDED)
    assert job.generated_by == "magenta-rt2-small"


def test_errors_say_what_is_wrong(server: Serving, server_with_tokens: Serving, strict_server: Serving) -> None:
    assert "must contain words" in str(refusal(server, "!!"))
    unknown = refusal(server, model="nobody/nothing")
    assert (unknown.response.status_code, set(unknown.response.json())) == (404, {"error"})
    absent = refusal(strict_server)
    assert absent.response.status_code == 404
    assert "tunesmith pull musicgen-small" in str(absent.response.json()["error"])
    wrong = refusal(server_with_tokens, token=WRONG_TOKEN)
    assert wrong.response.status_code == 401
    assert wrong.response.json() == {"error": "Authorization header is correct, but the token seems invalid"}


def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving) -> None:
    token = server_with_tokens.token(quota="1/day")
    assert heard(music(server_with_tokens, "calm piano", token=token)).seconds == 2.0
    spent = refusal(server_with_tokens, token=token).response
    assert spent.status_code == 429
    assert spent.json()["error"].startswith("Rate limit reached. ")
    assert int(spent.headers["retry-after"]) > 0
    assert spent.headers["ratelimit-remaining"] == "0"


def test_a_failure_is_a_500_that_tells_nothing_of_the_inside(server: Serving) -> None:
    failed = refusal(server, "calm piano", model="raising").response
    assert failed.status_code == 500
    assert "secret" not in failed.text


def test_a_model_with_a_changed_file_fails(musicgen_server: Serving) -> None:
    assert refusal(musicgen_server, model=BROKEN).response.status_code == 500


def test_a_caller_who_gives_up_has_the_job_cancelled(server: Serving, held: Held) -> None:
    prompt = held("given-up")
    client = InferenceClient(model=f"{server.url}/models/patient", token="hf_any", timeout=1)
    with pytest.raises(InferenceTimeoutError):
        client.text_to_speech(prompt)
    server.wait_for_state(prompt, JobState.CANCELED)


def test_with_the_environment_alone_it_says_what_to_write_and_the_hub_answers(server: Serving, tmp_path: Path) -> None:
    script = (
        "from huggingface_hub import HfApi, InferenceClient\n"
        "from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError\n"
        f"info = HfApi().model_info({TINY!r})\n"
        "assert (info.id, info.pipeline_tag) == ('facebook/musicgen-small', 'text-to-audio'), info\n"
        "try:\n"
        "    HfApi().model_info('nobody/nothing')\n"
        "except RepositoryNotFoundError as error:\n"
        "    assert 'nobody/nothing' in str(error), error\n"
        "try:\n"
        f"    InferenceClient().text_to_speech('calm piano', model={TINY!r})\n"
        "except HfHubHTTPError as error:\n"
        "    print(error)\n"
    )
    environment = {"HF_ENDPOINT": server.url, "HF_TOKEN": "hf_any", "HF_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert f"InferenceClient(model='{server.url}/models/{TINY}')" in ran.stdout
