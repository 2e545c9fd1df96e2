"""Band-limited oscillators: wave tables built from harmonics, one per third of an octave, so that nothing aliases."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from tunesmith.composer.sound.voice import SAMPLE_RATE

# (samples,)
Mono = npt.NDArray[np.float32]
# (samples,), slow control signals.
Curve = npt.NDArray[np.float64]
# The amplitude of each harmonic, from the first.
Spectrum = npt.NDArray[np.complex128]

TABLE_BITS = 12
# In Hz.
HIGHEST_HARMONIC = 20_000.0
_FRACTION_BITS = 32 - TABLE_BITS
_LEVELS_AN_OCTAVE = 3
# Up to here, linear interpolation in 4,096 points keeps its images 60 dB down.
_MOST_HARMONICS = 1_000


def _saw(k: Curve) -> Spectrum:
    return np.asarray(-1j / k * (2 / np.pi), np.complex128)


def _square(k: Curve) -> Spectrum:
    return np.asarray(np.where(k % 2 == 1, -1j / k, 0) * (4 / np.pi), np.complex128)


def _triangle(k: Curve) -> Spectrum:
    return np.asarray(np.where(k % 2 == 1, -1j / k**2 * np.sin(np.pi * k / 2), 0) * (8 / np.pi**2), np.complex128)


def _sine(k: Curve) -> Spectrum:
    return np.where(k == 1, -1j, 0)


def _partials(*levels: float) -> Callable[[Curve], Spectrum]:
    return lambda k: -1j * np.pad(np.array(levels), (0, k.size))[: k.size]


def _steps(k: Curve) -> Spectrum:
    """Return the 32-step triangle of the 2A03 (15 … 0, 0 … 15), exactly, by the Fourier series of its steps."""
    steps = np.concatenate([np.arange(15, -1, -1), np.arange(16)]) / 7.5 - 1
    edges = np.arange(33) / 32
    turns = np.exp(-2j * np.pi * np.outer(k, edges))
    return np.asarray(((turns[:, :-1] - turns[:, 1:]) @ steps) / (1j * np.pi * k), np.complex128)


WAVES: Mapping[str, Callable[[Curve], Spectrum]] = {
    "saw": _saw,
    "square": _square,
    "triangle": _triangle,
    "sine": _sine,
    "steps": _steps,
    "organ": _partials(1, 0.8, 0.55, 0.6, 0, 0.3, 0, 0.35),
    "choir": _partials(1, 0.55, 0.42, 0.36, 0.16, 0.1, 0.07, 0.05, 0.05, 0.09, 0.11, 0.06, 0.03),
    "glass": _partials(1, 0, 0.32, 0, 0, 0.2, 0, 0, 0.12, 0, 0, 0, 0.06),
    "hollow": _partials(1, 0.12, 0.5, 0.08, 0.28, 0.05, 0.14, 0, 0.07),
    "reed": _partials(0.8, 1, 0.9, 0.6, 0.5, 0.42, 0.3, 0.22, 0.18, 0.12, 0.08),
}


@functools.lru_cache(maxsize=128)
def table(wave: str, harmonics: int) -> tuple[Mono, Mono]:
    """Return one period of the wave with this number of harmonics, and the step from each point to the next."""
    size = 1 << TABLE_BITS
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    spectrum[1 : harmonics + 1] = WAVES[wave](np.arange(1, harmonics + 1, dtype=np.float64))
    period = np.fft.irfft(spectrum, size) * (size / 2)
    steps = np.roll(period, -1) - period
    return period.astype(np.float32), (steps / (1 << _FRACTION_BITS)).astype(np.float32)


def harmonics_below(frequency: float) -> int:
    """Return the number of harmonics of a note at this frequency in Hz; at most a third of an octave is given away."""
    level = np.floor(np.log2(HIGHEST_HARMONIC / frequency) * _LEVELS_AN_OCTAVE) / _LEVELS_AN_OCTAVE
    return int(np.clip(2**level, 1, _MOST_HARMONICS))


def phases(frequency: float | Curve, samples: int, start: float) -> npt.NDArray[np.uint32]:
    """Return the phase in 2**-32 turns at each sample, (samples,), from ``start`` turns."""
    # Unsigned integers wrap around by themselves, and their precision does not fall with the length of a note.
    offset = np.uint32(int(start * 2**32) % 2**32)
    if isinstance(frequency, np.ndarray):
        turns = np.cumsum(frequency) * (2**32 / SAMPLE_RATE)
        # By way of signed integers, which processors convert to several times as fast as to unsigned ones.
        return turns.astype(np.int64).astype(np.uint32) + offset
    step = np.uint32(round(frequency * 2**32 / SAMPLE_RATE))
    return np.arange(samples, dtype=np.uint32) * step + offset


def oscillate(wave: str, frequency: float | Curve, samples: int, start: float = 0.0) -> Mono:
    """Return the wave at ``frequency`` Hz, constant or per sample, from ``start`` turns into its period, (samples,)."""
    return look_up(wave, float(np.max(frequency)), phases(frequency, samples, start))


def pulse(duty: float | Curve, frequency: float | Curve, samples: int, start: float = 0.0) -> Mono:
    """Return a pulse wave that is high for ``duty`` of its period, (samples,)."""
    highest = float(np.max(frequency))
    phase = phases(frequency, samples, start)
    shift = np.asarray(np.asarray(duty) * 2**32).astype(np.int64).astype(np.uint32)
    # The difference of two saws is a pulse, band-limited like them at any width.
    return look_up("saw", highest, phase + shift) - look_up("saw", highest, phase)


def look_up(wave: str, highest: float, phase: npt.NDArray[np.uint32]) -> Mono:
    """Return the wave at the phases by linear interpolation; ``highest`` Hz decides its number of harmonics."""
    period, steps = table(wave, harmonics_below(highest))
    index = (phase >> np.uint32(_FRACTION_BITS)).astype(np.intp)
    fraction = (phase & np.uint32((1 << _FRACTION_BITS) - 1)).astype(np.float32)
    fraction *= steps.take(index)
    fraction += period.take(index)
    return fraction


def hertz(pitch: float) -> float:
    """Return the frequency in Hz of a MIDI pitch."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))
