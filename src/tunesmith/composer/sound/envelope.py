"""The SoundFont envelopes: delay, attack, hold, decay to a sustain level, release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.composer.sound.byte_cache import Floats
from tunesmith.composer.sound.generators import Gen
from tunesmith.composer.sound.voice import SAMPLE_RATE

FLOOR_DB = 66.0
"""A release ends where it has fallen this far."""

LONGEST_RELEASE = 3.0
SHORTEST_ATTACK, SHORTEST_RELEASE = 0.001, 0.02
_FULL_DB = 100.0  # decay and release times are for this many decibels


@dataclass(frozen=True, slots=True)
class Envelope:
    """Times in seconds; ``decay`` and ``release`` are for 100 dB; ``sustain_db`` is how far the decay falls."""

    delay: float
    attack: float
    hold: float
    decay: float
    sustain_db: float
    release: float

    @property
    def tail(self) -> float:
        """Seconds from letting go to silence."""
        return min(LONGEST_RELEASE, self.release * FLOOR_DB / _FULL_DB)

    @property
    def dies_after(self) -> float:
        """Seconds after which a note fades by itself, if it does; else infinity."""
        if self.sustain_db < FLOOR_DB:
            return float("inf")
        return self.delay + self.attack + self.hold + self.decay * FLOOR_DB / _FULL_DB

    def curve(self, seconds: float) -> Floats:
        """Return the gain, (samples,), 0–1, of a note let go after ``seconds``; it ends in silence."""
        held = round(seconds * SAMPLE_RATE)
        tail = max(1, round(self.tail * SAMPLE_RATE))
        gain = np.empty(held + tail, np.float32)
        _fill(gain[:held], self)
        last = float(gain[held - 1]) if held else 0.0
        drop_db = _FULL_DB * self.tail / self.release
        gain[held:] = np.exp(np.linspace(0, -drop_db / 20 * np.log(10), tail, dtype=np.float32))
        gain[held:] *= np.float32(last)
        closing = min(tail, 256)
        gain[-closing:] *= np.linspace(1, 0, closing, dtype=np.float32)
        return gain


def _fill(gain: Floats, envelope: Envelope) -> None:
    """Write delay, attack, hold, decay and sustain one after the other, as far as there is room."""
    delay, attack, hold = (round(part * SAMPLE_RATE) for part in (envelope.delay, envelope.attack, envelope.hold))
    gain[:delay] = 0
    rising = gain[delay : delay + attack]
    rising[:] = np.arange(1, len(rising) + 1, dtype=np.float32) / np.float32(max(1, attack))
    start = delay + attack + hold
    gain[delay + attack : start] = 1
    falling = round(envelope.decay * min(envelope.sustain_db, _FULL_DB) / _FULL_DB * SAMPLE_RATE)
    decaying = gain[start : start + falling]
    step = -_FULL_DB / 20 * np.log(10) / max(1.0, envelope.decay * SAMPLE_RATE)
    np.exp(np.arange(len(decaying), dtype=np.float32) * np.float32(step), out=decaying)
    gain[start + falling :] = 10 ** (-min(envelope.sustain_db, _FULL_DB) / 20)


def volume_envelope(settings: Mapping[int, float], key: int, attack: float = 0.0, release: float = 0.0) -> Envelope:
    """Read the volume envelope from a region's settings; an ``attack`` or ``release`` given here takes its place."""
    return Envelope(
        delay=_seconds(settings[Gen.DELAY]),
        attack=attack or max(SHORTEST_ATTACK, _seconds(settings[Gen.ATTACK])),
        hold=_seconds(settings[Gen.HOLD] + settings.get(Gen.KEY_TO_HOLD, 0) * (60 - key)),
        decay=_seconds(settings[Gen.DECAY] + settings.get(Gen.KEY_TO_DECAY, 0) * (60 - key)),
        sustain_db=min(144.0, max(0.0, settings.get(Gen.SUSTAIN, 0) / 10)),
        release=release or max(SHORTEST_RELEASE, _seconds(settings[Gen.RELEASE])),
    )


def modulation_envelope(settings: Mapping[int, float]) -> Envelope:
    """Read the modulation envelope, whose sustain is in tenths of a percent and taken here as a level."""
    sustain = min(1.0, max(1e-5, 1 - settings.get(Gen.MOD_SUSTAIN, 0) / 1000))
    return Envelope(
        delay=_seconds(settings[Gen.MOD_DELAY]),
        attack=max(SHORTEST_ATTACK, _seconds(settings[Gen.MOD_ATTACK])),
        hold=_seconds(settings[Gen.MOD_HOLD]),
        decay=_seconds(settings[Gen.MOD_DECAY]),
        sustain_db=float(-20 * np.log10(sustain)),
        release=max(SHORTEST_RELEASE, _seconds(settings[Gen.MOD_RELEASE])),
    )


def _seconds(timecents: float) -> float:
    return float(2 ** (min(timecents, 8000) / 1200)) if timecents > -12_000 else 0.0
