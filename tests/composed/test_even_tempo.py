"""Even tempos: sixteenths of whole frames, and a composition that has one."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.composed.composition_request import composition_request
from tunesmith.composed.even_tempo import EVEN_TEMPOS, even_tempo
from tunesmith.composer.score_of_request import score_of
from tunesmith.errors import InvalidRequest
from tunesmith.generator import NoteSheet, TimedNote
from tunesmith.magenta_rt.conditioning import NoteState
from tunesmith.magenta_rt.pianoroll import pianoroll
from tunesmith.request import GenerationRequest


@pytest.mark.parametrize("tempo", EVEN_TEMPOS)
def test_sixteenths_of_an_even_tempo_are_equally_many_frames_apart(tempo: float) -> None:
    step = 15 / tempo
    notes = tuple(TimedNote(number * step, number * step + 0.04, 60) for number in range(16))
    roll = pianoroll(NoteSheet(notes, 16 * step))
    assert len(set(np.diff(np.flatnonzero(roll[:, 60] == NoteState.ONSET)))) == 1


def test_a_tempo_goes_to_the_nearest_even_one() -> None:
    assert [even_tempo(bpm) for bpm in (20, 82, 90, 120, 150, 300)] == [62.5, 75, 93.75, 125, 125, 187.5]


@pytest.mark.parametrize(
    ("prompt", "quarters"), [("lofi, 82 bpm", 75.0), ("house, 122 bpm", 125.0), ("celtic jig, 6/8, 100 bpm", 125.0)]
)
def test_a_composition_takes_the_even_tempo_and_keeps_its_length(prompt: str, quarters: float) -> None:
    fields = {"duration": 12.0, "seed": 3, "model": "any", "perform": True}
    composed = composition_request(GenerationRequest.checked(prompt=prompt, snap_tempo=True, **fields))
    score = score_of(composed)
    assert score.tempo_map.changes[0][1] == pytest.approx(quarters)
    assert score.duration == 12.0
    assert (composed.model, composed.perform, composed.snap_tempo) == ("composer", False, False)


def test_what_cannot_be_composed_is_refused_before() -> None:
    asked = GenerationRequest.checked(
        prompt="x", seed=1, model="any", perform=True, snap_tempo=True, genre="no such genre"
    )
    with pytest.raises(InvalidRequest, match="genre"):
        composition_request(asked)
