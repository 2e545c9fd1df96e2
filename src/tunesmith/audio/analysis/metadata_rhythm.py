"""Rhythm from metadata: tempo and meter are known, only the position of the bars must be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.audio.analysis.features import Features
from tunesmith.audio.analysis.key import KeyEstimate
from tunesmith.audio.analysis.rhythm import FRAMES_A_SECOND, STEADY_SECONDS, Frames, Rhythm, accents_of
from tunesmith.audio.buffer import Audio
from tunesmith.audio.timeline import Timeline, beats_of_meter

WHOLE_SECONDS = 0.005
LEAST_BEATS = 4


@dataclass(frozen=True, slots=True)
class StatedRhythm:
    """A stated tempo and meter; ``is_whole`` if the sound is uncut and so begins with a bar."""

    tempo_bpm: float
    beats_a_bar: int
    is_whole: bool


def stated_rhythm(audio: Audio) -> StatedRhythm | None:
    """Return the rhythm that the metadata states; None if it states none or the tempo may change."""
    settings, request = audio.metadata.get("settings"), audio.metadata.get("request")
    # Hits bend the tempo, so the stated one does not hold throughout.
    if not isinstance(settings, Mapping) or not isinstance(request, Mapping) or request.get("hits"):
        return None
    tempo, beats = settings.get("tempo_bpm"), beats_of_meter(str(settings.get("meter")))
    if beats is None or not isinstance(tempo, int | float) or not 10 <= tempo <= 400:
        return None
    return StatedRhythm(float(tempo), beats, _is_as_long(settings, audio))


def rhythm_as_stated(features: Features, stated: StatedRhythm) -> Rhythm | None:
    """Return the rhythm at the stated tempo; None if the onsets do not support it."""
    period = 60 / stated.tempo_bpm * FRAMES_A_SECOND
    pulse = _pulse(features)
    first = 0 if stated.is_whole else _phase(pulse, period)
    frames = _grid(first, period, pulse.size)
    # Beats no stronger than the average frame mean that the grid does not fit the sound.
    if frames.size < LEAST_BEATS or pulse[frames].mean() <= pulse.mean():
        return None
    times = (first + period * np.arange(frames.size)) / FRAMES_A_SECOND
    beats = tuple(round(float(time), 5) for time in times)
    bar = stated.beats_a_bar
    downbeat = 0 if stated.is_whole else _downbeat(features, frames, bar)
    return Rhythm(round(stated.tempo_bpm, 2), bar, beats, beats[downbeat::bar], is_steady=True)


def rhythm_of_timeline(features: Features, timeline: Timeline | None) -> Rhythm | None:
    """Return the rhythm of a timeline; None without one, with too few beats, or for silence."""
    beats = () if timeline is None or not features.onsets.any() else tuple(timeline.beats())
    if timeline is None or len(beats) < LEAST_BEATS:
        return None
    times = tuple(round(at, 5) for at, _ in beats)
    downbeats = tuple(time for time, (_, is_first) in zip(times, beats, strict=True) if is_first)
    period = float(np.median(np.diff(times)))
    is_steady = bool(np.abs(np.diff(times) - period).max() < STEADY_SECONDS)
    spans: dict[float, float] = {}
    for tempo, end in zip(timeline.tempos, [*(one.at for one in timeline.tempos[1:]), timeline.duration], strict=True):
        spans[tempo.tempo_bpm] = spans.get(tempo.tempo_bpm, 0.0) + end - tempo.at
    # The tempo that lasts longest in total stands for the piece.
    main = max(spans, key=lambda tempo_bpm: spans[tempo_bpm])
    return Rhythm(round(main, 2), timeline.beats_a_bar, times, downbeats, is_steady)


def stated_key(audio: Audio) -> KeyEstimate | None:
    """Return the key that the metadata of a generated piece states; None if there is none."""
    settings, model = audio.metadata.get("settings"), audio.metadata.get("model")
    key = settings.get("key") if isinstance(settings, Mapping) and model else None
    return KeyEstimate(key, 1.0) if isinstance(key, str) and key else None


def _is_as_long(settings: Mapping[str, Any], audio: Audio) -> bool:
    duration = settings.get("duration")
    return isinstance(duration, int | float) and abs(duration - audio.duration) < WHOLE_SECONDS


def _pulse(features: Features) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return the onset strength around each frame, of all bands and of the bass, (frames,)."""
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
