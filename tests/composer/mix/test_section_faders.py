"""Laws of the faders: a quiet section comes nearer the loudest one, and a score file keeps its gain."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from bandstand import full_band
from hypothesis import given
from hypothesis import strategies as st

import tunesmith
from tunesmith.audio.loudness import loudness_of
from tunesmith.composer.mix.automix import automixed
from tunesmith.composer.mix.octaves import MIDDLES
from tunesmith.composer.mix.section_faders import KNEE_LU, MOST_DB, RAMP, SectionFaders, section_gains
from tunesmith.composer.score import Score, Section
from tunesmith.composer.score_file import dump_score, load_score
from tunesmith.composer.sound.voice import SAMPLE_RATE
from tunesmith.errors import InvalidScore

LEVELS = st.lists(st.floats(-60, 0), min_size=2, max_size=6)
HOUSE = "energetic electronic background music"


def form(*gains: float, bars: int = 4) -> Score:
    sections = tuple(Section("A", number * bars, bars, 0.5, gain) for number, gain in enumerate(gains))
    score = full_band(2)
    duration = score.tempo_map.seconds_at(bars * len(gains) * score.meter.beats_per_bar)
    return replace(score, sections=sections, duration=duration)


def with_first_gain(text: str, gain: str) -> str:
    """Return a score file in which the first section that is raised has another gain."""
    changed, count = re.subn(r"(energy: [\d.]+, gain_db: )[\d.]+", rf"\g<1>{gain}", text, count=1)
    assert count == 1
    return changed


def gains_at(*levels_db: float, loop: bool = False) -> tuple[float, ...]:
    energies = np.zeros((len(levels_db), 2, len(MIDDLES)))
    energies[:, 0, 4] = 10 ** (np.array(levels_db) / 10)
    return section_gains(replace(form(*levels_db), loop=loop), energies)


@given(LEVELS)
def test_the_order_of_loudness_stays_and_what_is_near_the_loudest_is_left_alone(levels: list[float]) -> None:
    gains = gains_at(*levels, loop=True)
    for level, gain in zip(levels, gains, strict=True):
        assert 0 <= gain <= MOST_DB
        assert gain == 0 or level < max(levels) - KNEE_LU
    faded = [level + gain for level, gain in zip(levels, gains, strict=True)]
    for softer, louder in pairwise(sorted(range(len(levels)), key=levels.__getitem__)):
        assert faded[softer] <= faded[louder] + 0.5  # a step of the gains


def test_a_gap_is_taken_and_an_ending_fades() -> None:
    assert gains_at(0, -6, -12, -18, -60, 0) == (0, 0, 4, 8, MOST_DB, 0)
    assert gains_at(0, -20) == (0, 0)
    assert gains_at(0, -20, loop=True) == (0, 9.5)


def test_silence_has_no_gain() -> None:
    assert section_gains(form(0, 0), np.zeros((2, 2, len(MIDDLES)))) == (0, 0)
    energies = np.zeros((3, 2, len(MIDDLES)))
    energies[0] = 1
    assert section_gains(form(0, 0, 0), energies) == (0, 0, 0)


@pytest.mark.parametrize("loop", [False, True])
def test_a_fader_moves_in_the_softer_section_alone(*, loop: bool) -> None:
    score = replace(form(0.0, 9.0, 3.0), loop=loop)
    faders = SectionFaders(score)
    border = [
        round(score.tempo_map.seconds_at(section.bar * score.meter.beats_per_bar) * SAMPLE_RATE)
        for section in score.sections
    ]
    end = round(score.duration * SAMPLE_RATE)
    gain = 20 * np.log10(faders.gain(0, end))
    # The middle section is the softest: both of its ends move, but for the loop's.
    np.testing.assert_allclose(gain[border[1]], 0, atol=0.1)
    np.testing.assert_allclose(gain[border[1] + RAMP + 64 : border[2] - RAMP - 64], 9, atol=1e-3)
    np.testing.assert_allclose(gain[border[2]], 3, atol=0.1)
    np.testing.assert_allclose(gain[: border[1]], 0, atol=1e-3)
    np.testing.assert_allclose(gain[border[2] + 64 : end - RAMP - 64], 3, atol=1e-3)
    np.testing.assert_allclose(gain[-1], 0 if loop else 3, atol=0.1)
    # Whatever the block, the curve is the same.
    np.testing.assert_array_equal(
        faders.gain(border[1] + 7, border[1] + 5007), faders.gain(0, end)[border[1] + 7 :][:5000]
    )


def test_a_break_is_softer_than_its_drop_and_no_gap() -> None:
    composition = tunesmith.compose(HOUSE, duration=60, seed=68)
    score = composition.score
    places = {section.name: section for section in score.sections}
    assert places["break"].gain_db > 6
    assert places["drop"].gain_db == 0
    audio = composition.mix()
    loudness = []
    for section in (places["break"], places["drop"]):
        beats = section.bar * score.meter.beats_per_bar, (section.bar + section.bars) * score.meter.beats_per_bar
        start, stop = (round(score.tempo_map.seconds_at(beat) * audio.sample_rate) for beat in beats)
        loudness.append(loudness_of(tunesmith.Audio(audio.samples[:, start:stop], audio.sample_rate)))
    assert 3 < loudness[1] - loudness[0] < 12


def test_a_riser_keeps_its_level_and_the_other_parts_have_the_gain() -> None:
    score = tunesmith.compose(HOUSE, duration=60, seed=68).score
    flat = replace(score, sections=tuple(replace(one, gain_db=0.0) for one in score.sections))
    again = automixed(flat)
    assert again == score


def test_a_score_file_keeps_the_gain_and_so_does_a_section_that_is_only_named() -> None:
    composition = tunesmith.compose(HOUSE, duration=60, seed=68)
    text = dump_score(composition.score, composition.written)
    gains = [section.gain_db for section in composition.score.sections]
    assert [section.gain_db for section in load_score(text).sections] == gains
    # The first list is the piece's; the record below has one too.
    first, last = text.index("sections:"), text.index("chords:")
    names = ", ".join(section.name for section in composition.score.sections)
    named = load_score(f"{text[:first]}sections: [{names}]\n{text[last:]}")
    assert [section.gain_db for section in named.sections] == gains
    with pytest.raises(InvalidScore, match=r"gain_db must be a number from -60 to 24, got '99'"):
        load_score(with_first_gain(text, "99"))


def test_another_gain_changes_no_note() -> None:
    composition = tunesmith.compose(HOUSE, duration=60, seed=68)
    text = dump_score(composition.score, composition.written)
    softer = load_score(with_first_gain(text, "-3"))
    assert min(section.gain_db for section in softer.sections) == -3
    assert [part.notes for part in softer.parts] == [part.notes for part in load_score(text).parts]
