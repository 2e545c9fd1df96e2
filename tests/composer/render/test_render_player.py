"""Laws of the players: exact times, cuts without clicks, and blocks that do not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from bandstand import fake_voices, full_band

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import instrument
from tunesmith.composer.render import DryStems, PartPlayer, RenderThreads, audible_parts, kick_samples
from tunesmith.composer.render.note_fall import fall_of, fallen
from tunesmith.composer.render.part_renderer import LEVEL_SPREAD_DB, balance
from tunesmith.composer.score import Note, Part
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone


@dataclass(frozen=True)
class Constant:
    """Sounds 1 for a second; pitches above 60 choke each other."""

    def choke_group(self, pitch: int) -> int:
        return 1 if pitch > 60 else 0

    def sound(self, tone: Tone) -> Samples:
        del tone
        return np.ones((2, SAMPLE_RATE), np.float32)


# Instruments without onset noise: these tests look at the notes alone.
def played(*notes: Note, instrument: str = "riser", block: int = 1 << 17) -> Samples:
    score = full_band(4, bpm=60)
    player = PartPlayer(score, Part("p", "chords", instrument, notes), lambda _: Constant())
    out = np.zeros((2, 5 * SAMPLE_RATE), np.float32)
    for start in range(0, out.shape[1], block):
        player.add_to(out[:, start : start + block], start)
    return out


def test_a_note_begins_on_its_sample() -> None:
    out = played(Note(1.5, 1, 50, 100))
    assert np.flatnonzero(out[0])[0] == round(1.5 * SAMPLE_RATE)
    assert np.count_nonzero(out[0]) == SAMPLE_RATE


@pytest.mark.parametrize(("pitch", "instrument"), [(50, "chip_pulse"), (61, "chip_kit")])
def test_a_cut_note_fades_within_ten_milliseconds_and_never_jumps(pitch: int, instrument: str) -> None:
    out = played(Note(0, 1, pitch, 100), Note(0.5, 1, pitch, 100), instrument=instrument)[0]
    middle, faded = SAMPLE_RATE // 2, SAMPLE_RATE // 2 + SAMPLE_RATE // 100
    assert out[middle] == pytest.approx(2, abs=1e-3)
    assert out[faded] == pytest.approx(1)
    assert np.abs(np.diff(out[middle:faded])).max() < 0.01


def test_tones_of_a_polyphonic_instrument_ring_on() -> None:
    assert played(Note(0, 1, 50, 100), Note(0.5, 1, 50, 100))[0, round(0.9 * SAMPLE_RATE)] == pytest.approx(2)


def test_more_notes_than_voices_cut_the_oldest() -> None:
    notes = [Note(0.01 * index, 1, 40 + index, 100) for index in range(8)]
    assert played(*notes, instrument="chip_arpeggio")[0, SAMPLE_RATE // 2] == pytest.approx(4)


@pytest.mark.parametrize("block", [1000, 4096, 50_001])
def test_block_sizes_change_nothing(block: int) -> None:
    notes = [Note(0.3 * index, 0.5, 61, 100) for index in range(9)]
    whole = played(*notes, instrument="standard_kit")
    np.testing.assert_allclose(played(*notes, instrument="standard_kit", block=block), whole, atol=1e-6)


def test_onset_noise_sounds_with_its_note_and_differs_from_note_to_note() -> None:
    out = played(Note(1.0, 1, 50, 100), Note(3.0, 1, 50, 100), instrument="piano")
    assert not out[:, :SAMPLE_RATE].any()
    first, second = (out[:, at * SAMPLE_RATE :][:, :4000] for at in (1, 3))
    assert 0.01 < np.std(first) < 0.3
    fall = fall_of("chords", instrument("piano"))
    assert fall is not None
    alone = fallen(np.ones((2, first.shape[1]), np.float32), fall)
    assert abs(20 * np.log10(first.mean() / alone.mean())) < LEVEL_SPREAD_DB + 0.1
    assert first.mean() != pytest.approx(second.mean(), abs=1e-4)
    # From sample to sample, because all notes fall alike.
    assert abs(np.corrcoef(np.diff(first[0]), np.diff(second[0]))[0, 1]) < 0.2


def test_the_balance_keeps_its_power() -> None:
    for pan in (-1.0, -0.3, 0.0, 0.8, 1.0):
        left, right = balance(pan)
        assert left**2 + right**2 == pytest.approx(2)
    assert balance(0) == pytest.approx((1, 1))


def test_parts_enter_with_the_intensity_and_one_always_plays() -> None:
    score = full_band(4)
    names = {level: {part.name for part in audible_parts(score, level)} for level in (0.0, 0.35, 1.0)}
    assert names[0.0] == {"chords"}
    assert names[0.0] < names[0.35] < names[1.0] == {part.name for part in score.parts}
    late = replace(score, parts=tuple(replace(part, entry=0.9) for part in score.parts))
    # Of parts that enter at once, those that carry the piece come first.
    assert {part.name for part in audible_parts(late, 0.0)} == {"pad"}


def test_kicks_are_heard_only_while_the_drums_play() -> None:
    score = full_band(8)
    assert len(kick_samples(score, None)) > 5
    assert kick_samples(score, 0.1) == ()


def test_stems_follow_the_key_and_die_away() -> None:
    score = full_band(2)
    stems = DryStems(score, fake_voices, lambda part: part.role)
    assert stems.keys == ("drums", "bass", "chords", "pad", "melody", "arpeggio", "percussion")
    block = np.empty((len(stems.keys), 2, 4 * SAMPLE_RATE), np.float32)
    with RenderThreads(1) as threads:
        stems.fill(block, 0, threads)
        stems.fill(block, 4 * SAMPLE_RATE, threads)
    assert stems.finished
    assert not block.any()
