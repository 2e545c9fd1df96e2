"""Resonant filters with a moving cutoff: second-order sections in blocks that carry their state over.

The coefficients are Robert Bristow-Johnson's (Audio EQ Cookbook).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.audio.recursive_filters import sosfilt, sosfilt_on
from tunesmith.composer.sound.synth.waves import Curve
from tunesmith.composer.sound.voice import SAMPLE_RATE

# (sections, 6).
Sections = npt.NDArray[np.float64]

# Samples between updates of the cutoff.
GRID = 128
# A step of a semitone or less is not heard as one.
_STEPS_AN_OCTAVE = 12
_LOWEST, _HIGHEST = 16.0, 0.45 * SAMPLE_RATE


# Cached: cutoffs are quantised, so a sweep meets the same few sections again and again.
@functools.lru_cache(maxsize=4_096)
def sections(kind: str, cutoff: float, resonance: float) -> Sections:
    """Return the second-order sections: ``low12``, ``low24``, ``high12`` or ``band`` at ``cutoff`` Hz, (sections, 6).

    ``resonance`` is the Q. ``low24`` at Q 0.707 is 3 dB down at its cutoff (Butterworth), as the others are.
    """
    turn = 2 * np.pi * min(max(cutoff, _LOWEST), _HIGHEST) / SAMPLE_RATE
    if kind == "low24":
        # 0.541 and 1.307 are the Qs of a fourth-order Butterworth filter.
        return np.vstack([_section("low", turn, 0.541), _section("low", turn, 1.307 * resonance / 0.707)])
    return np.vstack([_section(kind.removesuffix("12"), turn, resonance)])


def _section(kind: str, turn: float, q: float) -> Sections:
    cosine, alpha = np.cos(turn), np.sin(turn) / (2 * q)
    numerator = {
        "low": ((1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2),
        "high": ((1 + cosine) / 2, -1 - cosine, (1 + cosine) / 2),
        "band": (alpha, 0.0, -alpha),
    }[kind]
    coefficients: Sections = np.array([*numerator, 1 + alpha, -2 * cosine, 1 - alpha]) / (1 + alpha)
    return coefficients


def static_filter(signal: Samples, kind: str, cutoff: float, resonance: float = 0.707) -> Samples:
    """Return (channels, samples) filtered at a constant cutoff in Hz."""
    filtered: Samples = sosfilt(sections(kind, cutoff, resonance), signal).astype(np.float32)
    return filtered


def moving_filter(signal: Samples, kind: str, octaves: Curve, resonance: float) -> Samples:
    """Return (channels, samples) filtered at a cutoff of ``2**octaves`` Hz, given for every GRID-th sample."""
    steps = np.round(octaves * _STEPS_AN_OCTAVE).astype(np.int64)
    # Only changes of the quantised cutoff start a block, so that a steady cutoff is one call.
    starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
    ends = np.append(starts[1:] * GRID, signal.shape[1])
    filtered = np.empty(signal.shape, np.float32)
    state = None
    for start, end in zip(starts, ends, strict=True):
        now = sections(kind, 2.0 ** (steps[start] / _STEPS_AN_OCTAVE), resonance)
        if state is None:
            state = np.zeros((now.shape[0], signal.shape[0], 2))
        filtered[:, start * GRID : end], state = sosfilt_on(now, signal[:, start * GRID : end], state)
    return filtered
