"""Measure how loud every sampled instrument is and write composer/sounds/levels.yaml, so that all are equally loud.

    python tools/measure_levels.py

An instrument's level is the K-weighted power (ITU-R BS.1770) of notes in the middle of its range at velocity 100, over
the part of the first half second that sounds; a kit's is that of its kick and its snare over a fifth of a second.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyloudnorm

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import Instrument, instruments
from tunesmith.composer.sound.soundfont.soundfont import open_bank
from tunesmith.composer.sound.voice import SAMPLE_RATE, TARGET_LEVEL_DB, Tone, Voice
from tunesmith.composer.sound.voices import voice_for

LEVELS = Path("src/tunesmith/composer/sounds/levels.yaml")
HEAD = "# name: decibels that bring it to the level that sound/voice.py asks for. Written by tools/measure_levels.py.\n"
KIT_TARGET_DB = TARGET_LEVEL_DB + 6  # a drum is short: it must be higher to be as loud
KIT_KEYS = (36, 38)


def main() -> None:
    bank = open_bank()
    lines = []
    for name, instrument in sorted(instruments().items()):
        if instrument.source == "bank":
            measured = level_db(instrument, voice_for(replace(instrument, level_db=0.0), bank))
            target = KIT_TARGET_DB if instrument.is_kit else TARGET_LEVEL_DB
            lines.append(f"{name}: {target - measured:.1f}\n")
    LEVELS.write_text(HEAD + "".join(lines), encoding="utf-8")
    print(f"{LEVELS}: {len(lines)} instruments")


def level_db(instrument: Instrument, voice: Voice) -> float:
    """Return the mean level over the notes measured, in decibels."""
    if instrument.is_kit:
        powers = [power(voice.sound(Tone(key, 100, 0.3)), 0.2) for key in KIT_KEYS]
    else:
        middle = (instrument.low + instrument.high) // 2
        powers = [power(voice.sound(Tone(middle + step, 100, 0.5)), 0.5) for step in (-5, -2, 0, 2, 5)]
    return float(10 * np.log10(np.mean(powers)))


def power(sound: Samples, seconds: float) -> float:
    """Return the mean K-weighted power of the sides together over the part of ``seconds`` that sounds."""
    meter = pyloudnorm.Meter(SAMPLE_RATE)
    weighted = np.array(sound[:, : int(seconds * SAMPLE_RATE)], np.float64)
    for stage in meter._filters.values():
        weighted = np.stack([stage.apply_filter(side) for side in weighted])
    blocks = weighted[:, : weighted.shape[1] // 441 * 441].reshape(2, -1, 441)
    powers = (blocks**2).mean(axis=2).mean(axis=0)
    return float(powers[powers > powers.max() * 1e-3].mean())


if __name__ == "__main__":
    main()
