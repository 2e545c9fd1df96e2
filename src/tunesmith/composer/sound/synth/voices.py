"""Synthesised voices: a patch, its engine, a common level for all, and a cache."""

from __future__ import annotations

import functools
from typing import assert_never

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.rng import rng_for
from tunesmith.composer.sound.lru_cache import SoundCache, shared_cache
from tunesmith.composer.sound.note_colour import colour
from tunesmith.composer.sound.synth.chip import render_chip
from tunesmith.composer.sound.synth.drum_voice import SynthKitVoice
from tunesmith.composer.sound.synth.fm import render_fm
from tunesmith.composer.sound.synth.kits import KITS
from tunesmith.composer.sound.synth.patch import Chip, Fm, Patch, PluckedString, Subtractive, TransitionEffect
from tunesmith.composer.sound.synth.patches import PATCHES
from tunesmith.composer.sound.synth.plucked import render_plucked
from tunesmith.composer.sound.synth.subtractive import render_subtractive
from tunesmith.composer.sound.synth.transition import render_transition
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone, Voice
from tunesmith.errors import UnknownName

LEVEL_DB = -20.0
"""RMS over the first half second of a note of velocity 100, in dB below full scale."""
VARIATIONS = 4
SHADES = 12
"""Timbres from the softest to the hardest touch."""
LENGTH_STEP = 256
"""Samples (6 ms) to which lengths are rounded, so that notes of nearly equal length share a sound."""
_REFERENCE_VELOCITY = 100
_LOUDNESS_POWER = 1.8


class SynthVoice:
    """A pitched synthesiser voice or transition effect."""

    def __init__(self, name: str, cache: SoundCache) -> None:
        self.name = name
        self._patch = PATCHES[name]
        self._cache = cache

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples)."""
        # A few variations per note: enough to avoid the machine-gun effect, few enough to cache.
        variation = tone.variation % VARIATIONS
        samples = max(1, round(tone.seconds * SAMPLE_RATE / LENGTH_STEP)) * LENGTH_STEP
        shade = max(1, round(tone.velocity * SHADES / 127))
        exact = Tone(tone.pitch, round(shade * 127 / SHADES), samples / SAMPLE_RATE, tone.glide, variation)
        sound = self._cache.get((self.name, exact), lambda: _raw(self.name, self._patch, exact))
        # Few shades keep the cache small; the exact loudness is only a factor.
        loudness = (tone.velocity / _REFERENCE_VELOCITY) ** _LOUDNESS_POWER
        played = sound * np.float32(loudness * _calibration(self.name))
        colour(played, tone.chance)
        return played


# Cached: the calibration renders a note, and depends on the patch alone.
@functools.cache
def _calibration(name: str) -> float:
    """Return the factor that brings the patch to the common level at its reference pitch."""
    patch = PATCHES[name]
    if isinstance(patch, TransitionEffect):
        tone = Tone(60, _REFERENCE_VELOCITY, 2.0)
    else:
        tone = Tone(patch.reference, _REFERENCE_VELOCITY, 1.0)
    return float(10 ** (LEVEL_DB / 20) / _loudest_half_second(_raw(name, patch, tone)))


def _loudest_half_second(sound: Samples) -> float:
    """Return the RMS of the loudest half second of (2, samples)."""
    window = min(SAMPLE_RATE // 2, sound.shape[1])
    # Differences of a running sum give every window in one pass; double precision keeps them exact.
    running = np.cumsum(np.pad(np.mean(sound.astype(np.float64) ** 2, axis=0), (1, 0)))
    return float(np.sqrt(np.max(running[window:] - running[:-window]) / window))


def _raw(name: str, patch: Patch, tone: Tone) -> Samples:
    # Keyed by pitch and variation, not by call order: the same tone is the same samples in every piece.
    random = rng_for(0, "synth", name, tone.pitch, tone.variation)
    match patch:
        case Subtractive():
            return render_subtractive(patch, tone, random)
        case Fm():
            return render_fm(patch, tone, random)
        case PluckedString():
            return render_plucked(patch, tone, random)
        case Chip():
            return render_chip(patch, tone, random)
        case TransitionEffect():
            return render_transition(patch, tone, random)
        case _:
            assert_never(patch)


def patch_names() -> tuple[str, ...]:
    """Return the names of all patches and kits, sorted."""
    return tuple(sorted([*PATCHES, *KITS]))


def synth_voice(patch: str, cache: SoundCache | None = None) -> Voice:
    """Return the voice of a patch or kit; all share one cache unless ``cache`` is given.

    Raises UnknownName with the nearest names.
    """
    cache = cache or shared_cache()
    if patch in PATCHES:
        return SynthVoice(patch, cache)
    if patch in KITS:
        return SynthKitVoice(patch, cache)
    raise UnknownName("patch", patch, patch_names())
