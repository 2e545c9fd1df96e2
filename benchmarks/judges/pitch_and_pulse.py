"""Independent estimates of tempo (librosa's onset tempogram) and key (chroma against listeners' key profiles)."""

from __future__ import annotations

import librosa
import numpy as np
import numpy.typing as npt
import soxr

RATE = 22_050
HOP = 256
Matrix = npt.NDArray[np.float32]

# How well each degree fits a key, as listeners rated it: Temperley's revision of Krumhansl's profiles.
MAJOR_PROFILE = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
# Semitones from a mode's tonic up to that of the major scale with the same notes.
PARENTS = {"dorian": 10, "phrygian": 8, "phrygian dominant": 8, "lydian": 7, "mixolydian": 5, "locrian": 1}
MINOR_PROFILE = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)


def mono(samples: Matrix, sample_rate: int) -> Matrix:
    """Return one channel at the judges' rate."""
    return np.asarray(soxr.resample(samples.mean(axis=0), sample_rate, RATE), dtype=np.float32)


def onset_envelope(sound: Matrix) -> Matrix:
    """Return onset strength, one value each HOP samples."""
    return np.asarray(librosa.onset.onset_strength(y=sound, sr=RATE, hop_length=HOP), dtype=np.float32)


def has_a_beat(envelope: Matrix) -> bool:
    """Tell whether the sound has a pulse at all: onsets repeat with a period of 0.25 to 2 s."""
    centred = envelope - envelope.mean()
    spectrum = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    correlation = np.fft.irfft(spectrum)[: len(centred)]
    low, high = round(0.25 * RATE / HOP), round(2 * RATE / HOP)
    return bool(correlation[low:high].max() > 0.2 * correlation[0])


def tempo(envelope: Matrix) -> float:
    """Return the strongest tempo in beats a minute, refined well below 1 %.

    librosa's tracker gives the pulse; the comb of its multiples in the onset envelope's spectrum sharpens it.
    """
    rough = float(np.atleast_1d(librosa.feature.tempo(onset_envelope=envelope, sr=RATE, hop_length=HOP))[0])
    return refine(envelope, rough)


def refine(envelope: Matrix, rough: float) -> float:
    """Return the tempo within 6 % of ``rough`` whose pulse train and its multiples fit the onsets best."""
    times = np.arange(len(envelope)) * HOP / RATE
    centred = (envelope - envelope.mean()) * np.hanning(len(envelope))
    candidates = rough * np.linspace(0.94, 1.06, 481)
    multiples = np.arange(1, 9)
    strength = [
        np.abs(np.exp(-2j * np.pi * np.outer(multiples * bpm / 60, times)) @ centred).sum() for bpm in candidates
    ]
    return float(candidates[int(np.argmax(strength))])


def tempo_error(measured: float, asked: float, ratios: tuple[float, ...] = (0.5, 1.0, 2.0)) -> float:
    """Return the relative error to the nearest allowed multiple of the asked tempo."""
    return min(abs(measured / (asked * ratio) - 1) for ratio in ratios)


def key(sound: Matrix) -> tuple[int, bool]:
    """Return the most likely key: tonic pitch class 0–11, and whether it is minor.

    The chroma is that of the harmonic part and weighs the middle octaves, so that kick drums do not count as notes.
    """
    spectrum = librosa.decompose.hpss(np.abs(librosa.stft(sound, n_fft=8192, hop_length=2048)))[0]
    chroma = librosa.feature.chroma_stft(S=spectrum, sr=RATE, n_fft=8192, tuning=0.0)
    weight = chroma.mean(axis=1)
    scores = {
        (tonic, minor): float(np.corrcoef(weight, np.roll(profile, tonic))[0, 1])
        for minor, profile in ((False, MAJOR_PROFILE), (True, MINOR_PROFILE))
        for tonic in range(12)
    }
    return max(scores, key=lambda candidate: scores[candidate])


def right_or_relative(found: tuple[int, bool], tonic: int, *, minor: bool, mode: str = "") -> bool:
    """Tell whether a found key is the asked one, or one with the same key signature.

    The relatives of C dorian are B flat major and G minor; the detector itself knows major and minor only.
    """
    parent = (tonic + PARENTS.get(mode, 3 if minor else 0)) % 12
    return found in ((tonic, minor), (parent, False), ((parent + 9) % 12, True))
