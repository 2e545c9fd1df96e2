"""An echo in time with the music: each repeat softer and darker, from side to side, as on most electronic records."""

from __future__ import annotations

import functools

import numpy as np

from tunesmith.audio.fourier import rfft
from tunesmith.composer.mix.eq_response import Response
from tunesmith.composer.score import Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

FEEDBACK = 0.5
LONGEST_SECONDS = 1.8
"""The last repeat comes within the overlap of the mixer's blocks."""

BEATS = (0.75, 0.5, 0.375, 0.25)
LONGEST_DELAY = 0.6
"""The delay is the longest of these shares of a beat that lasts no longer than this, in seconds."""

SEND = 0.8
"""The first repeat relative to the hall's level: dry genres have hardly any echo."""

DARKER = np.hanning(9)[1:-1] / np.hanning(9)[1:-1].sum()
"""The filter of one repeat, 6 dB down at 7 kHz."""


def echo_delay(score: Score) -> int:
    """Return the delay of the echo in samples."""
    beat = 60 / score.tempo_map.changes[0][1] * score.meter.felt_beat
    return round(next((beat * share for share in BEATS if beat * share <= LONGEST_DELAY), LONGEST_DELAY) * SAMPLE_RATE)


# As many as one piece has.
@functools.lru_cache(maxsize=1)
def echo_response(delay: int, size: int) -> Response:
    """Return the response of all repeats, the first at full level, (2, size // 2 + 1)."""
    repeats = min(6, int(LONGEST_SECONDS * SAMPLE_RATE / delay))
    taps = np.zeros((2, repeats * delay + len(DARKER) * repeats + 1), np.float32)
    repeat = np.ones(1)
    for number in range(1, repeats + 1):
        repeat = np.convolve(repeat, DARKER)
        # The filter's middle, not its beginning, is in time.
        at = number * delay - len(repeat) // 2
        # Left and right in turn, each faintly on the other side too: in mono nothing is lost.
        for side, gain in enumerate((1.0, 0.35) if number % 2 else (0.35, 1.0)):
            taps[side, at : at + len(repeat)] += repeat * (gain * FEEDBACK ** (number - 1))
    return np.asarray(rfft(taps, size), np.complex64)
