"""Loop seam: how audible the transition from the end of a loop to its start is, relative to the rest of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Audio
from tunesmith.audio.spool import Samples

FRAME = 1024
NEAR_SECONDS = 0.5
TYPICAL = 95
LEAST_STEP = 0.002
# A power of -60 dB: silence has no level in dB.
QUIETEST = 1e-6
UNNOTICED = 0.9
"""The score above which a seam is not noticed."""


@dataclass(frozen=True, slots=True)
class Seam:
    """The seam of a loop, relative to its surroundings; about 1 or less is seamless.

    ``step`` is the jump from the last sample to the first, ``change`` the spectral change from the last frame to the
    first; ``apart_db`` is the difference between the levels at end and start in dB.
    """

    step: float
    change: float
    apart_db: float

    @property
    def score(self) -> float:
        """How well the seam passes unnoticed, from 0 to 1."""
        return min(
            falling_score(self.step, 2.5, 8.0), falling_score(self.change, 1.3, 3.0),
            falling_score(self.apart_db, 15.0, 35.0),
        )  # fmt: skip

    @property
    def is_audible(self) -> bool:
        """Whether the seam is noticed."""
        return self.score <= UNNOTICED


def falling_score(value: float, good: float, bad: float) -> float:
    """Return 1 up to ``good``, 0 from ``bad`` on (which may be the lower), and interpolate linearly between."""
    return float(np.clip((bad - value) / (bad - good), 0, 1))


def seam_of(audio: Audio) -> Seam:
    """Measure the seam of a sound that plays as a loop."""
    near = max(4 * FRAME, round(NEAR_SECONDS * audio.sample_rate))
    end = audio.between(max(0, audio.num_samples - near), audio.num_samples)
    start = audio.between(0, min(near, audio.num_samples))
    return Seam(_step(end, start), _change(end, start), abs(_decibels(end) - _decibels(start)))


def _step(end: Samples, start: Samples) -> float:
    """Return the jump over the seam relative to the biggest steps around it."""
    steps = np.abs(np.concatenate([np.diff(end, axis=1), np.diff(start, axis=1)], axis=1))
    # A percentile, since the maximum could be a single click.
    usual = max(LEAST_STEP, float(np.percentile(steps, 99.5)) if steps.size else 0.0)
    return float(np.abs(start[:, 0] - end[:, -1]).max()) / usual if start.size else 0.0


def _change(end: Samples, start: Samples) -> float:
    """Return the spectral change over the seam relative to the biggest changes around it."""
    # Reversed in time, so that the last frame ends exactly at the seam; magnitudes do not change.
    before, after = _spectra(end.mean(axis=0)[::-1])[::-1], _spectra(start.mean(axis=0))
    if len(before) < 2 or len(after) < 2:
        return 0.0
    usual = np.concatenate([_distances(before), _distances(after)])
    over = float(_distances(np.stack([before[-1], after[0]]))[0])
    # The floor keeps a nearly constant sound from magnifying tiny changes.
    return over / max(0.05, float(np.percentile(usual, TYPICAL)))


def _spectra(mono: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    frames = mono[: mono.size // FRAME * FRAME].reshape(-1, FRAME)
    return np.log1p(100 * np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) / FRAME)


def _distances(spectra: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.abs(np.diff(spectra, axis=0)).mean(axis=1), np.float64)


def _decibels(samples: Samples) -> float:
    return 10 * math.log10(max(QUIETEST, float(np.square(samples, dtype=np.float64).mean()) if samples.size else 0.0))
