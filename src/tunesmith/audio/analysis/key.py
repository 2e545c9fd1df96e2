"""Key detection from the spectral peaks of a sound.

Notes with their harmonics give a pitch class profile (Gómez 2006); the key with the best-correlated profile wins
(Temperley's revision of Krumhansl's profiles, 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.audio.analysis.features import RATE, SLOW_FRAME, Features, Floats

NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
# Temperley's key profiles (1999): how well each pitch class fits, from the tonic up.
MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)
HARMONICS, DECAY, HIGHEST_HZ = 6, 0.6, 5000.0
# MIDI notes, C2 to C6.
LOWEST_NOTE, HIGHEST_NOTE = 36, 84
LEAST_CLARITY = 0.3
# MIDI notes, G1 to E3.
LOWEST_BASS, HIGHEST_BASS = 31, 52
RELATIVE_MARGIN, BASS_MARGIN = 0.25, 1.0


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """A key such as ``D minor``; ``clarity`` is the correlation with its profile, 0 to 1."""

    name: str
    clarity: float


def key_of(features: Features) -> KeyEstimate | None:
    """Return the most likely key; None if no key is clear."""
    profile = pitch_classes(features.spectrum)
    # The correlation with a flat profile is undefined.
    if profile.std() == 0:
        return None
    fits = [
        (float(np.corrcoef(profile, np.roll(shape, tonic))[0, 1]), f"{NAMES[tonic]} {mode}")
        for mode, shape in (("major", MAJOR), ("minor", MINOR))
        for tonic in range(12)
    ]
    clarity, name = _by_the_bass({name: fit for fit, name in fits}, features.spectrum)
    return KeyEstimate(name, round(clarity, 3)) if clarity >= LEAST_CLARITY else None


def _by_the_bass(fits: dict[str, float], spectrum: Floats) -> tuple[float, str]:
    """Return the best key, or its relative (same notes) if that fits nearly as well and its tonic is in the bass."""
    best = max(fits, key=lambda name: fits[name])
    note, mode = best.split()
    tonic = NAMES.index(note)
    # The relative minor lies three semitones below the major, which is nine above.
    relative = f"{NAMES[(tonic + 9) % 12]} minor" if mode == "major" else f"{NAMES[(tonic + 3) % 12]} major"
    bass = _bass(spectrum)
    # Relative keys share their notes, so the profiles hardly separate them; the bass favours the tonic.
    nearly = fits[best] - fits[relative] < RELATIVE_MARGIN
    if nearly and bass[NAMES.index(relative.split()[0])] > bass[tonic] * BASS_MARGIN:
        best = relative
    return fits[best], best


def _bass(spectrum: Floats) -> Floats:
    frequencies = np.fft.rfftfreq(SLOW_FRAME, 1 / RATE)
    profile = np.zeros(12, np.float32)
    for note in range(LOWEST_BASS, HIGHEST_BASS + 1):
        frequency = 440 * 2 ** ((note - 69) / 12)
        low, high = np.searchsorted(frequencies, (frequency * 2 ** (-1 / 24), frequency * 2 ** (1 / 24)))
        if high > low:
            # The highest bin within a quarter tone on either side: instruments are never quite in tune.
            profile[note % 12] += spectrum[low:high].max()
    return profile


def pitch_classes(spectrum: Floats) -> Floats:
    """Return the pitch class profile, (12,) from C up; harmonics count towards their fundamental."""
    frequencies = np.fft.rfftfreq(SLOW_FRAME, 1 / RATE)
    profile = np.zeros(12, np.float32)
    for note in range(LOWEST_NOTE, HIGHEST_NOTE + 1):
        # Harmonics of a tone lie on other pitch classes, which they would otherwise strengthen.
        for harmonic in range(1, HARMONICS + 1):
            frequency = 440 * 2 ** ((note - 69) / 12) * harmonic
            low, high = np.searchsorted(frequencies, (frequency * 2 ** (-1 / 24), frequency * 2 ** (1 / 24)))
            if frequency < HIGHEST_HZ and high > low:
                profile[note % 12] += DECAY ** (harmonic - 1) * spectrum[low:high].max()
    return profile
