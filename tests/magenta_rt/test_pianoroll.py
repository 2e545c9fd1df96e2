"""The piano roll: where notes begin and end in frames, what is silent, what is free, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tunesmith.composer.composition import compose
from tunesmith.errors import InvalidRequest
from tunesmith.generator import NoteSheet, TimedNote
from tunesmith.magenta_rt.pianoroll import FRAME_RATE, MAX_POLYPHONY, pianoroll
from tunesmith.request import GenerationRequest


def sheet(*notes: tuple[float, float, int], duration: float = 2.0, **options: Any) -> NoteSheet:
    return NoteSheet(tuple(TimedNote(*note) for note in sorted(notes)), duration, **options)


def test_a_note_is_an_onset_and_then_held_to_its_end() -> None:
    roll = pianoroll(sheet((0.12, 0.28, 67)))
    assert roll.shape == (50, 128)
    assert roll[:9, 67].tolist() == [0, 0, 0, 2, 1, 1, 1, 0, 0]
    assert not np.delete(roll, 67, axis=1).any()


def test_the_same_pitch_again_is_another_onset() -> None:
    assert pianoroll(sheet((0.0, 0.12, 60), (0.12, 0.2, 60)))[:6, 60].tolist() == [2, 1, 1, 2, 1, 0]


def test_parts_that_share_a_pitch_sound_together_as_one_with_both_onsets() -> None:
    roll = pianoroll(sheet((0.0, 0.4, 60), (0.2, 0.28, 60), (0.0, 0.04, 64)))
    assert roll[:11, 60].tolist() == [2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 0]
    assert roll[:2, 64].tolist() == [2, 0]


def test_the_shortest_note_is_one_frame_and_the_last_one_stays_inside() -> None:
    roll = pianoroll(sheet((0.5, 0.501, 60), (1.99, 2.5, 62)))
    assert (roll[:, 60] > 0).sum() == 1
    assert roll[-1, 62] == 2
    assert not pianoroll(sheet((2.0, 3.0, 60))).any()


@pytest.mark.parametrize("prompt", ["lofi, 82 bpm", "chiptune, 150 bpm", "epic orchestral, 97 bpm"])
def test_every_note_of_a_score_is_in_the_roll_within_20_ms(prompt: str) -> None:
    score = compose(GenerationRequest.checked(prompt=prompt, duration=20, seed=5)).score
    seconds = score.tempo_map.seconds_at
    pitched = [part for part in score.parts if part.role not in ("drums", "percussion", "effects")]
    notes = [(seconds(n.start), seconds(n.end), n.pitch) for part in pitched for n in part.notes]
    roll = pianoroll(sheet(*notes, duration=score.duration))
    for start, end, pitch in notes:
        if start < score.duration - 0.5 / FRAME_RATE:
            onsets = np.flatnonzero(roll[:, pitch] == 2) / FRAME_RATE
            nearest = onsets[np.abs(onsets - start).argmin()]
            assert abs(nearest - start) <= 0.02 + 1e-9
            middle = round(FRAME_RATE * nearest) + (round(FRAME_RATE * end) - round(FRAME_RATE * nearest)) // 2
            assert roll[min(middle, len(roll) - 1), pitch] > 0


def test_a_lead_brings_every_note_earlier() -> None:
    late, early = pianoroll(sheet((0.4, 0.6, 60))), pianoroll(sheet((0.4, 0.6, 60), lead_frames=3))
    assert np.array_equal(early[:-3], late[3:])
    # What would begin before the piece begins with it.
    assert pianoroll(sheet((0.0, 0.6, 60), lead_frames=3))[:, 60].tolist()[:13] == [2, *[1] * 11, 0]


def test_an_accompaniment_is_free_but_near_what_sounds() -> None:
    roll = pianoroll(sheet((0.0, 0.2, 60), accompanies=True))
    assert roll[1, 56:65].tolist() == [-1, -1, 0, 0, 1, 0, 0, -1, -1]
    assert set(roll[10].tolist()) == {-1}


@pytest.mark.parametrize("pitch", [-1, 128])
def test_a_pitch_outside_midi_is_refused(pitch: int) -> None:
    with pytest.raises(InvalidRequest, match=f"notes: must have pitches from 0 to 127, got {pitch}"):
        pianoroll(sheet((0.0, 1.0, pitch)))


def test_a_time_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"at a number of seconds, got nan and 1\.0"):
        pianoroll(sheet((math.nan, 1.0, 60)))


def test_more_pitches_than_the_model_takes_are_refused_with_the_place() -> None:
    cluster = [(1.0, 1.5, 40 + number) for number in range(MAX_POLYPHONY)]
    assert (pianoroll(sheet(*cluster))[30] > 0).sum() == MAX_POLYPHONY
    with pytest.raises(InvalidRequest, match=r"notes: must be at most 24 pitches at once, got 25 at 1\.00 s"):
        pianoroll(sheet(*cluster, (0.9, 2.0, 100)))
