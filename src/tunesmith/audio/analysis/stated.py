"""The rhythm that a sound's own metadata states: its tempo and meter need no guess, only where its bars begin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.audio.analysis.features import Features
from tunesmith.audio.analysis.rhythm import FRAMES_A_SECOND, Frames, Rhythm, accents_of
from tunesmith.audio.buffer import Audio

WHOLE_SECONDS = 0.005
LEAST_BEATS = 4
_METER = re.compile(r"(\d{1,2})/(\d{1,2})")


@dataclass(frozen=True, slots=True)
class StatedRhythm:
    """Tempo and beats a bar; ``is_whole`` where the sound is as it was made, and so begins with a bar."""

    tempo_bpm: float
    beats_a_bar: int
    is_whole: bool


def stated_rhythm(audio: Audio) -> StatedRhythm | None:
    """Return what a sound's metadata says of its rhythm; None where it says nothing, or the tempo changes."""
    settings, request = audio.metadata.get("settings"), audio.metadata.get("request")
    if not isinstance(settings, Mapping) or not isinstance(request, Mapping) or request.get("hits"):
        return None
    tempo, meter = settings.get("tempo_bpm"), _METER.fullmatch(str(settings.get("meter")))
    if meter is None or not isinstance(tempo, int | float) or not 10 <= tempo <= 400:
        return None
    count, unit = int(meter[1]), int(meter[2])
    beats = count // 3 if unit >= 8 and count % 3 == 0 and count > 3 else count
    return StatedRhythm(float(tempo), max(1, beats), _is_as_long(settings, audio))


def rhythm_as_stated(features: Features, stated: StatedRhythm) -> Rhythm | None:
    """Return the beats at the stated tempo; None where the sound does not show them."""
    period = 60 / stated.tempo_bpm * FRAMES_A_SECOND
    pulse = _pulse(features)
    first = 0 if stated.is_whole else _phase(pulse, period)
    frames = _grid(first, period, pulse.size)
    if frames.size < LEAST_BEATS or pulse[frames].mean() <= pulse.mean():
        return None
    times = (first + period * np.arange(frames.size)) / FRAMES_A_SECOND
    beats = tuple(round(float(time), 5) for time in times)
    bar = stated.beats_a_bar
    downbeat = 0 if stated.is_whole else _downbeat(features, frames, bar)
    return Rhythm(round(stated.tempo_bpm, 2), bar, beats, beats[downbeat::bar], is_steady=True)


def _is_as_long(settings: Mapping[str, Any], audio: Audio) -> bool:
    duration = settings.get("duration")
    return isinstance(duration, int | float) and abs(duration - audio.duration) < WHOLE_SECONDS


def _pulse(features: Features) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return how much begins, in all and in the bass, within three frames of each frame."""
    both = features.onsets / (features.onsets.std() or 1) + features.low_onsets / (features.low_onsets.std() or 1)
    return np.asarray(np.convolve(both, (0.25, 0.5, 1.0, 0.5, 0.25), "same"), np.float32)


def _phase(pulse: np.ndarray[tuple[int], np.dtype[np.float32]], period: float) -> int:
    return max(range(max(1, round(period))), key=lambda first: float(pulse[_grid(first, period, pulse.size)].mean()))


def _grid(first: int, period: float, size: int) -> Frames:
    count = max(0, int(np.ceil((size - first - 0.5) / period)))
    return np.asarray(np.round(first + period * np.arange(count)).astype(np.int64))


def _downbeat(features: Features, frames: Frames, beats_a_bar: int) -> int:
    accents = accents_of(features, frames)
    return max(range(min(beats_a_bar, accents.size)), key=lambda phase: float(accents[phase::beats_a_bar].mean()))
