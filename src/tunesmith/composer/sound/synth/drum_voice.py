"""A drum kit as a voice: keys to drums, velocity to loudness and brightness."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.rng import rng_for, share
from tunesmith.composer.sound.lru_cache import SoundCache
from tunesmith.composer.sound.note_colour import colour
from tunesmith.composer.sound.synth.drum_models import render_layer
from tunesmith.composer.sound.synth.drum_spec import Drum, Kit
from tunesmith.composer.sound.synth.envelopes_lfo import samples_in
from tunesmith.composer.sound.synth.filters import static_filter
from tunesmith.composer.sound.synth.kits import KITS, NEIGHBOURS
from tunesmith.composer.sound.synth.saturation_chorus import saturate
from tunesmith.composer.sound.voice import Tone

KICK_PEAK_DB = -6.0
"""The peak of a kick of velocity 100, in dB below full scale."""
VARIATIONS = 6
# Shades of brightness from the softest to the hardest hit.
_LAYERS = 8
_LOUDNESS_POWER = 1.8
_BRIGHTEST = 18_000.0


class SynthKitVoice:
    """A kit as a Voice; the length of a tone does not matter, because every drum rings out."""

    def __init__(self, name: str, cache: SoundCache) -> None:
        self.name = name
        self._kit = KITS[name]
        self._cache = cache

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples); a key without a drum plays its nearest neighbour."""
        key = nearest_key(self._kit, tone.pitch)
        # Few shades and variations bound the cache; the exact loudness is only a factor on the cached hit.
        shade = max(1, round(tone.velocity * _LAYERS / 127))
        # Drawn by chance, because hits that come round in a fixed order are heard as a pattern.
        variation = int(share(tone.chance, 0) * VARIATIONS) if tone.chance else tone.variation % VARIATIONS
        hit = self._cache.get((self.name, key, shade, variation), lambda: self._hit(key, shade, variation))
        loudness = (tone.velocity / 100) ** _LOUDNESS_POWER * 10 ** (KICK_PEAK_DB / 20)
        played = np.asarray(hit * np.float32(loudness), np.float32)
        colour(played, tone.chance)
        return played

    def _hit(self, key: int, shade: int, variation: int) -> Samples:
        drum = self._kit.drums[key]
        sound = _mixed(drum, rng_for(0, "drum", self.name, key, variation))
        sound = saturate(sound / np.float32(np.abs(sound).max()), drum.drive)
        sound = _processed(self._kit, sound)
        # Soft hits are darker, as on a real drum.
        sound = static_filter(sound, "low12", _BRIGHTEST * (shade / _LAYERS) ** 1.1) if shade < _LAYERS else sound
        sound = _faded(sound)
        # Normalised after all processing, so that drive and filters do not change the balance of the kit.
        sound *= np.float32(10 ** (drum.level_db / 20) / np.abs(sound).max())
        # Constant power: cosine and sine of one angle.
        angle = (1 + drum.pan) * np.pi / 4
        sides = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(np.sqrt(2))
        return np.asarray(sound * sides, np.float32)


def nearest_key(kit: Kit, key: int) -> int:
    """Return the key itself if the kit has it, else its nearest relative, else the nearest number."""
    if key in kit.drums:
        return key
    for neighbour in NEIGHBOURS.get(key, ()):
        if neighbour in kit.drums:
            return neighbour
    return min(kit.drums, key=lambda known: (abs(known - key), known))


def _mixed(drum: Drum, random: np.random.Generator) -> Samples:
    ratio = float(2 ** (random.uniform(-0.25, 0.25) / 12))
    # The layers of a drum also differ in balance from hit to hit: no stick lands twice on the same spot.
    layers = [render_layer(layer, ratio, random) * np.float32(random.uniform(0.85, 1.15)) for layer in drum.layers]
    mixed = np.zeros((2, max(layer.shape[1] for layer in layers)), np.float32)
    for layer in layers:
        mixed[:, : layer.shape[1]] += layer
    return mixed


def _processed(kit: Kit, sound: Samples) -> Samples:
    """Return the drum after the processing of the kit: drive, resolution, low-pass."""
    sound = saturate(sound, kit.drive)
    if kit.bits:
        steps = np.float32(2 ** (kit.bits - 1))
        sound = np.asarray(np.round(sound * steps) / steps, np.float32)
    return static_filter(sound, "low12", kit.low_pass) if kit.low_pass else sound


def _faded(sound: Samples) -> Samples:
    """Return the sound without inaudible lows, and with the last 6 ms faded out."""
    sound = static_filter(sound, "high12", 22)
    fade = min(samples_in(0.006), sound.shape[1])
    sound[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound
