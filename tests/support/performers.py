"""Performing generators for tests: one that plays the roll in sines, a deaf one, and one that plays late."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.buffer import Samples
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck, NoteSheet, Progress, ProgressCallback
from tunesmith.magenta_rt.conditioning import NoteState
from tunesmith.magenta_rt.pianoroll import FRAME_RATE, Roll, pianoroll
from tunesmith.request import GenerationRequest

RATE = 48_000
FRAME = RATE // FRAME_RATE
Play = Callable[[Roll, int], Samples]


def sines(roll: Roll, seed: int) -> Samples:
    """Play a roll as decaying tones with four harmonics: (2, frames * FRAME); the seed moves the tuning by a cent."""
    sound = np.zeros(len(roll) * FRAME, np.float32)
    tuning = 2 ** (np.random.default_rng(seed).uniform(-1, 1) / 1200)
    for pitch in range(roll.shape[1]):
        for first in np.flatnonzero(roll[:, pitch] == NoteState.ONSET):
            rest = roll[first + 1 :, pitch]
            ends = np.flatnonzero((rest == NoteState.ONSET) | (rest <= NoteState.OFF))
            frames = 1 + (int(ends[0]) if len(ends) else len(rest))
            sound[first * FRAME : (first + frames) * FRAME] += tone(pitch, frames * FRAME, tuning)
    return np.stack([sound, sound])


def tone(pitch: int, num_samples: int, tuning: float) -> Samples:
    at = np.arange(num_samples) / RATE
    shape = np.minimum(1, np.minimum(at / 0.004, (at[-1] - at) / 0.01)) * np.exp(-1.5 * at)
    hertz = 440 * tuning * 2 ** ((pitch - 69) / 12)
    waves = [np.sin(2 * np.pi * hertz * number * at) / number for number in range(1, 5)]
    return np.asarray(0.05 * shape * np.sum(waves, axis=0), np.float32)


def noise(roll: Roll, seed: int) -> Samples:
    """Play nothing of a roll: hiss."""
    hiss = np.random.default_rng(seed).standard_normal((2, len(roll) * FRAME))
    return np.asarray(0.05 * hiss, np.float32)


def silence(roll: Roll, _: int) -> Samples:
    """Play nothing at all."""
    return np.zeros((2, len(roll) * FRAME), np.float32)


def late(roll: Roll, seed: int) -> Samples:
    """Play sines five frames too late."""
    return np.roll(sines(roll, seed), 5 * FRAME, axis=1)


@dataclass
class RollPlayer:
    """A model that performs notes from their piano roll, and notes what it was asked."""

    play: Play = sines
    longest_performance: float = 120.0
    sheets: list[NoteSheet] = field(default_factory=list)
    asked: list[GenerationRequest] = field(default_factory=list)
    seeds: list[tuple[int, ...]] = field(default_factory=list)

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        raise NotImplementedError(threading.current_thread().name)

    def perform(
        self, request: GenerationRequest, sheet: NoteSheet, seeds: Sequence[int], progress: ProgressCallback,
        cancelled: CancelCheck,
    ) -> list[Audio]:  # fmt: skip
        if cancelled():
            raise GenerationCancelled
        self.sheets.append(sheet)
        self.asked.append(request)
        self.seeds.append(tuple(seeds))
        roll, length, played = pianoroll(sheet), round(sheet.duration * RATE), []
        for number, seed in enumerate(seeds):
            progress(Progress("performing", number / len(seeds)))
            about = {"model": request.model, "licence": "Model Licence", "seed": seed, "settings": {"top_k": 40}}
            played.append(Audio(self.play(roll, seed)[:, :length], RATE, about))
        progress(Progress("performing", 1.0))
        return played
