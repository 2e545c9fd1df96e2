"""The tone of the bus by kind of ensemble: an equaliser for the mix, and one for its sides, blended by who plays.

The gains bring the octaves, and the correlation of the channels, of our pieces to those of finished background music.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.mix.eq_response import Band
from tunesmith.composer.score import Score


@dataclass(frozen=True, slots=True)
class EnsembleTone:
    """EQ ``bands`` of the whole mix, and those of the ``sides`` alone (left minus right), which no mono mix hears."""

    bands: tuple[Band, ...] = ()
    sides: tuple[Band, ...] = ()


ENSEMBLES: Mapping[str, EnsembleTone] = {
    "acoustic": EnsembleTone(
        (
            Band("peak", 190, 1.5, 0.8), Band("peak", 1000, -2, 1.0), Band("peak", 2000, 1.5, 1.2),
            Band("high_shelf", 5000, -2),
        ),
        (Band("high_shelf", 900, 3),),
    ),
    "orchestral": EnsembleTone(
        (Band("peak", 230, 2, 0.9), Band("peak", 1100, -1.5, 0.9), Band("high_shelf", 3500, 2.5)),
        (Band("peak", 1500, -3, 0.4),),
    ),
    "band": EnsembleTone(
        (
            Band("low_shelf", 42, -5), Band("peak", 480, 2, 0.9), Band("peak", 1200, -2, 0.9),
            Band("high_shelf", 2200, -5.5),
        ),
        (Band("high_shelf", 1700, 3.5),),
    ),
    "electronic": EnsembleTone(
        (
            Band("low_shelf", 44, -9, 0.9), Band("peak", 65, 2, 1.0), Band("peak", 250, -3, 0.9),
            Band("peak", 1900, 2.5, 0.8), Band("high_shelf", 2500, 2.5),
        ),
        (Band("high_shelf", 1500, -3),),
    ),
}  # fmt: skip
"""The tone of each kind of ensemble, if all played in it."""

ORCHESTRA = frozenset({"strings", "brass", "winds", "voices", "percussion"})
ELECTRONIC = frozenset({"synth", "pads", "chip"})


def tone_of(score: Score) -> EnsembleTone:
    """Return the tone of the score's bus: each ensemble's, its gains scaled by its share of the parts."""
    played = (instrument(part.instrument) for part in score.parts)
    parts = Counter(ensemble_of(one) for one in played if one.family != "effects")
    heard = [(tone, parts[kind]) for kind, tone in ENSEMBLES.items() if parts[kind]]

    def scaled(band: Band, count: int) -> Band:
        return replace(band, gain_db=band.gain_db * count / parts.total())

    return EnsembleTone(
        tuple(scaled(band, count) for tone, count in heard for band in tone.bands),
        tuple(scaled(band, count) for tone, count in heard for band in tone.sides),
    )


def ensemble_of(played: Instrument) -> str:
    """Return the kind of ensemble to which an instrument belongs."""
    if played.source == "synth" or played.family in ELECTRONIC:
        return "electronic"
    if played.family in ORCHESTRA or played.name == "orchestra_kit":
        return "orchestral"
    return "band" if played.is_kit or played.timbre.drive_db else "acoustic"
