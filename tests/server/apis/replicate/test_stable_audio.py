"""Stable Audio behind Replicate's API: the names of its models and of its inputs there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.server.apis.replicate.models import find_model
from tunesmith.server.apis.replicate.request import read_input

SMALL, OPEN = "stabilityai/stable-audio-3-small-music", "stabilityai/stable-audio-open-1.0"


@pytest.mark.parametrize(
    ("name", "here"),
    [("stability-ai/stable-audio-2.5", SMALL), ("stackadoc/stable-audio-open-1.0", OPEN), (SMALL, SMALL), (OPEN, OPEN)],
)
def test_the_names_at_replicate_mean_the_models_here(name: str, here: str) -> None:
    found = find_model(name)
    assert found is not None
    assert found.name_here == here


def test_inputs_have_the_names_of_the_models_at_replicate() -> None:
    given = {"prompt": "rain", "seconds_total": 20, "steps": 6, "cfg_scale": 2.5, "negative_prompt": "noise", "seed": 4}
    request = read_input(given).request(OPEN, None)
    assert (request.duration, request.steps, request.guidance_scale) == (20, 6, 2.5)
    assert (request.negative_prompt, request.seed) == ("noise", 4)
    assert (request.sample_rate, request.mono) == (44_100, False)


@pytest.mark.parametrize(
    ("given", "strength"),
    [({}, 0.6), ({"init_noise_level": 0.9}, 0.9), ({"strength": 0.3}, 0.3), ({"continuation": True}, None)],
)
def test_a_recording_is_made_anew_or_continued(given: dict[str, Any], strength: float | None, tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    recording = tmp_path / "song.wav"
    soundfile.write(recording, np.zeros((44_100, 2)), 44_100)
    source = {"prompt": "piano", "init_audio": "https://example.org/song.wav", "duration": 8}
    request = read_input({**source, **given}).request(SMALL, recording)
    assert (request.audio, request.melody, request.strength) == (recording, None, strength)
    assert request.duration == (9 if strength is None else 8)


def test_musicgen_is_asked_as_before() -> None:
    request = read_input({"prompt": "piano", "classifier_free_guidance": 3}).request("meta/musicgen", None)
    assert (request.sample_rate, request.guidance_scale, request.steps) == (32_000, 3, None)
