"""Musical quality: beside faults, whether a hook returns, the words' mood is heard, the end is one, the tone is usual.

It compares with figures of finished music and needs no trained judge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.analysis.analyse import Analysis, analyse
from tunesmith.audio.analysis.features import RATE, SLOW_HOP
from tunesmith.audio.analysis.level_stats import OCTAVES_HZ, LevelStats, levels_of
from tunesmith.audio.analysis.loop_seam import falling_score
from tunesmith.audio.analysis.metadata_rhythm import stated_rhythm
from tunesmith.audio.analysis.quality import UNKNOWN, Finding, Quality, QualityTargets, fault_findings
from tunesmith.audio.buffer import Audio

OCTAVE_NORMS_DB: tuple[tuple[float, float, float], ...] = (
    (-12.8, -5.2, -2.1), (-9.9, -6.4, -4.9), (-11.7, -7.7, -4.4), (-10.9, -7.8, -6.1),
    (-17.2, -14.8, -11.7), (-19.7, -17.8, -14.8), (-22.9, -20.2, -16.0), (-27.4, -24.4, -19.1),
)  # fmt: skip
"""The share of the power in each of OCTAVES_HZ, in dB: 10th, 50th and 90th percentile of finished background music.

Measured over 28 instrumental tracks by a neural generator, as benchmarks/sound_norms.yaml has them (``lev_63`` …).
"""

RETURN = 0.6
"""The correlation of a piece with itself some bars later that has full marks: between half and 9 of 10 of them."""
RETURN_BARS = (2, 4, 8)
FEWEST_FRAMES = 20

CALM_FLUX, LIVELY_FLUX = 0.055, 0.115
"""The mean onset strength of the calmest and of the liveliest of sixteen pieces for words of calm and of energy."""
MODE_VALENCE = 0.4
"""How much brighter than neutral a piece in major is taken to be, and how much darker one in minor."""

END_SECONDS = 0.05
LONGEST_SILENT_END = 1.5
SILENT_DB = -60.0

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MusicalTargets:
    """What words ask of music: ``mood`` as (valence, arousal), each −1 to 1, and the ``genre`` with its tempo range."""

    mood: tuple[float, float] | None = None
    genre: str = ""
    genre_tempo: tuple[float, float] | None = None


def measure_music(audio: Audio, wanted: QualityTargets, words: MusicalTargets = MusicalTargets()) -> Quality:
    """Measure a sound for faults and deviations from the request, and as music."""
    levels, analysis = levels_of(audio), analyse(audio)
    faults = fault_findings(audio, levels, analysis, wanted)
    return Quality((*faults, *_musical(audio, levels, analysis, wanted, words)))


def _musical(
    audio: Audio, levels: LevelStats, analysis: Analysis, wanted: QualityTargets, words: MusicalTargets
) -> Iterator[Finding]:
    yield _hook(audio, analysis)
    yield _tone(levels)
    if words.mood is not None:
        yield _mood(analysis, *words.mood)
    if words.genre_tempo is not None and wanted.tempo_bpm is None:
        yield _genre(analysis, words.genre, *words.genre_tempo)
    if not wanted.loop:
        yield _ending(audio)


def _hook(audio: Audio, analysis: Analysis) -> Finding:
    """Return how much of the piece comes back two, four or eight bars later, in pitch classes and in timbre."""
    stated, heard = stated_rhythm(audio), analysis.rhythm
    if stated is not None:
        bar = stated.beats_a_bar * 60 / stated.tempo_bpm
    elif heard is not None:
        bar = heard.beats_a_bar * 60 / heard.tempo_bpm
    else:
        return Finding("hook", UNKNOWN, "no bars to hear a hook in")
    chroma, bands = (np.asarray(rows, np.float64) for rows in (analysis.features.chroma, analysis.features.bands))
    found = []
    for bars in RETURN_BARS:
        lag = round(bars * bar * RATE / SLOW_HOP)
        if 1 <= lag < len(chroma) - FEWEST_FRAMES and lag <= len(chroma) / 2:
            found.append((_correlation(chroma, lag) + _correlation(bands, lag)) / 2)
    if not found:
        return Finding("hook", UNKNOWN, "too short for a hook to return")
    score = float(np.clip(max(found) / RETURN, 0, 1))
    said = "returns" if score > 0.75 else "is varied much" if score > 0.4 else "hardly returns"
    return Finding("hook", score, f"its hook {said} ({max(found):.2f})")


def _correlation(rows: Rows, lag: int) -> float:
    centred = rows - rows.mean(axis=0)
    early, late = centred[:-lag], centred[lag:]
    norm = math.sqrt(float(np.vdot(early, early)) * float(np.vdot(late, late)))
    return float(np.vdot(early, late)) / max(norm, 1e-12)


def _tone(levels: LevelStats) -> Finding:
    """Return how near the octaves lie to those of finished music: 1 at the median, half at the 10th percentile."""
    if not any(levels.octaves):
        return Finding("tone", 0.0, "no spectrum")
    scores, worst, most = [], "", 1.0
    for hertz, share, (low, usual, high) in zip(OCTAVES_HZ, levels.octaves, OCTAVE_NORMS_DB, strict=True):
        level = 10 * math.log10(max(share, 1e-9))
        spread = high - usual if level > usual else usual - low
        # The norms are skewed: what is far above the median is not as far below it.
        apart = (level - usual) / spread
        scores.append(1 / (1 + apart * apart))
        if abs(apart) > most:
            name = f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz"
            most, worst = abs(apart), f"{'much' if apart > 0 else 'little'} around {name}"
    return Finding("tone", sum(scores) / len(scores), worst or "a usual tone")


def _mood(analysis: Analysis, valence: float, arousal: float) -> Finding:
    """Return how near the heard mood is to the words': how much starts, and whether the key is major."""
    middle, reach = (LIVELY_FLUX + CALM_FLUX) / 2, (LIVELY_FLUX - CALM_FLUX) / 2
    onsets = analysis.features.onsets
    heard = float(np.clip((onsets.mean() - middle) / reach, -1, 1)) if onsets.size else -1.0
    apart = abs(heard - arousal)
    if analysis.key is not None:
        bright = MODE_VALENCE if analysis.key.name.endswith("major") else -MODE_VALENCE
        apart += abs(bright - valence) / 2
    said = "livelier" if heard > arousal else "calmer"
    reason = "the mood of the words" if apart < 0.8 else f"{said} than the words" if abs(heard - arousal) > 0.5 else (
        "brighter than the words" if valence < 0 else "darker than the words"
    )  # fmt: skip
    return Finding("mood", falling_score(apart, 0.0, 2.5), reason)


