from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
import soundfile
from fake_service import TOKEN, FakeService, fake_context
from lazy_modules import LazyModule
from live_server import app_of, served

from tunesmith.errors import OutOfResources
from tunesmith.jobs.job import Failure
from tunesmith.server.apis import elevenlabs
from tunesmith.server.apis.elevenlabs import OUTPUT_FORMATS

if TYPE_CHECKING:
    from elevenlabs import client as their_client
    from elevenlabs.core import api_error
else:
    their_client = LazyModule("elevenlabs.client")
    api_error = LazyModule("elevenlabs.core.api_error")


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


@pytest.fixture
def url(service: FakeService) -> Iterator[str]:
    with served(app_of(elevenlabs.router(fake_context(service)), elevenlabs.errors)) as url:
        yield url


@contextmanager
def calling(url: str, key: str = TOKEN) -> Iterator[their_client.ElevenLabs]:
    """Give their client; it leaves connections open unless it is handed them."""
    with httpx.Client() as connections:
        yield their_client.ElevenLabs(api_key=key, base_url=url, httpx_client=connections)


@pytest.fixture
def client(url: str) -> Iterator[their_client.ElevenLabs]:
    with calling(url) as client:
        yield client


def test_music_is_an_mp3_of_the_length_and_seed_asked_for(
    client: their_client.ElevenLabs, service: FakeService
) -> None:
    music = b"".join(client.music.compose(prompt="calm piano", music_length_ms=12_500, seed=7))

    assert soundfile.info(io.BytesIO(music)).format == "MP3"
    (submission,) = service.submissions
    assert (submission.request.prompt, submission.request.duration, submission.request.seed) == ("calm piano", 12.5, 7)
    assert submission.owner == "somebody"


def test_streamed_music_is_the_same_music(client: their_client.ElevenLabs) -> None:
    whole = b"".join(client.music.compose(prompt="calm piano", seed=7))
    assert b"".join(client.music.stream(prompt="calm piano", seed=7)) == whole


def test_a_sound_can_be_a_loop(client: their_client.ElevenLabs, service: FakeService) -> None:
    sound = b"".join(client.text_to_sound_effects.convert(text="soft rain", duration_seconds=4.0, loop=True))
    assert soundfile.info(io.BytesIO(sound)).format == "MP3"
    assert service.submissions[0].request.loop
    assert service.submissions[0].request.duration == 4.0


def test_their_model_is_answered_by_a_declared_stand_in(client: their_client.ElevenLabs, service: FakeService) -> None:
    with client.music.with_raw_response.compose(prompt="calm piano", model_id="music_v1") as answer:
        assert answer.headers["x-tunesmith-model"] == "composer"
        assert answer.headers["x-tunesmith-stand-in-for"] == "music_v1"
    assert service.submissions[0].generated_by == "composer"


@pytest.mark.parametrize("rate", [8000, 44100])
def test_pcm_is_bare_samples_of_the_rate(client: their_client.ElevenLabs, rate: int) -> None:
    music = b"".join(client.music.compose(prompt="calm piano", output_format=f"pcm_{rate}"))
    assert len(music) == rate * 2 * 2  # one second, two channels of 16 bits


@pytest.mark.parametrize(("name", "subtype"), [("ulaw_8000", "ULAW"), ("alaw_8000", "ALAW")])
def test_telephone_codes_decode_to_the_same_tone(client: their_client.ElevenLabs, name: str, subtype: str) -> None:
    music = b"".join(client.music.compose(prompt="calm piano", output_format=name))
    sound, _ = soundfile.read(
        io.BytesIO(music), format="RAW", subtype=subtype, channels=1, samplerate=8000, dtype="float32"
    )
    assert len(sound) == 8000
    assert abs(float((sound**2).mean()) - 0.125) < 0.002  # a sine of amplitude 0.5


def test_every_format_of_the_table_can_be_made(client: their_client.ElevenLabs) -> None:
    for name in OUTPUT_FORMATS:
        assert b"".join(client.music.compose(prompt="calm piano", output_format=name)), name


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"prompt": "calm piano", "music_length_ms": 2_000}, "music_length_ms"),
        ({"prompt": " "}, "prompt"),
        ({}, "prompt"),
        ({"prompt": "calm piano", "output_format": "aac_1"}, "output_format"),
        ({"composition_plan": {"sections": []}}, "composition_plan"),
    ],
)
def test_bad_input_names_its_field(client: their_client.ElevenLabs, wishes: dict[str, object], field: str) -> None:
    with pytest.raises(api_error.ApiError) as caught:
        b"".join(client.music.compose(**wishes))  # type: ignore[arg-type]
    assert caught.value.status_code == 422
    assert caught.value.body["detail"]["message"].startswith(f"{field}: ")


def test_a_wrong_key_is_said_in_their_shape(url: str) -> None:
    with calling(url, "wrong") as client, pytest.raises(api_error.ApiError) as caught:
        b"".join(client.music.compose(prompt="calm piano"))
    assert caught.value.status_code == 401
    assert caught.value.body["detail"]["status"] == "invalid_api_key"


def test_an_unknown_model_is_not_found(client: their_client.ElevenLabs) -> None:
    with pytest.raises(api_error.ApiError) as caught:
        b"".join(client.music.compose(prompt="calm piano", model_id="music_v9"))
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (404, "model_not_found")


def test_over_the_limit_says_when_to_come_back(service: FakeService) -> None:
    app = app_of(elevenlabs.router(fake_context(service, limited=True)), elevenlabs.errors)
    with served(app) as url, calling(url) as client, pytest.raises(api_error.ApiError) as caught:
        b"".join(client.music.compose(prompt="calm piano", request_options={"max_retries": 0}))
    assert caught.value.status_code == 429
    assert (caught.value.headers or {})["retry-after"] == "7"


def test_a_failure_shows_nothing_of_the_inside(client: their_client.ElevenLabs, service: FakeService) -> None:
    service.failure = Failure("ZeroDivisionError", "division by zero in /secret/place.py")
    with pytest.raises(api_error.ApiError) as caught:
        b"".join(client.music.compose(prompt="calm piano", request_options={"max_retries": 0}))
    assert caught.value.status_code == 500
    assert "secret" not in str(caught.value.body)


def test_a_lack_of_memory_is_said_as_it_is(client: their_client.ElevenLabs, service: FakeService) -> None:
    service.refusal = OutOfResources("needs 8 GB of memory, there are 2")
    with pytest.raises(api_error.ApiError) as caught:
        b"".join(client.music.compose(prompt="calm piano", request_options={"max_retries": 0}))
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (503, "system_busy")


def test_hanging_up_cancels_the_job(url: str, service: FakeService) -> None:
    service.held = True
    body = b'{"prompt": "calm piano"}'
    head = f"POST /v1/music HTTP/1.1\r\nHost: x\r\nxi-api-key: {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0)) as connection:
        connection.sendall(head + body)
        assert service.submitted.wait(60)
    assert service.canceled.wait(60)
