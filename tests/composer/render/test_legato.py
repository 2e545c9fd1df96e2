"""Laws of legato: near notes of a lead join without an attack, others do not, and their ends stay where they are."""

from __future__ import annotations

import numpy as np
import pytest
from bandstand import full_band

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import instrument
from tunesmith.composer.render import PartPlayer
from tunesmith.composer.render.legato import SKIPPED, connects, glide_between, joins, without_attack
from tunesmith.composer.score import Note, Part
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone

FIRST = Note(0, 1, 60, 90)


@pytest.mark.parametrize(
    ("note", "gap", "joined"),
    [
        (Note(1, 1, 62, 90), 0.0, True),
        (Note(1, 1, 62, 90), -0.1, True),
        (Note(1, 1, 62, 90), 0.05, False),
        (Note(1, 1, 60, 90), 0.0, False),
        (Note(1, 1, 72, 90), 0.0, False),
        (Note(0, 1, 64, 90), 0.0, False),
    ],
)
def test_only_a_near_note_that_follows_at_once_joins(note: Note, gap: float, joined: bool) -> None:
    assert joins(FIRST, note, gap, 0.5) is joined
    assert not joins(FIRST, note, gap, 0.05)
    assert not joins(None, note, gap, 0.5)


def test_bows_and_breath_connect_in_lines_and_nothing_else_does() -> None:
    assert connects("melody", instrument("violin"))
    assert connects("counter", instrument("flute"))
    assert not connects("chords", instrument("violin"))
    assert not connects("melody", instrument("piano"))
    assert not connects("melody", instrument("pizzicato_strings"))


def test_half_of_the_near_notes_of_a_mono_synth_glide() -> None:
    chances = [index << 16 for index in range(0, 1 << 16, 512)]
    glides = [glide_between(FIRST, Note(1, 1, 62, 90), instrument("saw_lead"), chance) for chance in chances]
    assert set(glides) == {-2, 0}
    assert 0.4 < np.mean(np.array(glides) == -2) < 0.6
    assert glide_between(FIRST, Note(1, 1, 62, 90), instrument("violin"), 0) == 0


def test_the_attack_is_left_out_and_a_short_sound_left_whole() -> None:
    sound = np.broadcast_to(np.arange(20_000, dtype=np.float32), (2, 20_000))
    joined = without_attack(sound)
    assert joined[0, 0] == 0
    np.testing.assert_array_equal(joined[:, 5_000:], sound[:, SKIPPED + 5_000 :])
    assert without_attack(sound[:, :3_000]) is not None
    assert without_attack(sound[:, :3_000]).shape[1] == 3_000


class Attacking:
    """A loud attack of 40 ms, then a steady tone until its release."""

    def sound(self, tone: Tone) -> Samples:
        sound = np.full((2, round(tone.seconds * SAMPLE_RATE)), 0.1, np.float32)
        sound[:, :1_800] = 1
        return sound


def test_a_joined_note_has_no_attack_and_ends_with_its_note() -> None:
    notes = FIRST, Note(1, 1, 62, 90)
    peaks = []
    for role in ("melody", "chords"):
        out = np.zeros((2, 3 * SAMPLE_RATE), np.float32)
        player = PartPlayer(full_band(4, bpm=60), Part("p", role, "flute", notes), lambda _: Attacking())
        player.add_to(out, 0)
        peaks.append(float(np.abs(out[:, SAMPLE_RATE : SAMPLE_RATE + 1_800]).max()))
        assert np.flatnonzero(out[0])[-1] == pytest.approx(2 * SAMPLE_RATE, abs=2)
    assert peaks[0] < 0.3 < 0.8 < peaks[1]
