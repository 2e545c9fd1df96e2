from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile
from fake_service import TOKEN, FakeService, fake_context
from lazy_modules import LazyModule
from live_server import app_of, served

from tunesmith.jobs.job import Failure
from tunesmith.server.apis import openai as dialect

if TYPE_CHECKING:
    import openai
else:
    openai = LazyModule("openai")


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


@pytest.fixture
def url(service: FakeService) -> Iterator[str]:
    with served(app_of(dialect.router(fake_context(service)), dialect.errors)) as url:
        yield url + "/v1"


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=TOKEN, base_url=url, max_retries=0) as client:
        yield client


@pytest.mark.parametrize(("name", "kind"), [("mp3", "MP3"), ("wav", "WAV"), ("flac", "FLAC"), ("opus", "OGG")])
def test_speech_is_music_in_the_format_asked_for(client: openai.OpenAI, name: str, kind: str) -> None:
    answer = client.audio.speech.create(
        model="composer", voice="alloy", input="calm piano", response_format=name,  # type: ignore[arg-type]
    )  # fmt: skip
    assert soundfile.info(io.BytesIO(answer.content)).format == kind


def test_pcm_is_a_mono_second_at_24_khz(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input="calm piano", response_format="pcm")
    assert len(answer.content) == 24_000 * 2


def test_streamed_bytes_are_the_whole_file(client: openai.OpenAI, tmp_path: Path) -> None:
    whole = client.audio.speech.create(model="composer", voice="alloy", input="calm piano", response_format="wav")
    target = tmp_path / "streamed.wav"
    with client.audio.speech.with_streaming_response.create(
        model="composer", voice="alloy", input="calm piano", response_format="wav"
    ) as answer:
        answer.stream_to_file(target)
    assert target.read_bytes() == whole.content


def test_events_carry_the_same_bytes_and_end_with_done(client: openai.OpenAI) -> None:
    whole = client.audio.speech.create(model="composer", voice="alloy", input="calm piano", response_format="wav")
    answer = client.audio.speech.create(
        model="composer", voice="alloy", input="calm piano", response_format="wav", stream_format="sse"
    )
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]
    assert b"".join(b64decode(event["audio"]) for event in events[:-1]) == whole.content
    assert events[-1]["type"] == "speech.audio.done"


def test_their_model_is_answered_by_a_declared_stand_in(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input="calm piano")
    assert answer.response.headers["x-tunesmith-stand-in-for"] == "tts-1"


def test_instructions_duration_and_seed_reach_the_request(client: openai.OpenAI, service: FakeService) -> None:
    client.audio.speech.create(
        model="composer", voice="alloy", input="calm piano", instructions="with rain",
        extra_body={"duration": 20, "seed": 5},
    )  # fmt: skip
    request = service.submissions[0].request
    assert (request.prompt, request.duration, request.seed) == ("calm piano, with rain", 20, 5)


@pytest.mark.parametrize(
    ("wishes", "field"), [({"response_format": "aac"}, "response_format"), ({"speed": 2.0}, "speed"), ({}, "input")]
)
def test_bad_input_names_its_field(client: openai.OpenAI, wishes: dict[str, object], field: str) -> None:
    text = "calm piano" if wishes else " "
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.audio.speech.create(model="composer", voice="alloy", input=text, **wishes)  # type: ignore[arg-type]
    assert caught.value.param == field
    assert caught.value.type == "invalid_request_error"


def test_a_wrong_key_an_unknown_model_and_a_failure_are_their_errors(
    client: openai.OpenAI, url: str, service: FakeService
) -> None:
    with pytest.raises(openai.AuthenticationError, match="token"), openai.OpenAI(api_key="no", base_url=url) as other:
        other.audio.speech.create(model="composer", voice="alloy", input="calm piano")
    with pytest.raises(openai.NotFoundError) as missing:
        client.audio.speech.create(model="nobody/nothing", voice="alloy", input="calm piano")
    assert missing.value.code == "model_not_found"
    service.failure = Failure("ZeroDivisionError", "secret")
    with pytest.raises(openai.InternalServerError) as failed:
        client.audio.speech.create(model="composer", voice="alloy", input="calm piano")
    assert "secret" not in str(failed.value)
