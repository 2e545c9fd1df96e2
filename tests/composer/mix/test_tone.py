"""Laws of the tone of the bus: it brings a mix near finished music, follows all players, and keeps its lows mono."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bandstand import full_band

import tunesmith
from tunesmith.composer.instruments import instrument, instruments
from tunesmith.composer.mix.bus_energy import bus_energies
from tunesmith.composer.mix.octaves import MIDDLES, Octaves, octave_response
from tunesmith.composer.mix.spectra import part_energy
from tunesmith.composer.mix.tone import (
    FINISHED_DB,
    FIRST_WIDE,
    BusTone,
    ensemble_of,
    forecast_tone,
    tone_of,
)
from tunesmith.composer.score import Note, Part, Score, TempoMap
from tunesmith.composer.score_file import dump_score, load_score
from tunesmith.composer.sound.voice import SAMPLE_RATE
from tunesmith.errors import InvalidScore

SIZE = 1 << 17
TEMPO = TempoMap(((0.0, 120.0),))


def ensemble(*names: str, pitch: int = 60) -> Score:
    notes = tuple(Note(float(beat), 1.0, pitch, 90) for beat in range(8))
    parts = tuple(Part(name, "chords", name, notes) for name in names)
    return replace(full_band(2), parts=parts)


def energy_at_bus(score: Score) -> Octaves:
    return np.asarray(bus_energies(score).sum(axis=(0, 1)))


def tone_at_bus(score: Score) -> BusTone:
    return forecast_tone(score, energy_at_bus(score))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("acoustic_guitar", "acoustic"), ("violin", "orchestral"), ("room_kit", "band"), ("distorted_guitar", "band"),
     ("tr909_kit", "electronic"), ("warm_pad", "electronic"), ("orchestra_kit", "orchestral")],
)  # fmt: skip
def test_every_instrument_belongs_to_an_ensemble(name: str, kind: str) -> None:
    assert ensemble_of(instrument(name)) == kind
    assert {ensemble_of(each) for each in instruments().values()} == FINISHED_DB.keys()


def test_what_is_too_loud_is_lowered_and_what_is_not_played_is_not_raised() -> None:
    tone = dict(zip(MIDDLES, tone_at_bus(ensemble("flute", pitch=84)).octaves_db, strict=True))
    loudest = next(middle for middle in MIDDLES if middle > 710)
    assert tone[loudest] < -3
    assert tone[MIDDLES[0]] == 0


def test_the_tone_corrects_the_lows_of_a_bass_and_its_absence() -> None:
    heavy, light = (energy_at_bus(ensemble("piano", name, pitch=40))[0] for name in ("sub_bass", "harp"))
    assert heavy[1] / heavy.sum() > light[1] / light.sum()


def test_effects_have_no_say_in_the_kind_and_nothing_has_no_tone() -> None:
    assert tone_at_bus(ensemble()) == BusTone()
    silent = replace(ensemble("piano"), parts=(Part("piano", "chords", "piano", ()),))
    assert tone_at_bus(silent) == BusTone()


@pytest.mark.parametrize("names", [("piano",), ("riser",), ("chip_pulse",), ("tr808_kit",), ("strings", "warm_pad")])
def test_no_tone_is_extreme_and_the_sides_of_the_lows_stay(names: tuple[str, ...]) -> None:
    tone = tone_at_bus(ensemble(*names))
    assert np.abs(tone.octaves_db).max() <= 8
    assert np.abs(tone.sides_db).max() <= 6
    assert not any(tone.sides_db[:FIRST_WIDE])


def test_energy_grows_with_notes_gain_and_length() -> None:
    part = ensemble("organ").parts[0]
    whole = part_energy(part, TEMPO).sum()
    np.testing.assert_allclose(part_energy(replace(part, notes=part.notes[:4]), TEMPO).sum(), whole / 2)
    np.testing.assert_allclose(part_energy(replace(part, gain_db=10.0), TEMPO).sum(), whole * 10)
    longer = replace(part, notes=tuple(replace(note, length=2.0) for note in part.notes))
    assert 1.5 < part_energy(longer, TEMPO).sum() / whole < 2.1
    np.testing.assert_allclose(part_energy(part, TEMPO, (2.0, 4.0)).sum(axis=(1, 2)), whole * np.array([2, 2, 4]) / 8)


def test_every_instrument_has_been_measured() -> None:
    for name, played in instruments().items():
        middle = 42 if played.is_kit else (played.low + played.high) // 2
        energy = part_energy(Part(name, "chords", name, (Note(0.0, 1.0, middle, 90),)), TEMPO)
        assert energy.shape == (1, 2, len(MIDDLES))
        assert energy.sum() > 0, name


def test_the_equaliser_has_its_gains_and_sounds_no_earlier() -> None:
    gains = (0.0, 3.0, 3.0, -2.0, -2.0, 0.0, 4.0, 4.0, -6.0, -6.0)
    response = octave_response(gains, SIZE)
    at = np.rint(np.array(MIDDLES) * SIZE / SAMPLE_RATE).astype(int)
    np.testing.assert_allclose(20 * np.log10(np.abs(response[at])), gains, atol=0.3)
    impulse = np.fft.irfft(response)
    assert np.sum(impulse[SIZE // 2 :] ** 2) < 1e-8 * np.sum(impulse**2)


def test_a_composition_keeps_its_tone_in_its_score_which_a_file_carries() -> None:
    score = tunesmith.compose("funk", bars=2, seed=1).score
    assert tone_of(score.mix) == tone_at_bus(score) != BusTone()
    loaded = load_score(dump_score(score))
    assert loaded.mix == score.mix
    assert tone_of(full_band(2).mix) == BusTone()
    with pytest.raises(InvalidScore, match="octaves_db must have 10 numbers, one for each octave, got 9"):
        load_score(dump_score(replace(score, mix=replace(score.mix, octaves_db=(1.0,) * 9))))