def _genre(analysis: Analysis, genre: str, lowest: float, highest: float) -> Finding:
    if analysis.rhythm is None:
        return Finding("genre", UNKNOWN, f"no clear beat ({genre} has {lowest:g} to {highest:g} bpm)")
    bpm = analysis.rhythm.tempo_bpm
    # Beat tracking may find half or double the tempo.
    apart = min(max(lowest / level, level / highest, 1.0) - 1 for level in (bpm, bpm / 2, bpm * 2))
    return Finding("genre", falling_score(apart, 0.02, 0.3), f"{bpm:.0f} bpm ({genre}: {lowest:g} to {highest:g})")


def _ending(audio: Audio) -> Finding:
    """Return whether the sound has died away at its end, without a long silence there."""
    window = max(1, round(END_SECONDS * audio.sample_rate))
    tail = audio.between(max(0, audio.num_samples - round(6 * audio.sample_rate)), audio.num_samples)
    count = tail.shape[1] // window
    if not count:
        return Finding("ending", UNKNOWN, "too short for an ending")
    squares = np.square(tail[:, -count * window :], dtype=np.float64)
    powers = squares.reshape(tail.shape[0], count, window).mean(axis=(0, 2))
    levels = 10 * np.log10(powers + 1e-12)
    sounding = np.flatnonzero(levels > SILENT_DB)
    if not sounding.size:
        return Finding("ending", 0.2, "a long silence at the end")
    silent = (count - 1 - int(sounding[-1])) * END_SECONDS
    if silent > LONGEST_SILENT_END:
        score = falling_score(silent, LONGEST_SILENT_END, 6.0)
        return Finding("ending", score, f"{silent:.1f} s of silence at the end")
    last = float(levels[-1] - levels.max())
    score = falling_score(last, -40.0, -3.0)
    return Finding("ending", score, "it ends" if score > 0.6 else "it is cut off")
