"""Background ambience: rain, sea, fire, voices … synthesised from noise and grains, seamless by construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.ambience import crowd as people
from tunesmith.composer.sound.ambience import nature, water, weather
from tunesmith.composer.sound.ambience import vinyl_tape as medium
from tunesmith.composer.sound.ambience.loudness import loudness_lufs
from tunesmith.composer.sound.voice import SAMPLE_RATE
from tunesmith.errors import UnknownName

LOUDNESS_LUFS = -30.0
PEAK = 0.9
_SHORTEST = 64

Texture = Callable[[int, np.random.Generator], Samples]

AMBIENCES: Mapping[str, Texture] = {
    "rain": weather.rain,
    "heavy_rain": weather.heavy_rain,
    "thunder": weather.thunder,
    "ocean": water.ocean,
    "wind": weather.wind,
    "fire": nature.fire,
    "birds": nature.birds,
    "crowd": people.crowd,
    "stream": water.stream,
    "night": nature.night,
    "vinyl": medium.vinyl,
    "city": people.city,
    "cafe": people.cafe,
    "tape_hiss": medium.tape_hiss,
    "forest": nature.forest,
}


def ambience_texture(name: str, seconds: float, random: np.random.Generator) -> Samples:
    """Return (2, round(seconds × SAMPLE_RATE)) of the named background at LOUDNESS_LUFS, as a seamless loop.

    It is quieter only where a single event would pass PEAK. Raises UnknownName with the nearest names.
    """
    if name not in AMBIENCES:
        raise UnknownName("ambience", name, AMBIENCES)
    samples = max(_SHORTEST, round(seconds * SAMPLE_RATE))
    sound = AMBIENCES[name](samples, random)
    # DC wastes headroom and clicks where the texture starts.
    sound -= sound.mean(axis=1, keepdims=True)
    gain = 10 ** ((LOUDNESS_LUFS - loudness_lufs(sound)) / 20)
    return np.asarray(sound * np.float32(min(gain, PEAK / max(1e-9, float(np.abs(sound).max())))), np.float32)
