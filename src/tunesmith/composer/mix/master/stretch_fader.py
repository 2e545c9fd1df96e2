"""The fader behind the master: stretches of the piece that are meant to be louder or softer than the rest.

The compressor and the limiter would even them out, so what lies outside a louder stretch is faded after both.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tunesmith.balance import LevelChange, parse_stretch
from tunesmith.composer.mix.control_rate import CONTROL, Curve
from tunesmith.composer.score import Score

RAMP_SECONDS = 0.08
"""How long a change of the level takes, around the bar line."""

Times = npt.NDArray[np.float64]


def stretch_fader(score: Score, sample_rate: int, frames: int) -> Curve | None:
    """Return the gain at every frame border, (frames + 1,), at most 1; None where no stretch differs."""
    if not score.mix.levels:
        return None
    times = np.arange(frames + 1, dtype=np.float64) * np.float64(CONTROL / sample_rate)
    level_db = np.zeros(frames + 1)
    for text in score.mix.levels:
        level = parse_stretch(text)
        level_db += level.gain_db * _inside(score, level, times)
    return np.asarray(10 ** ((level_db - level_db.max()) / 20), np.float32)


def _inside(score: Score, level: LevelChange, times: Times) -> Times:
    """Return how far inside a stretch each time is, 0 to 1; a stretch begins and ends at the nearest bar."""
    bars, beats = score.bars, score.meter.beats_per_bar
    first, last = (round(bars * share / 100) for share in (level.start, level.end))
    start, end = (score.tempo_map.seconds_at(bar * beats) for bar in (first, last))
    if score.loop:
        # What rings over the end of a loop is heard at its start.
        rounds = (times - score.duration, times, times + score.duration)
        return np.minimum(1, sum(_window(one, start, end) for one in rounds))
    # Nothing changes where the piece begins, or in what rings after its last bar.
    return _window(times, start if first else -1.0, end if last < bars else score.duration + 1)


def _window(times: Times, start: float, end: float) -> Times:
    rising = np.clip((times - start) / RAMP_SECONDS + 0.5, 0, 1)
    return rising * np.clip((end - times) / RAMP_SECONDS + 0.5, 0, 1)
