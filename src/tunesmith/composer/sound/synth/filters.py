"""Resonant filters whose cutoff moves: second-order sections in blocks, each starting from the last one's state.

Coefficients are Robert Bristow-Johnson's (Audio EQ Cookbook).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.waves import Curve
from tunesmith.composer.sound.voice import SAMPLE_RATE

Sections = npt.NDArray[np.float64]  # (sections, 6)

GRID = 128  # samples between looks at the cutoff
_STEPS_AN_OCTAVE = 16  # a step of a semitone or less is not heard as one
_LOWEST, _HIGHEST = 16.0, 0.45 * SAMPLE_RATE


@functools.lru_cache(maxsize=4_096)
def sections(kind: str, cutoff: float, resonance: float) -> Sections:
    """Return the second-order sections: ``low12``, ``low24``, ``high12`` or ``band`` at ``cutoff`` Hz.

    ``resonance`` is the Q. ``low24`` at Q .707 is 3 dB down at its cutoff (Butterworth), as the others are.
    """
    turn = 2 * np.pi * min(max(cutoff, _LOWEST), _HIGHEST) / SAMPLE_RATE
    if kind == "low24":
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
    """Filter (channels, samples) at a constant cutoff."""
    from scipy.signal import sosfilt

    filtered: Samples = sosfilt(sections(kind, cutoff, resonance), signal).astype(np.float32)
    return filtered


def moving_filter(signal: Samples, kind: str, octaves: Curve, resonance: float) -> Samples:
    """Filter (channels, samples) at a cutoff of ``2**octaves`` Hz, given for every GRID-th sample."""
    from scipy.signal import lfilter  # for short pieces its call costs a third of sosfilt's

    steps = np.round(octaves * _STEPS_AN_OCTAVE).astype(np.int64)
    starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
    ends = np.append(starts[1:] * GRID, signal.shape[1])
    filtered = np.empty(signal.shape, np.float32)
    state = None
    for start, end in zip(starts, ends, strict=True):
        now = sections(kind, 2.0 ** (steps[start] / _STEPS_AN_OCTAVE), resonance)
        if state is None:
            state = np.zeros((now.shape[0], signal.shape[0], 2))
        piece = signal[:, start * GRID : end]
        for number, section in enumerate(now):
            piece, state[number] = lfilter(section[:3], section[3:], piece, zi=state[number])
        filtered[:, start * GRID : end] = piece
    return filtered
