"""Splicing: stretches of a sound joined without an audible seam, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.audio.buffer import Audio
from tunesmith.audio.edit import fade_curve
from tunesmith.audio.retiming import retimed
from tunesmith.audio.spool import Samples, Spool
from tunesmith.audio.true_peak import highest_between

# Searched on both sides, a whole period of 42 Hz: the waveform of any higher note fits somewhere within it.
SEARCH_SECONDS = 0.012
GRAIN_SECONDS = 0.08
# Three periods of that lowest note, so that a single zero crossing does not decide.
COMPARED_SECONDS = 0.08
# The correlation from which on waves count as adding up in amplitude.
ALIKE = 0.5
# Copying in chunks keeps the memory bounded, however long the sound is.
CHUNK = 1 << 18
# -1 dBTP as an amplitude.
CEILING = 10 ** (-1 / 20)
# Four-fold oversampling still misses the very top of a peak, hence the margin.
LIMITER_SAMPLES, OVERSAMPLING, MARGIN = 256, 4, 0.99


@dataclass(frozen=True, slots=True)
class Stretch:
    """A range of a sound, from sample ``first`` up to ``last``."""

    first: int
    last: int


def splice(audio: Audio, stretches: Sequence[Stretch], overlap: int) -> Audio:
    """Join stretches of a sound, with a crossfade of ``overlap`` samples centred on each joint."""
    half = overlap // 2
    spool = Spool(audio.channels)
    for number, stretch in enumerate(stretches):
        first = stretch.first if number == 0 else stretch.first + half
        is_last = number == len(stretches) - 1
        copy_stretch(audio, spool, Stretch(first, stretch.last if is_last else stretch.last - half))
        if not is_last:
            arriving = stretches[number + 1].first
            spool.append(crossfaded(_around(audio, stretch.last, half), _around(audio, arriving, half)))
    metadata = retimed(audio, [(one.first, one.last) for one in stretches], half)
    return audio.with_samples(spool, metadata=metadata)


def crossfaded(leaving: Samples, arriving: Samples) -> Samples:
    """Return the crossfade of two blocks of the same shape, (channels, n).

    Its true peak is at most -1 dBTP, or that of the louder input if that is higher.
    """
    # Correlated waves add up in amplitude, uncorrelated ones in power: the level must hold through the fade.
    rise = fade_curve(leaving.shape[1], "smooth" if similarity(leaving, arriving) > ALIKE else "equal_power")
    mixed = np.asarray(leaving * rise[::-1] + arriving * rise, np.float32)
    ceiling = max(CEILING, _peak(leaving), _peak(arriving))
    return mixed if _peak(mixed) <= ceiling else _limited(mixed, ceiling)


def _limited(samples: Samples, ceiling: float) -> Samples:
    """Reduce the gain smoothly around the peaks, and not at all at both ends."""
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import resample_poly

    around = max(1, min(LIMITER_SAMPLES, samples.shape[1] // 8))
    finer = np.abs(resample_poly(samples, OVERSAMPLING, 1, axis=1)).max(axis=0)
    peaks = finer.reshape(-1, OVERSAMPLING).max(axis=1)
    needed = np.minimum(1.0, ceiling * MARGIN / np.maximum(peaks, ceiling * MARGIN))
    # Hold the minimum longer than the smoothing reaches, so that the smoothed gain is low enough at the peak.
    held = minimum_filter1d(needed, 4 * around + 1)
    window = np.hanning(2 * around + 1)
    gain = np.convolve(np.pad(held, around, mode="edge"), window / window.sum(), "valid")
    # The neighbours on both sides are not limited: a gain at the ends would make a step.
    ends = np.minimum(1.0, np.minimum(np.arange(gain.size), np.arange(gain.size)[::-1]) / around)
    return np.asarray(samples * (1 - (1 - gain) * ends), np.float32)


def _peak(samples: Samples) -> float:
    """Return the true peak, linear; points whose interpolation needs samples outside the block do not count."""
    between = (highest_between(np.ascontiguousarray(channel, np.float32)) for channel in samples)
    return max(float(np.abs(samples).max(initial=0.0)), *between)


def aligned(audio: Audio, leaving: int, arriving: int) -> int:
    """Return ``arriving``, moved by at most 12 ms to where the waveform best continues that at ``leaving``.

    All positions are in samples.
    """
    reach, size = round(SEARCH_SECONDS * audio.sample_rate), round(COMPARED_SECONDS * audio.sample_rate)
    wave = audio.between(leaving - size // 2, leaving + size - size // 2).mean(axis=0)
    field = audio.between(arriving - size // 2 - reach, arriving + size - size // 2 + reach).mean(axis=0)
    if not wave.any() or not field.any():
        return arriving
    fits = np.correlate(field, wave, "valid")
    # Normalise the cross-correlation, which would otherwise prefer loud places to similar ones.
    power = np.convolve(field**2, np.ones(size, np.float32), "valid")
    return arriving + int(np.argmax(fits / np.sqrt(np.maximum(power, 1e-9)))) - reach


def stretched(audio: Audio, stretch: Stretch, length: int) -> Samples:
    """Time-stretch a stretch to ``length`` samples at the same pitch, (channels, length).

    Overlap-add of grains, each aligned to continue the waveform of the one before (WSOLA, Verhelst and Roelands 1993).
    The first grain begins before the stretch.
    """
    hop = round(GRAIN_SECONDS * audio.sample_rate / 2)
    # Raised cosines that overlap by half sum to one, so the level stays constant.
    window = 0.5 + 0.5 * np.cos(np.pi * np.arange(-hop, hop) / hop)
    out = np.zeros((audio.channels, length + 3 * hop), np.float32)
    speed, at = (stretch.last - stretch.first) / length, stretch.first
    for number in range(-(-length // hop) + 1):
        if number:
            at = aligned(audio, at + hop, stretch.first + round(number * hop * speed))
        out[:, number * hop : (number + 2) * hop] += audio.between(at - hop, at + hop) * window.astype(np.float32)
    return np.ascontiguousarray(out[:, hop : hop + length])


def similarity(one: Samples, other: Samples) -> float:
    """Return the correlation of two blocks of the same shape, −1 to 1; 0 if one of them is silent."""
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else 0.0


def copy_stretch(audio: Audio, spool: Spool, stretch: Stretch) -> None:
    """Append a stretch to a spool, in chunks."""
    for start in range(stretch.first, stretch.last, CHUNK):
        spool.append(audio.between(start, min(stretch.last, start + CHUNK)))


def _around(audio: Audio, at: int, half: int) -> Samples:
    return audio.between(at - half, at + half)
