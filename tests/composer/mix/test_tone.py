"""Laws of the tone of the bus: it follows who plays, whatever the intensity, and never touches the mono lows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bandstand import full_band

from tunesmith.composer.instruments import instrument, instruments
from tunesmith.composer.mix.eq_response import response
from tunesmith.composer.mix.tone import ENSEMBLES, EnsembleTone, ensemble_of, tone_of
from tunesmith.composer.score import Part, Score

SIZE = 1 << 14


def ensemble(*names: str) -> Score:
    parts = tuple(Part(name, "chords", name, ()) for name in names)
    return replace(full_band(2), parts=parts)


def curve_db(tone: EnsembleTone) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(20 * np.log10(np.abs(response(tone.bands, SIZE))), np.float64)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("acoustic_guitar", "acoustic"), ("violin", "orchestral"), ("room_kit", "band"), ("distorted_guitar", "band"),
     ("tr909_kit", "electronic"), ("warm_pad", "electronic"), ("orchestra_kit", "orchestral")],
)  # fmt: skip
def test_every_instrument_belongs_to_an_ensemble(name: str, kind: str) -> None:
    assert ensemble_of(instrument(name)) == kind
    assert {ensemble_of(each) for each in instruments().values()} == ENSEMBLES.keys()


def test_an_ensemble_of_one_kind_has_its_tone_and_a_mixed_one_lies_between() -> None:
    plucked, synths = (curve_db(tone_of(ensemble(*names))) for names in (("piano", "harp"), ("saw_lead", "warm_pad")))
    np.testing.assert_allclose(plucked, curve_db(ENSEMBLES["acoustic"]), atol=1e-6)
    both = curve_db(tone_of(ensemble("piano", "saw_lead")))
    np.testing.assert_allclose(both, (plucked + synths) / 2, atol=0.4)


def test_effects_have_no_say_and_nothing_has_no_tone() -> None:
    assert tone_of(ensemble("piano", "riser")) == tone_of(ensemble("piano"))
    assert tone_of(ensemble()) == EnsembleTone()


@pytest.mark.parametrize("kind", ENSEMBLES)
def test_no_tone_is_extreme(kind: str) -> None:
    tone = ENSEMBLES[kind]
    for bands in (tone.bands, tone.sides):
        audible = np.abs(response(bands, SIZE))[round(60 * SIZE / 44_100) :]
        assert np.abs(20 * np.log10(audible)).max() < 7
