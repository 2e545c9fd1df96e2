"""The effects of each production name, and their order on the bus."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix.eq_response import Band
from tunesmith.composer.mix.production.effect import Effect, FilterEffect
from tunesmith.composer.mix.production.saturation import BitReduction, Hold, Saturation
from tunesmith.composer.mix.production.vinyl import Vinyl
from tunesmith.composer.mix.production.wow_flutter import Wow
from tunesmith.composer.render import length_in_samples
from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import Score

ORDER = ("distortion", "bitcrush", "lofi", "vinyl", "tape", "wow", "telephone", "speech_room")
"""The order of the effects; the names that are not here (dry, spacious) act on the reverbs instead."""

PREROLL = 22_050
"""Samples of pre-roll before a loop, so that the effects start with the state that they have at its end."""


class ProductionChain:
    """The effects of ``score.mix.production``; ``level`` is the RMS of the bus, to which they are scaled."""

    def __init__(self, score: Score, level: float) -> None:
        period = length_in_samples(score) if score.loop else None
        random = rng_for(score.seed, "production")
        names = [name for name in ORDER if name in score.mix.production]
        effects = [effect for name in names for effect in _effects(name, level, period, random)]
        # One high-pass after all effects removes what lies below hearing.
        self.effects = (*effects, FilterEffect(Band("high_pass", 20))) if effects else ()

    def apply(self, block: Samples, start: int) -> Samples:
        """Return ``block``, (2, n) from sample ``start``, with the effects; the block may be overwritten."""
        for effect in self.effects:
            block = effect.apply(block, start)
        return block

    def __bool__(self) -> bool:
        return bool(self.effects)


def _effects(name: str, level: float, period: int | None, random: np.random.Generator) -> tuple[Effect, ...]:
    match name:
        case "distortion":
            return Saturation(4.5, level, mix=0.8), FilterEffect(Band("low_pass", 8000))
        case "bitcrush":
            return Hold(2), BitReduction(7, level)
        case "lofi":
            return Saturation(1.1, level), FilterEffect(Band("high_pass", 45), Band("low_pass", 6500))
        case "vinyl":
            return (Vinyl(level, period, random),)
        case "tape":
            return Saturation(0.9, level), FilterEffect(Band("peak", 85, 1.5, 0.9), Band("high_shelf", 8000, -3))
        case "wow":
            return (Wow(period),)
        case "telephone":
            band = (Band("high_pass", 380), Band("low_pass", 3200), Band("peak", 1500, 4))
            return Saturation(1.5, level), FilterEffect(*band, Band("high_pass", 300), Band("low_pass", 3400))
        case "speech_room":
            # Consonants lie between 1 and 4 kHz; two octaves wide, so that the music keeps its colour.
            return (FilterEffect(Band("peak", 2000, -6, 0.67)),)
        case _:
            raise AssertionError(name)
