"""Loops: whole bars of the measured tempo where it is the wanted one, and the asked length everywhere else."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.magenta_rt.loops import fade_into_loop

RATE = 48_000


def four_beats(tempo_bpm: float) -> float:
    return 240 / tempo_bpm


def beat(tempo_bpm: float, seconds: float) -> Audio:
    """Return a kick on every beat, louder on the first of four, over a soft tone."""
    time = np.arange(round(seconds * RATE)) / RATE
    position = time * tempo_bpm / 60
    strength = np.where(position.astype(int) % 4 == 0, 0.8, 0.5)
    kick = strength * np.exp(-30 * (position % 1)) * np.sin(2 * np.pi * 60 * (position % 1) * 60 / tempo_bpm)
    tone = 0.02 * np.sin(2 * np.pi * 220 * time)
    return Audio(np.stack([kick + tone, kick + tone]).astype(np.float32), RATE)


def test_a_loop_ends_on_the_bar_of_the_tempo_that_is_heard() -> None:
    heard = 120.6
    loop = fade_into_loop(beat(heard, 18.2), 16.0, 120.0, four_beats)
    assert loop.tempo_bpm == pytest.approx(heard, abs=0.3)
    assert loop.audio.duration == pytest.approx(8 * four_beats(heard), rel=3e-3)
    assert not loop.seam.is_audible


def test_without_the_wanted_tempo_a_loop_has_the_asked_length() -> None:
    for wanted in (97.0, None):
        loop = fade_into_loop(beat(120.6, 14.2), 12.0, wanted, four_beats)
        assert loop.tempo_bpm is None
        assert loop.audio.num_samples == 12 * RATE
