"""Made-up players and scores: cheap voices with real envelopes, and a full band that plays in time."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from lazy_modules import LazyModule

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import instrument
from tunesmith.composer.mix import MixOptions, Session
from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import Ambience, MixSettings, Note, Part, Score, Section, TempoMap
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone
from tunesmith.composer.theory import Key, Meter
from tunesmith.generator import never_cancelled, no_progress

if TYPE_CHECKING:
    from scipy import signal
else:
    signal = LazyModule("scipy.signal")


@dataclass(frozen=True)
class FakeVoice:
    """A decaying tone with falling harmonics, or a drum; hats choke each other."""

    kit: bool

    def choke_group(self, pitch: int) -> int:
        return 1 if self.kit and pitch in (42, 44, 46) else 0

    def sound(self, tone: Tone) -> Samples:
        return _drum(tone.pitch, tone.velocity) if self.kit else _tone(tone)


@functools.lru_cache(maxsize=16)
def _wave(harmonics: int) -> npt.NDArray[np.float64]:
    turn = np.arange(4096) / 4096
    return np.asarray(sum(np.sin(2 * np.pi * n * turn) / n**1.3 for n in range(1, harmonics + 1)), np.float64)


@functools.lru_cache(maxsize=512)
def _tone(tone: Tone) -> Samples:
    length = round((tone.seconds + 0.25) * SAMPLE_RATE)
    seconds = np.arange(length) / SAMPLE_RATE
    hertz = 440 * 2 ** ((tone.pitch - 69) / 12)
    table = _wave(max(1, min(12, int(16_000 / hertz))))
    turns = hertz * np.array([[0.9985], [1.0015]]) * seconds
    wave = table[(turns * len(table)).astype(np.int64) % len(table)]
    wave *= np.exp(-seconds * 1.2) * np.minimum(1, seconds / 0.004)
    wave *= np.clip((length - np.arange(length)) / (0.25 * SAMPLE_RATE), 0, 1) ** 2
    return np.asarray(wave * (tone.velocity / 127) ** 1.5 * 0.5, np.float32)


@functools.lru_cache(maxsize=512)
def _drum(pitch: int, velocity: int) -> Samples:
    seconds = np.arange(round(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = rng_for(pitch, "drum").standard_normal((2, len(seconds)))
    if pitch in (35, 36):
        sweep = 50 * seconds + 4 * (1 - np.exp(-seconds * 40))
        wave = np.tile(np.sin(2 * np.pi * sweep) * np.exp(-seconds * 12), (2, 1))
    elif pitch in (38, 40):
        wave = 0.5 * noise * np.exp(-seconds * 18) + 0.5 * np.sin(2 * np.pi * 190 * seconds) * np.exp(-seconds * 25)
    else:
        decay = 8 if pitch == 46 else 45
        high = signal.butter(2, 6000, "high", fs=SAMPLE_RATE, output="sos")
        wave = 0.4 * signal.sosfilt(high, noise) * np.exp(-seconds * decay)
    return np.asarray(wave * (velocity / 127) ** 1.5, np.float32)


def fake_voices(name: str) -> FakeVoice:
    return FakeVoice(instrument(name).is_kit)


def fake_texture(name: str, seconds: float, random: np.random.Generator) -> Samples:
    del name
    return np.asarray(random.standard_normal((2, round(seconds * SAMPLE_RATE))) * 0.1, np.float32)


def session(**options: object) -> Session:
    return Session(fake_voices, fake_texture, MixOptions(**options), no_progress, never_cancelled)  # type: ignore[arg-type]


def full_band(
    duration: float = 30.0,
    *,
    loop: bool = False,
    seed: int = 1,
    bpm: float = 100.0,
    mix: MixSettings | None = None,
    ambience: tuple[Ambience, ...] = (),
) -> Score:
    """Eight players over four chords, as long as asked."""
    beats = duration * bpm / 60
    bars = max(1, math.ceil(beats / 4))
    parts = (
        Part("drums", "drums", "standard_kit", _drums(beats), 0, 0, 0.2),
        Part("bass", "bass", "finger_bass", _line(beats, 2, (36, 33, 41, 43), 0.9), 0, 0, 0.1),
        Part("chords", "chords", "electric_piano", _chords(beats, 60, 2), 0, -0.2, 0.0),
        Part("guitar", "chords", "acoustic_guitar", _chords(beats, 64, 1), -3, 0.45, 0.5),
        Part("pad", "pad", "warm_pad", _chords(beats, 55, 4), 0, 0, 0.4),
        Part("melody", "melody", "flute", _line(beats, 1, (76, 79, 81, 74, 72), 0.8), 0, 0.1, 0.3),
        Part("arpeggio", "arpeggio", "synth_pluck", _line(beats, 0.5, (72, 76, 79, 84), 0.5), -3, -0.4, 0.7),
        Part("shaker", "percussion", "latin_percussion", _line(beats, 0.5, (82,), 0.2), -4, 0.3, 0.6),
    )
    half = bars // 2
    sections = (Section("A", 0, max(1, half), 0.35), Section("B", max(1, half), max(1, bars - half), 0.8))
    return Score(
        "test", "test", "test", seed, Key(0, "major"), Meter(), TempoMap(((0, bpm),)), duration, loop, "track",
        sections, (), tuple(part for part in parts if part.notes), ambience, mix or MixSettings(),
    )  # fmt: skip


def _drums(beats: float) -> tuple[Note, ...]:
    notes = []
    for step in range(int(beats * 4)):
        beat, within = step / 4, step % 16
        if within in (0, 7, 10):
            notes.append(Note(beat, 0.25, 36, 110))
        if within in (4, 12):
            notes.append(Note(beat, 0.25, 38, 105))
        if within % 2 == 0:
            notes.append(Note(beat, 0.25, 46 if within == 14 else 42, 60 + 20 * (within % 4 == 0)))
    return tuple(notes)


def _line(beats: float, step: float, pitches: tuple[int, ...], length: float) -> tuple[Note, ...]:
    count = math.ceil(beats / step)
    return tuple(Note(i * step, length * step, pitches[i % len(pitches)], 80 + 7 * (i % 3)) for i in range(count))


def _chords(beats: float, root: int, step: float) -> tuple[Note, ...]:
    shifts = (0, -3, 5, 7)
    count = math.ceil(beats / step)
    return tuple(
        Note(i * step, step * 0.95, root + shifts[int(i * step / 4) % 4] + tone, 75)
        for i in range(count)
        for tone in (0, 4, 7)
    )
