"""The voice of an instrument: a program of the user's bank or of the built-in one, or a synthesiser patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import Instrument
from tunesmith.composer.rng import SHARES, share
from tunesmith.composer.sound.soundfont.guitar_amp import amplify
from tunesmith.composer.sound.soundfont.sampler import SampledVoice
from tunesmith.composer.sound.soundfont.soundfont import KIT_BANK, SoundFont, built_in_bank
from tunesmith.composer.sound.voice import Tone, Voice

NEAREST_DRUMS: Mapping[int, tuple[int, ...]] = {
    26: (39, 37), 27: (26, 39, 37), 28: (39, 37), 35: (36, 41), 36: (35, 41), 37: (75, 76, 38), 38: (40, 37),
    39: (38,), 40: (38,), 41: (43, 45), 42: (44, 46), 43: (41, 45), 44: (42, 46), 45: (47, 43), 46: (42, 44),
    47: (45, 48), 48: (50, 47), 49: (57, 55), 51: (59, 53), 53: (51, 59), 54: (70, 42), 56: (53, 76), 60: (63, 48),
    61: (64, 45), 62: (63, 60), 63: (60, 62), 64: (61, 63), 65: (48, 38), 66: (45, 41), 67: (56, 76), 68: (56, 77),
    69: (70, 54, 42), 70: (69, 82, 42), 73: (69, 70), 74: (73, 69), 75: (76, 37), 76: (75, 37), 77: (76, 37),
    80: (81, 53), 81: (80, 53), 82: (70, 69, 42),
}  # fmt: skip
"""Keys that can stand in for a drum that a kit lacks, the best first."""


class KitVoice:
    """A drum kit: keys that it lacks play their nearest relative."""

    def __init__(self, voice: SampledVoice) -> None:
        self._voice = voice

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples), which ring as long as the drum does."""
        return self._voice.sound(replace(tone, pitch=self._present(tone.pitch), glide=0))

    def choke_group(self, pitch: int) -> int:
        """Return the choke group, of which only one drum sounds at a time, or 0 for none."""
        return self._voice.choke_group(self._present(pitch))

    def _present(self, pitch: int) -> int:
        # The snare (38) is the last resort before silence.
        candidates = (pitch, *NEAREST_DRUMS.get(pitch, ()), 38)
        return next((key for key in candidates if self._voice.plays(key)), pitch)


LATEST_LAYER = 400
"""Samples (9 ms) by which the second player of a section may come after the first."""


class LayeredVoice:
    """Several voices at once, each with a gain and a transposition, optionally through an amplifier.

    Without one they are a section of players: each draws its own differences, and comes in a little after the first.
    """

    def __init__(self, layers: Sequence[tuple[Voice, float, int]], drive_db: float = 0.0) -> None:
        self._layers = layers
        self._drive_db = drive_db

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples)."""
        parts = []
        for index, (voice, gain, semitones) in enumerate(self._layers):
            chance = _rotated(tone.chance, index)
            late = 0 if self._drive_db or not index else int(share(chance, 0) * LATEST_LAYER)
            parts.append((voice.sound(replace(tone, pitch=tone.pitch + semitones, chance=chance)), gain, late))
        together = np.zeros((2, max(part.shape[1] + late for part, _, late in parts)), np.float32)
        for part, gain, late in parts:
            together[:, late : late + part.shape[1]] += part if gain == 1 else part * np.float32(gain)
        return amplify(together, self._drive_db) if self._drive_db else together


def _rotated(chance: int, shares: int) -> int:
    """Return 64 random bits with the shares moved on by ``shares``, so that each layer reads others."""
    bits = 64 // SHARES * shares % 64
    return (chance << bits | chance >> (64 - bits)) & (1 << 64) - 1


class GainVoice:
    """Another voice with a gain."""

    def __init__(self, voice: Voice, gain: float) -> None:
        self._voice = voice
        self._gain = np.float32(gain)

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples)."""
        return self._voice.sound(tone) * self._gain

    def choke_group(self, pitch: int) -> int:
        """Return the choke group of the voice itself."""
        return choke_group(self._voice, pitch)


def voice_for(instrument: Instrument, bank: SoundFont, warnings: list[str] | None = None) -> Voice:
    """Return the voice of an instrument, as loud as all others (TARGET_LEVEL_DB).

    Where ``bank`` lacks its program, the built-in bank plays it, and ``warnings`` gets a line about that.
    """
    gain = 10 ** (instrument.level_db / 20)
    if instrument.source == "synth":
        return _amplified(_synth(instrument.patch), gain)
    number = KIT_BANK if instrument.is_kit else 0
    font = bank
    if not font.has(number, instrument.bank_program):
        font = built_in_bank()
        if warnings is not None:
            warnings.append(f"{bank.path.name} has no sound for {instrument.name}: the built-in bank plays it")
    if instrument.layers or instrument.timbre.drive_db:
        main = SampledVoice(font, number, instrument.bank_program, instrument.timbre)
        layers = [(main, 1.0, 0), *_layers(instrument, font)]
        return _amplified(LayeredVoice(layers, instrument.timbre.drive_db), gain)
    # The gain goes into the voice, where it costs nothing, instead of a wrapper that multiplies every note.
    voice = SampledVoice(font, number, instrument.bank_program, instrument.timbre, gain)
    return KitVoice(voice) if instrument.is_kit else voice


def choke_group(voice: Voice, pitch: int) -> int:
    """Return the choke group of a drum, or 0: a new drum of a group silences the one that sounds."""
    group = getattr(voice, "choke_group", None)
    return int(group(pitch)) if group is not None else 0


def _layers(instrument: Instrument, font: SoundFont) -> list[tuple[Voice, float, int]]:
    # Layers share the timbre but not the distortion, which comes once, after their sum.
    timbre = replace(instrument.timbre, drive_db=0.0)
    layers: list[tuple[Voice, float, int]] = []
    for layer in instrument.layers:
        source = font if font.has(0, layer.program) else built_in_bank()
        voice = _synth(layer.patch) if layer.patch else SampledVoice(source, 0, layer.program, timbre)
        layers.append((voice, 10 ** (layer.gain_db / 20), layer.semitones))
    return layers


def _amplified(voice: Voice, gain: float) -> Voice:
    return voice if gain == 1.0 else GainVoice(voice, gain)


def _synth(patch: str) -> Voice:
    # Imported here: a score with sampled instruments only does not need the synthesiser.
    from tunesmith.composer.sound.synth import synth_voice

    return synth_voice(patch)
