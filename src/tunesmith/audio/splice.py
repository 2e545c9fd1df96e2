"""Splicing: stretches of a sound joined so that the joint is not heard, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.audio.buffer import Audio
from tunesmith.audio.edit import fade_curve
from tunesmith.audio.spool import Samples, Spool

SEARCH_SECONDS = 0.012
COMPARED_SECONDS = 0.08
ALIKE = 0.5
CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Stretch:
    """The samples of a sound from ``first`` up to ``last``."""

    first: int
    last: int


def spliced(audio: Audio, stretches: Sequence[Stretch], overlap: int) -> Audio:
    """Join stretches; at each joint ``overlap`` samples around it fade from the one into the other."""
    half = overlap // 2
    spool = Spool(audio.channels)
    for number, stretch in enumerate(stretches):
        first = stretch.first if number == 0 else stretch.first + half
        is_last = number == len(stretches) - 1
        copy_stretch(audio, spool, Stretch(first, stretch.last if is_last else stretch.last - half))
        if not is_last:
            arriving = stretches[number + 1].first
            spool.append(crossfaded(_around(audio, stretch.last, half), _around(audio, arriving, half)))
    return audio.with_samples(spool)


def crossfaded(leaving: Samples, arriving: Samples) -> Samples:
    """Fade from one into the other: by amplitude where they are alike, by power where they are not."""
    rise = fade_curve(leaving.shape[1], "smooth" if likeness(leaving, arriving) > ALIKE else "equal_power")
    return np.asarray(leaving * rise[::-1] + arriving * rise, np.float32)


def aligned(audio: Audio, leaving: int, arriving: int) -> int:
    """Return ``arriving``, moved by a few milliseconds to where the wave goes on as it would have at ``leaving``."""
    reach, size = round(SEARCH_SECONDS * audio.sample_rate), round(COMPARED_SECONDS * audio.sample_rate)
    wave = audio.between(leaving - size // 2, leaving + size - size // 2).mean(axis=0)
    field = audio.between(arriving - size // 2 - reach, arriving + size - size // 2 + reach).mean(axis=0)
    if not wave.any() or not field.any():
        return arriving
    fits = np.correlate(field, wave, "valid")
    power = np.convolve(field**2, np.ones(size, np.float32), "valid")
    return arriving + int(np.argmax(fits / np.sqrt(np.maximum(power, 1e-9)))) - reach


def likeness(one: Samples, other: Samples) -> float:
    """Return how two equally long waves correlate, −1 to 1."""
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else 0.0


def copy_stretch(audio: Audio, spool: Spool, stretch: Stretch) -> None:
    """Append a stretch to a spool, piece by piece."""
    for start in range(stretch.first, stretch.last, CHUNK):
        spool.append(audio.between(start, min(stretch.last, start + CHUNK)))


def _around(audio: Audio, at: int, half: int) -> Samples:
    return audio.between(at - half, at + half)
