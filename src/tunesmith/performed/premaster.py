"""From a performance to the pre-master: at the composer's rate and level, with the composer's own stems over it."""

from __future__ import annotations

import numpy as np

from tunesmith.audio import Audio, Spool
from tunesmith.audio.buffer import BLOCK
from tunesmith.audio.edit import with_channels
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.resample import resample
from tunesmith.composed.loop_wrap import without_wrap
from tunesmith.composer.mix.mix_buffer import faded
from tunesmith.composer.sound.voice import SAMPLE_RATE

MOST_GAIN_DB = 24.0
"""A performance that needs more is next to nothing, and its hiss would be heard."""


def at_composers_rate(performance: Audio, num_samples: int, wrap: float) -> Audio:
    """Return a performance as (2, num_samples) at 44.1 kHz, cut out of the wrap-around that it has in seconds."""
    at_rate = resample(with_channels(performance, 2), SAMPLE_RATE)
    if not wrap:
        return at_rate
    # Silence makes up for a sample that the conversion loses, behind the end of the loop.
    whole = at_rate.with_samples(at_rate.between(0, num_samples + 2 * round(wrap * SAMPLE_RATE)))
    return without_wrap(whole, wrap)


def gain_to_match(performance: Audio, stems: Spool) -> float:
    """Return the gain in dB that brings a performance to the loudness of the stems that it takes the place of.

    At most MOST_GAIN_DB; silence has no level to change: 0.
    """
    gain = loudness_of(Audio(stems, SAMPLE_RATE)) - loudness_of(performance)
    return min(MOST_GAIN_DB, float(gain)) if np.isfinite(gain) else 0.0


def laid_over(performance: Audio, kept: Spool, num_samples: int, gain_db: float, *, loop: bool) -> Spool:
    """Return the sum of a performance, with a gain, and the composer's own stems, (2, num_samples), unscaled.

    Both are at 44.1 kHz. A performance that does not loop ends with the fade of the composer's stems.
    """
    stems, total, factor = Audio(kept, SAMPLE_RATE), Spool(2), np.float32(10 ** (gain_db / 20))
    for start in range(0, num_samples, BLOCK):
        stop = min(num_samples, start + BLOCK)
        played = performance.between(start, stop) * factor
        total.append(stems.between(start, stop) + (played if loop else faded(played, start, num_samples)))
    return total
