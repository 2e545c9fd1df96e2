"""The fader behind the master: a louder stretch is as much louder as was asked for, in the densest master too."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.audio.loudness import loudness_of
from tunesmith.composer.changes import edit_request
from tunesmith.composer.composition import compose
from tunesmith.composer.mix.control_rate import CONTROL
from tunesmith.composer.mix.master.gain_search import find_gain
from tunesmith.composer.mix.master.loudness_frames import Frames
from tunesmith.composer.mix.master.stretch_fader import stretch_fader
from tunesmith.composer.score import Score
from tunesmith.request import GenerationRequest

DENSE = GenerationRequest.checked(prompt="techno", bars=4, loop=True, seed=3)
FRAMES = 2000
RATE = 44_100


def score(*levels: str, loop: bool = True) -> Score:
    balance = tuple(f"all={level}" for level in levels)
    return compose(DENSE.changed(balance=balance, loop=loop)).score


def in_db(curve: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[float]:
    return [round(float(20 * np.log10(value)), 2) for value in curve]


def test_no_stretch_has_no_fader() -> None:
    assert stretch_fader(score(), RATE, FRAMES) is None


@pytest.mark.parametrize(("level", "quiet", "loud"), [("6@50-100", -6, 0), ("-6@50-100", 0, -6)])
def test_a_stretch_differs_by_what_was_asked_for_and_nothing_is_raised(level: str, quiet: float, loud: float) -> None:
    piece = score(level, loop=False)
    frames = round(piece.duration * RATE / CONTROL)
    fader = stretch_fader(piece, RATE, frames)
    assert fader is not None
    assert in_db(fader[[0, frames // 4]]) == [quiet, quiet]
    assert in_db(fader[[-1, frames * 3 // 4]]) == [loud, loud]
    assert fader.max() == 1


def test_the_fader_of_a_loop_has_no_seam() -> None:
    piece = score("6@50-100")
    fader = stretch_fader(piece, RATE, round(piece.duration * RATE / CONTROL))
    assert fader is not None
    assert fader[0] == pytest.approx(fader[-1], rel=0.05)
    assert np.abs(np.diff(fader)).max() < 0.02


def test_the_whole_stays_on_target() -> None:
    power = np.full(FRAMES, 0.01, np.float32)
    fader = np.where(np.arange(FRAMES + 1) < FRAMES // 2, 0.5, 1).astype(np.float32)
    frames = Frames(power, np.full(FRAMES, 0.2, np.float32), RATE, FRAMES * CONTROL)
    levels = find_gain(frames, -16, loop=False, fader=fader)
    assert levels.loudness == pytest.approx(-16, abs=0.1)
    assert levels.gain[-1] / levels.gain[0] == pytest.approx(2, rel=0.01)


def test_the_second_half_of_a_dense_piece_is_made_audibly_louder() -> None:
    louder = edit_request(DENSE, "only the second half louder").request
    before, after = (halves(request) for request in (DENSE, louder))
    assert (after[1] - after[0]) - (before[1] - before[0]) >= 3


def halves(request: GenerationRequest) -> tuple[float, float]:
    """Return the loudness of both halves of a piece, in LUFS."""
    sound = compose(request).mix()
    middle = sound.samples.shape[1] // 2
    first, second = (
        loudness_of(Audio(np.array(part), sound.sample_rate, {}))
        for part in (sound.samples[:, :middle], sound.samples[:, middle:])
    )
    return first, second
