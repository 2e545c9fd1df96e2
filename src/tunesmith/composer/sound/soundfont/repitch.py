"""Repitching: a sample at the pitch of a note, with its loop unrolled, resampled without aliasing, and filtered.

Everything independent of the note's length happens here, so that it can be cached. For the same reason, lengths are
rounded up to LENGTHS, which also keeps a tone's samples independent of what was played before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import soxr

from tunesmith.audio.recursive_filters import sosfilt
from tunesmith.composer.instruments import Timbre
from tunesmith.composer.sound.lru_cache import Floats
from tunesmith.composer.sound.soundfont.filters import Sections, high_pass, low_pass, timbre_sections
from tunesmith.composer.sound.soundfont.soundfont import Sample, SoundFont
from tunesmith.composer.sound.voice import SAMPLE_RATE

OPEN_CUTOFF = 12_300
"""The cutoff in cents (10 kHz) from which on the filter is left out: banks hold little above it."""

CUTOFF_STEP = 600
INAUDIBLE_HZ, LARGEST_OFFSET = 16.0, 5e-4
LENGTHS = tuple(step * 2**octave / 4 for octave in range(12) for step in (1, 1.5))
SHORTEST_LOOP = 8
# Five octaves up or nearly seven down; a broken bank may ask for any rate.
LOWEST_RATE, HIGHEST_RATE = 400.0, 1_500_000.0
_MARGIN = 64


@dataclass(frozen=True, slots=True)
class Pitching:
    """The identity of a repitched waveform.

    ``cents`` is the shift, ``cutoff`` the low-pass in cents above 8.176 Hz with ``resonance_db``, ``first`` the first
    sample, ``loops`` whether it loops, and ``leaves_loop`` after how many seconds it leaves the loop, if it does.
    """

    sample: int
    cents: float
    cutoff: int
    resonance_db: float
    first: int
    loops: bool
    leaves_loop: float | None = None


def pitched(font: SoundFont, pitching: Pitching, timbre: Timbre, seconds: float) -> Floats:
    """Return the waveform, (samples,), at SAMPLE_RATE: at least ``seconds`` long, or as long as the recording."""
    length = next((length for length in LENGTHS if length >= seconds), seconds)
    return font.pitched.get((pitching, timbre, length), lambda: _render(font, pitching, timbre, length))


def quantised_cutoff(cutoff: float) -> int:
    """Return the cutoff rounded, so that similar velocities share a waveform."""
    return int(min(OPEN_CUTOFF, max(1500, round(cutoff / CUTOFF_STEP) * CUTOFF_STEP)))


def _render(font: SoundFont, pitching: Pitching, timbre: Timbre, seconds: float) -> Floats:
    # Loud and soft notes, and both ends of a filter's sweep, share the costly step.
    unfiltered = replace(pitching, cutoff=OPEN_CUTOFF, resonance_db=0.0)
    waveform = font.pitched.get((unfiltered, seconds), lambda: _resampled(font, pitching, seconds))
    sections: list[Sections] = []
    if pitching.cutoff < OPEN_CUTOFF:
        sections.append(low_pass(8.176 * 2 ** (pitching.cutoff / 1200), pitching.resonance_db))
    sections += timbre_sections(timbre)
    if not sections:
        return waveform
    return np.asarray(sosfilt(np.concatenate(sections).astype(np.float32), waveform), np.float32)


def _resampled(font: SoundFont, pitching: Pitching, seconds: float) -> Floats:
    """Return the waveform before its filters, centred on 0."""
    sample = font.sample(pitching.sample)
    rate = _rate(sample, pitching)
    needed = pitching.first + int(seconds * rate) + _MARGIN
    # Short notes decode only the beginning of a long recording.
    whole = pitching.leaves_loop is not None or (pitching.loops and needed >= sample.loop_end)
    recording = font.waveform(pitching.sample, -1 if whole else needed)
    source = _unrolled(recording, sample, pitching, needed)
    waveform = soxr.resample(source, rate, SAMPLE_RATE, quality="MQ") if abs(rate - SAMPLE_RATE) > 1e-6 else source
    # An offset becomes an audible thump when the envelope cuts it; most samples have none, and skip the filter. It is
    # that of what plays, because how much of the recording is decoded depends on the notes before.
    if abs(float(source.mean())) > LARGEST_OFFSET:
        waveform = sosfilt(high_pass(INAUDIBLE_HZ).astype(np.float32), waveform)
    return np.array(waveform, np.float32)


def _rate(sample: Sample, pitching: Pitching) -> float:
    """Return the rate, in samples per second, at which the recording is read."""
    return min(HIGHEST_RATE, max(LOWEST_RATE, sample.rate * math.pow(2, min(pitching.cents, 24_000) / 1200)))


def _unrolled(recording: Floats, sample: Sample, pitching: Pitching, needed: int) -> Floats:
    """Return ``needed`` samples, with the loop repeated if there is one."""
    first, start, end = pitching.first, sample.loop_start, min(sample.loop_end, len(recording))
    if not pitching.loops or end - start < SHORTEST_LOOP:
        return recording[max(0, min(first, len(recording) - 1)) : needed]
    if pitching.leaves_loop is not None:
        until = first + int(pitching.leaves_loop * _rate(sample, pitching))
        # After release, the recording continues from the place in the loop that was reached.
        around = until if until < end else start + (until - start) % (end - start)
        return np.concatenate([_looped(recording, start, end, until)[first:], recording[around:]])
    return _looped(recording, start, end, needed)[max(0, first) :]


def _looped(waveform: Floats, start: int, end: int, length: int) -> Floats:
    if length <= end:
        return waveform[:length]
    turns = -(-(length - end) // (end - start))
    return np.concatenate([waveform[:end], np.tile(waveform[start:end], turns)])[:length]
