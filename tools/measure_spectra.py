"""Measure which octaves the notes of every instrument fill, and write composer/sounds/spectra.json for the mixer.

    python tools/measure_spectra.py

A note is measured as a part plays it: with its noises, in the centre, at full gain. Run it again where sounds change.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.audio.fourier import next_fast_len, rfft
from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.instruments import Instrument, instrument, instruments
from tunesmith.composer.mix.octaves import in_octaves
from tunesmith.composer.mix.spectra import HIGH, MEASURED_VELOCITY
from tunesmith.composer.render.part_renderer import PartPlayer
from tunesmith.composer.score import Note, Part, Score, Section, TempoMap
from tunesmith.composer.sound.soundfont.soundfont import built_in_bank
from tunesmith.composer.sound.voice import SAMPLE_RATE, Voice
from tunesmith.composer.sound.voices import voice_for
from tunesmith.composer.theory import Key, Meter

SPECTRA = Path("src/tunesmith/composer/sounds/spectra.json")
SEEDS = (1, 2)
LOWEST, HIGHEST, STEP = 24, 96, 8
HELD = 2.0
SHORT_TENTHS, LONG_TENTHS = 6, 20
LASTING_DB = -2.0
RING = 3.0
QUIETEST_DB = -120.0


def main() -> None:
    """Measure all instruments."""
    lines = [
        f'"{name}": {json.dumps(spectra(instruments()[name]), separators=(",", ":"))}' for name in sorted(instruments())
    ]
    SPECTRA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{SPECTRA}: {len(lines)} instruments")


def spectra(played: Instrument) -> dict[int, list[int]]:
    """Return by pitch the length in tenths of a second, two decays in dB a half second, and the energies in dB."""
    return {pitch: measured(played.name, pitch) for pitch in pitches(played)}


def pitches(played: Instrument) -> list[int]:
    """Return the pitches to measure, both ends of the range included; a kit's are its drums."""
    if played.is_kit:
        return sorted(set(DRUM_KEYS.values()))
    low, high = max(LOWEST, played.low), min(HIGHEST, played.high)
    return sorted({*range(low, high, STEP), high})


def measured(name: str, pitch: int) -> list[int]:
    """Return the row of one pitch."""
    decays = decays_db(name, pitch)
    # A tone that lasts opens slowly, so it is measured for longer than one that rings.
    tenths = SHORT_TENTHS if decays[0] < LASTING_DB else LONG_TENTHS
    notes = [sound(name, pitch, tenths / 10, seed) for seed in SEEDS]
    energies = np.mean([octave_energies(each) for each in notes], axis=0).ravel()
    energies_db = np.maximum(QUIETEST_DB, 10 * np.log10(energies + 1e-15))
    return [tenths, *decays, *(round(float(level)) for level in energies_db)]


def decays_db(name: str, pitch: int) -> list[int]:
    """Return by how much a held note falls each half second, in dB: its lower octaves, and those from HIGH on."""
    half = SAMPLE_RATE // 2
    held = sound(name, pitch, HELD, SEEDS[0])
    early, late = (
        octave_energies(held[:, start : start + half]).sum(axis=0) + 1e-12 for start in (half // 2, 5 * half // 2)
    )
    return [round(5 * math.log10(late[part].sum() / early[part].sum())) for part in (slice(HIGH), slice(HIGH, None))]


def octave_energies(sound: Samples) -> npt.NDArray[np.float64]:
    """Return the energy of each octave in seconds of full-scale power, (2, octaves): of the middle and the sides."""
    size = next_fast_len(sound.shape[1])
    pair = np.stack([sound[0] + sound[1], sound[0] - sound[1]]).astype(np.float64) / 2
    return in_octaves(np.abs(rfft(pair, size)) ** 2) * 2 / size / SAMPLE_RATE


def sound(name: str, pitch: int, seconds: float, seed: int) -> Samples:
    """Return one note as a part plays it, with its release."""
    note = Note(0.0, seconds, pitch, MEASURED_VELOCITY)
    part = Part(f"{name}{pitch}", "chords", name, (note,))
    score = Score(
        "", "", "", seed, Key.parse("C"), Meter(4, 4), TempoMap(((0.0, 60.0),)), seconds + RING, False, "",
        (Section("A", 0, 2, 0.5),), (), (part,),
    )  # fmt: skip
    target = np.zeros((2, round((seconds + RING) * SAMPLE_RATE)), np.float32)
    PartPlayer(score, part, voice_of).add_to(target, 0)
    return target


@cache
def voice_of(name: str) -> Voice:
    """Return the voice of an instrument of the built-in bank."""
    return voice_for(instrument(name), built_in_bank())


if __name__ == "__main__":
    main()
