"""The rhythm that metadata states: believed where the sound shows it, whole or cut."""

from __future__ import annotations

import numpy as np
import pytest
from sounds import clicks

import tunesmith
from tunesmith.audio import Audio, edit
from tunesmith.audio.analysis.analyse import analyse, analyse_with_metadata
from tunesmith.audio.analysis.metadata_rhythm import StatedRhythm, stated_rhythm


def saying(tempo: float = 96.0, meter: str = "4/4", seconds: float = 12.0, **request: object) -> Audio:
    settings = {"tempo_bpm": tempo, "meter": meter, "duration": seconds}
    return clicks(tempo, seconds).with_metadata(settings=settings, request={"prompt": "x", **request})


@pytest.mark.parametrize(("meter", "beats"), [("4/4", 4), ("3/4", 3), ("6/8", 2), ("12/8", 4), ("5/4", 5), ("7/8", 7)])
def test_the_beats_of_a_bar_are_those_that_are_tapped(meter: str, beats: int) -> None:
    assert stated_rhythm(saying(meter=meter)) == StatedRhythm(96.0, beats, is_whole=True)


@pytest.mark.parametrize(
    "audio",
    [
        clicks(96, 8), saying(meter="none"), saying(hits=[{"time": 3.0}]), saying().with_metadata(settings="x"),
        saying().with_metadata(settings={"tempo_bpm": "fast", "meter": "4/4"}),
    ],
)  # fmt: skip
def test_nothing_is_taken_from_metadata_that_says_nothing_certain(audio: Audio) -> None:
    assert stated_rhythm(audio) is None
    assert analyse_with_metadata(audio).rhythm == analyse(audio).rhythm


def test_a_piece_that_an_ear_takes_for_twice_as_fast_has_the_tempo_that_was_asked_for() -> None:
    audio = tunesmith.generate("lofi hip hop, 85 bpm", duration=24, seed=1)
    rhythm = analyse_with_metadata(audio).rhythm
    assert rhythm is not None
    assert (rhythm.tempo_bpm, rhythm.beats_a_bar) == (85.0, 4)
    assert rhythm.downbeats == pytest.approx(
        [number * 4 * 60 / 85 for number in range(len(rhythm.downbeats))], abs=1e-4
    )


@pytest.mark.parametrize("start", [0.3, 1.0, 2.2])
def test_the_beats_of_a_piece_that_was_cut_are_found_again(start: float) -> None:
    whole = tunesmith.generate("rock, 140 bpm", duration=20, seed=10)
    rhythm = analyse_with_metadata(edit.trim(whole, start)).rhythm
    assert rhythm is not None
    assert rhythm.tempo_bpm == 140.0
    at = (np.array(rhythm.downbeats) + start) * 140 / 60
    assert np.abs(at - 4 * np.round(at / 4)).max() < 0.1


def test_a_statement_that_the_sound_does_not_bear_out_is_not_believed() -> None:
    settings = {"tempo_bpm": 120.0, "meter": "4/4", "duration": 12.0}
    silent = Audio(np.zeros((1, 12 * 44_100), np.float32), 44_100, {"settings": settings, "request": {}})
    assert analyse_with_metadata(silent).rhythm is None
