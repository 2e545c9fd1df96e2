"""Independent estimates of tempo (how onsets repeat) and key (pitch classes against listeners' key profiles)."""

from __future__ import annotations

import librosa
import numpy as np
import numpy.typing as npt
import soxr

RATE = 22_050
HOP = 256
FFT = 8192
HARMONICS, HARMONIC_DECAY, HIGHEST_HARMONIC = 6, 0.6, 5000.0
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

    A tempo must show both in the onsets' spectrum and in their autocorrelation: the first also shows its multiples, the
    second its fractions, and only the tempo itself is in both (Peeters 2006). Listeners' preference for about 120
    decides between octaves.
    """
    candidates = np.arange(50, 220, 0.25)
    times = np.arange(len(envelope)) * HOP / RATE
    centred = envelope - envelope.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    correlation = np.interp(60 / candidates * RATE / HOP, np.arange(len(centred)), np.fft.irfft(power)[: len(centred)])
    waves = np.exp(-2j * np.pi * np.outer(candidates / 60, times))
    spectrum = np.abs(waves @ (centred * np.hanning(len(centred))))
    preference = np.exp(-0.5 * (np.log2(candidates / 120) / 1.2) ** 2)
    return refine(envelope, float(candidates[np.argmax(np.maximum(correlation, 0) * spectrum * preference)]))


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
    """Return the most likely key: tonic pitch class 0–11, and whether it is minor."""
    spectrum = librosa.decompose.hpss(np.abs(librosa.stft(sound, n_fft=FFT, hop_length=FFT // 4)))[0].mean(axis=1)
    weight = pitch_class_profile(spectrum)
    scores = {
        (tonic, minor): float(np.corrcoef(weight, np.roll(profile, tonic))[0, 1])
        for minor, profile in ((False, MAJOR_PROFILE), (True, MINOR_PROFILE))
        for tonic in range(12)
    }
    return max(scores, key=lambda candidate: scores[candidate])


def pitch_class_profile(spectrum: Matrix) -> Matrix:
    """Return how strongly each pitch class sounds, (12,): the notes C2 to C6 with their harmonics (Gómez 2006).

    Harmonics count for the note below them, so a bass's third harmonic does not pass for its fifth, and drums, which
    have none, count little.
    """
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=FFT)
    profile = np.zeros(12, np.float32)
    for pitch in range(36, 85):
        for harmonic in range(1, HARMONICS + 1):
            frequency = 440 * 2 ** ((pitch - 69) / 12) * harmonic
            near = np.abs(np.log2(np.maximum(frequencies, 1) / frequency)) < 1 / 24
            if frequency < HIGHEST_HARMONIC and near.any():
                profile[pitch % 12] += HARMONIC_DECAY ** (harmonic - 1) * spectrum[near].max()
    return profile


def right_or_relative(found: tuple[int, bool], tonic: int, *, minor: bool, mode: str = "") -> bool:
    """Tell whether a found key is the asked one, or one with the same key signature.

    The relatives of C dorian are B flat major and G minor; the detector itself knows major and minor only.
    """
    parent = (tonic + PARENTS.get(mode, 3 if minor else 0)) % 12
    return found in ((tonic, minor), (parent, False), ((parent + 9) % 12, True))
