"""Magenta RealTime 2 behind Replicate's API: in its own rate and in stereo."""

from __future__ import annotations

import pytest

from tunesmith.server.apis.replicate.request import read_input


@pytest.mark.parametrize("name", ["magenta-rt2-small", "google/magenta-realtime-2", "mrt2_small"])
def test_sound_comes_in_the_models_own_rate_and_in_stereo(name: str) -> None:
    request = read_input({"prompt": "rain", "duration": 20, "temperature": 1.2, "seed": 4}).request(name, None)
    assert (request.sample_rate, request.mono) == (48_000, False)
    assert (request.duration, request.temperature, request.seed) == (20, 1.2, 4)
