"""The SoundFont envelopes: delay, attack, hold, decay to a sustain level, release."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.composer.sound.lru_cache import Floats
from tunesmith.composer.sound.soundfont.generators import Gen
from tunesmith.composer.sound.voice import SAMPLE_RATE

FLOOR_DB = 56.0
"""A release ends where it has fallen this far, in dB."""

LONGEST_RELEASE = 3.0
SHORTEST_ATTACK, SHORTEST_RELEASE = 0.001, 0.02
_BLOCK = 512
# Falls of up to 3 s are cached, in 64 MB at most.
_MOST_BLOCKS = 256
_CLOSING = np.linspace(1, 0, 192, dtype=np.float32)
# Decay and release times are for this many decibels.
_FULL_DB = 100.0


@dataclass(frozen=True, slots=True)
class VolumeEnvelope:
    """A volume envelope.

    Times are in seconds, ``decay`` and ``release`` per 100 dB; ``sustain_db`` is the depth of the decay.
    """

    delay: float
    attack: float
    hold: float
    decay: float
    sustain_db: float
    release: float

    @property
    def tail(self) -> float:
        """Seconds from release to silence."""
        return min(LONGEST_RELEASE, self.release * FLOOR_DB / _FULL_DB)

    @property
    def dies_after(self) -> float:
        """Seconds after which a held note has decayed by itself, or infinity."""
        if self.sustain_db < FLOOR_DB:
            return float("inf")
        return self.delay + self.attack + self.hold + self.decay * FLOOR_DB / _FULL_DB

    @property
    def opens_at_once(self) -> bool:
        """Whether the envelope starts at its peak."""
        return self.delay == 0 and self.attack < 0.02

    def shape(self, waveform: Floats, seconds: float, gain: float = 1.0) -> Floats:
        """Return a copy of ``waveform``, (samples,), times ``gain`` and this envelope, released after ``seconds``.

        The result ends in silence, with the release or with the waveform, whichever comes first.
        """
        held = round(seconds * SAMPLE_RATE)
        shaped = waveform[: held + max(1, round(self.tail * SAMPLE_RATE))] * np.float32(gain)
        last = self._hold(shaped[:held])
        released = shaped[held:]
        released *= exponential(_FULL_DB / self.release, len(released)) * np.float32(last)
        # The last 4 ms fade out, because a waveform that ends before its release would click.
        closing = shaped[-len(_CLOSING) :]
        closing *= _CLOSING[-len(closing) :]
        return shaped

    def curve(self, seconds: float) -> Floats:
        """Return the gain curve, (samples,), 0–1."""
        length = round(seconds * SAMPLE_RATE) + max(1, round(self.tail * SAMPLE_RATE))
        return self.shape(np.ones(length, np.float32), seconds)

    def _hold(self, shaped: Floats) -> float:
        """Apply delay, attack, hold, decay and sustain in place, as far as the samples go; return the last gain."""
        length = len(shaped)
        delay, attack, hold = (round(part * SAMPLE_RATE) for part in (self.delay, self.attack, self.hold))
        fall_db = min(self.sustain_db, _FULL_DB)
        falling = round(self.decay * fall_db / _FULL_DB * SAMPLE_RATE)
        start = delay + attack + hold
        shaped[:delay] = 0
        rising = shaped[delay : delay + attack]
        rising *= np.arange(1, len(rising) + 1, dtype=np.float32) * np.float32(1 / max(1, attack))
        if fall_db > 0 and length > start:
            decaying = shaped[start : start + falling]
            decaying *= exponential(_FULL_DB / max(self.decay, 1e-3), len(decaying))
            shaped[start + falling :] *= np.float32(10 ** (-fall_db / 20))
        # A note released during its attack is released from the level that it reached.
        if length <= delay + attack:
            return max(0.0, (length - delay) / max(1, attack))
        fallen = min(fall_db, max(0, length - start) / SAMPLE_RATE * _FULL_DB / max(self.decay, 1e-3))
        return float(10 ** (-fallen / 20))


def exponential(fall_db: float, length: int) -> Floats:
    """Return gains, (length,), that fall ``fall_db`` per second from 1; they are cached, so read-only."""
    blocks = -(-length // _BLOCK)
    # Rounded up to a power of two, so that notes of similar length share one cached curve.
    whole = 1 << max(0, blocks - 1).bit_length()
    return (_falling(fall_db, whole) if whole <= _MOST_BLOCKS else _fall(fall_db, blocks))[:length]


@functools.lru_cache(maxsize=128)
def _falling(fall_db: float, blocks: int) -> Floats:
    gains = _fall(fall_db, blocks)
    gains.flags.writeable = False
    return gains


def _fall(fall_db: float, blocks: int) -> Floats:
    """Return the gains of whole blocks as an outer product, which is much faster than powers."""
    step = -fall_db / 20 * math.log(10) / SAMPLE_RATE
    fine = np.exp(step * np.arange(_BLOCK)).astype(np.float32)
    coarse = np.exp(step * _BLOCK * np.arange(blocks)).astype(np.float32)
    return np.asarray(np.multiply.outer(coarse, fine).ravel(), np.float32)


def volume_envelope(
    settings: Mapping[int, float], key: int, attack: float = 0.0, release: float = 0.0
) -> VolumeEnvelope:
    """Return the volume envelope of a region; a given ``attack`` or ``release`` in seconds replaces its own."""
    return VolumeEnvelope(
        delay=_seconds(settings[Gen.DELAY]),
        attack=attack or max(SHORTEST_ATTACK, _seconds(settings[Gen.ATTACK])),
        hold=_seconds(settings[Gen.HOLD] + settings.get(Gen.KEY_TO_HOLD, 0) * (60 - key)),
        decay=_seconds(settings[Gen.DECAY] + settings.get(Gen.KEY_TO_DECAY, 0) * (60 - key)),
        sustain_db=min(144.0, max(0.0, settings.get(Gen.SUSTAIN, 0) / 10)),
        release=release or max(SHORTEST_RELEASE, _seconds(settings[Gen.RELEASE])),
    )


def modulation_envelope(settings: Mapping[int, float]) -> VolumeEnvelope:
    """Return the modulation envelope; its sustain, in tenths of a percent, is read as a level."""
    sustain = min(1.0, max(1e-5, 1 - settings.get(Gen.MOD_SUSTAIN, 0) / 1000))
    return VolumeEnvelope(
        delay=_seconds(settings[Gen.MOD_DELAY]),
        attack=max(SHORTEST_ATTACK, _seconds(settings[Gen.MOD_ATTACK])),
        hold=_seconds(settings[Gen.MOD_HOLD]),
        decay=_seconds(settings[Gen.MOD_DECAY]),
        sustain_db=float(-20 * np.log10(sustain)),
        release=max(SHORTEST_RELEASE, _seconds(settings[Gen.MOD_RELEASE])),
    )


def _seconds(timecents: float) -> float:
    # −12,000 timecents or less is the standard's way to write zero.
    return float(2 ** (min(timecents, 8000) / 1200)) if timecents > -12_000 else 0.0
