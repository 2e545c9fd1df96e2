"""huggingface_hub as people have it now, unmodified; only the model's URL, or the endpoint, is ours."""

from __future__ import annotations

from huggingface_hub import InferenceClient
from listening_to import heard
from serving import TINY, Serving

SHORT = {"duration": 2, "seed": 7}


def client_of(server: Serving, token: str | None = None) -> InferenceClient:
    return InferenceClient(base_url=server.url, token=token or "hf_none")


def test_music_comes_as_a_wav_of_musicgens(server: Serving) -> None:
    sound = InferenceClient(token="hf_x").text_to_speech("calm piano", model=f"{server.url}/models/{TINY}")
    made = heard(sound)
    assert (made.format, made.sample_rate, made.channels, made.seconds) == ("WAV", 32_000, 1, 10.0)
    assert not made.is_silent
