"""Recall: what is played is found, what is not played is not, and a delay is measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from performers import FRAME, RATE, noise, silence, sines

from tunesmith.audio import Audio
from tunesmith.audio.buffer import Samples
from tunesmith.generator import NoteSheet, TimedNote
from tunesmith.magenta_rt.pianoroll import Roll, pianoroll
from tunesmith.performed.recall import recall_of

# A line over chords, in G major, with a repeated note and a rest.
LINE = (67, 71, 74, 74, 79, 78, 76, 74, 72, 71, 69, 67)
CHORDS = ((43, 55, 59, 62), (45, 57, 60, 64), (50, 54, 57, 66))
NOTES = tuple(
    sorted(
        [TimedNote(0.5 * index, 0.5 * index + 0.4, pitch) for index, pitch in enumerate(LINE)]
        + [TimedNote(2.0 * bar, 2.0 * bar + 1.9, pitch) for bar, chord in enumerate(CHORDS) for pitch in chord],
        key=lambda note: note.start,
    )
)
SHEET = NoteSheet(NOTES, 6.0)


def played(play: Callable[[Roll, int], Samples], shift: int = 0) -> Audio:
    return Audio(np.roll(play(pianoroll(SHEET), 1), shift, axis=1), RATE)


def test_a_perfect_performance_is_recalled() -> None:
    recall = recall_of(played(sines), NOTES)
    assert recall.pitch_classes >= 0.95
    assert recall.onsets >= 0.95
    assert recall.lag_seconds == 0
    assert recall.onset_chance < 0.6
    assert recall.total >= 0.9


@pytest.mark.parametrize("play", [noise, silence])
def test_a_deaf_performance_is_not(play: Callable[[Roll, int], Samples]) -> None:
    recall = recall_of(played(play), NOTES)
    assert recall.pitch_classes <= 0.3
    assert recall.onsets <= 0.35
    assert recall.lag_seconds == 0


def test_the_same_rhythm_in_another_key_has_the_onsets_only() -> None:
    def in_another_key(roll: Roll, seed: int) -> Samples:
        return sines(np.roll(roll, 6, axis=1), seed)

    recall = recall_of(played(in_another_key), NOTES)
    assert recall.onsets >= 0.9
    assert recall.pitch_classes <= 0.4


def test_a_part_of_the_notes_is_a_part_of_the_recall() -> None:
    def first_half(roll: Roll, seed: int) -> Samples:
        return sines(np.where(np.arange(len(roll))[:, None] < 75, roll, np.int8(0)), seed)

    recall = recall_of(played(first_half), NOTES)
    assert recall.pitch_classes == pytest.approx(0.5, abs=0.15)
    assert recall.onsets == pytest.approx(0.5, abs=0.1)


def test_a_delay_is_measured_beyond_the_tolerance() -> None:
    recall = recall_of(played(sines, 5 * FRAME), NOTES)
    assert recall.lag_seconds == pytest.approx(0.2, abs=0.021)
    assert recall.onsets < 0.2


def test_one_note_is_enough() -> None:
    only = (TimedNote(0.2, 1.0, 69),)
    audio = Audio(sines(pianoroll(NoteSheet(only, 1.5)), 1), RATE)
    assert recall_of(audio, only).total == 1.0


def test_clatter_finds_every_onset_by_chance_alone() -> None:
    def clicks(roll: Roll, _: int) -> Samples:
        sound = np.zeros((2, len(roll) * FRAME), np.float32)
        sound[:, :: FRAME * 2] = 0.5
        return sound

    recall = recall_of(played(clicks), NOTES)
    assert recall.onsets >= 0.9
    assert recall.onset_chance >= 0.9
    assert recall.onsets_beyond_chance < 0.5
    assert recall.total < 0.4
