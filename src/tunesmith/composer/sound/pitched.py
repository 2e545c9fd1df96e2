"""A sample at the pitch that a note wants: unrolled along its loop, resampled without aliasing, and filtered.

Everything that does not depend on how long the note lasts happens here, so that it can be remembered; lengths are
rounded up to LENGTHS for the same reason, which also keeps a tone's samples the same whatever was played before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from scipy.signal import sosfilt

from tunesmith.composer.instruments import Timbre
from tunesmith.composer.sound.byte_cache import Floats
from tunesmith.composer.sound.filters import Sections, high_pass, low_pass, timbre_sections
from tunesmith.composer.sound.soundfont import Sample, SoundFont
from tunesmith.composer.sound.voice import SAMPLE_RATE

OPEN_CUTOFF = 13_200
"""Cutoffs in cents from here on let everything through."""

CUTOFF_STEP = 300
INAUDIBLE_HZ = 16.0
LENGTHS = tuple(step * 2**octave / 4 for octave in range(12) for step in (1, 1.5))
_MARGIN = 64


@dataclass(frozen=True, slots=True)
class Pitching:
    """What identifies a pitched waveform: ``cents`` to shift by, low-pass ``cutoff`` (cents above 8.176 Hz) and
    ``resonance_db``, the first sample, whether it loops, and, if it leaves the loop, after how many seconds."""

    sample: int
    cents: float
    cutoff: int
    resonance_db: float
    first: int
    loops: bool
    leaves_loop: float | None = None


def pitched(font: SoundFont, pitching: Pitching, timbre: Timbre, seconds: float) -> Floats:
    """Return the waveform, (samples,), at SAMPLE_RATE: at least ``seconds`` long if it loops, else as long as it is."""
    length = next((length for length in LENGTHS if length >= seconds), seconds)
    if not pitching.loops:
        length = 0.0
    return font.pitched.get((pitching, timbre, length), lambda: _render(font, pitching, timbre, length))


def quantised_cutoff(cutoff: float) -> int:
    """Round a cutoff so that similar velocities share a waveform."""
    return int(min(OPEN_CUTOFF, max(1500, round(cutoff / CUTOFF_STEP) * CUTOFF_STEP)))


def _render(font: SoundFont, pitching: Pitching, timbre: Timbre, seconds: float) -> Floats:
    sample = font.sample(pitching.sample)
    rate = sample.rate * 2 ** (pitching.cents / 1200)
    source = _unrolled(sample, pitching, seconds, rate)
    waveform = soxr.resample(source, rate, SAMPLE_RATE, quality="HQ") if abs(rate - SAMPLE_RATE) > 1e-6 else source
    sections: list[Sections] = [high_pass(INAUDIBLE_HZ)]  # some recordings are not centred
    if pitching.cutoff < OPEN_CUTOFF:
        sections.append(low_pass(8.176 * 2 ** (pitching.cutoff / 1200), pitching.resonance_db))
    sections += timbre_sections(timbre)
    return np.asarray(sosfilt(np.concatenate(sections).astype(np.float32), waveform), np.float32)


def _unrolled(sample: Sample, pitching: Pitching, seconds: float, rate: float) -> Floats:
    """Repeat the loop until there is enough for ``seconds``."""
    waveform, start, end = sample.waveform, sample.loop_start, sample.loop_end
    first = min(max(0, pitching.first), max(0, len(waveform) - 1))
    if not pitching.loops or end - start < 8:
        return waveform[first:]
    if pitching.leaves_loop is not None:
        until = first + int(pitching.leaves_loop * rate)
        around = until if until < end else start + (until - start) % (end - start)
        return np.concatenate([_looped(waveform, start, end, until)[first:], waveform[around:]])
    return _looped(waveform, start, end, first + int(seconds * rate) + _MARGIN)[first:]


def _looped(waveform: Floats, start: int, end: int, length: int) -> Floats:
    if length <= end:
        return waveform[:length]
    turns = -(-(length - end) // (end - start))
    return np.concatenate([waveform[:end], np.tile(waveform[start:end], turns)])[:length]
