"""Finished stems sum to the finished mix, however it is produced and mastered."""

from __future__ import annotations

import numpy as np
import pytest
from bandstand import full_band, session

from tunesmith.composer.mix import mix_score, stem_shares
from tunesmith.composer.score import Ambience, MixSettings


@pytest.mark.parametrize(
    ("production", "loop", "sample_rate", "channels"),
    [
        ((), False, 44_100, 2),
        (("tape", "wow", "vinyl", "lofi"), True, 44_100, 2),
        (("distortion", "bitcrush"), False, 48_000, 2),
        (("telephone",), True, 22_050, 1),
    ],
)
def test_they_sum_to_the_mix(production: tuple[str, ...], loop: bool, sample_rate: int, channels: int) -> None:
    settings = MixSettings(production=production, side_chain=0.5, hall=0.3)
    score = full_band(3.1, loop=loop, mix=settings, ambience=(Ambience("rain"),))
    playing = session(sample_rate=sample_rate, channels=channels)
    with mix_score(score, playing) as spool:
        mix = spool.read()
    total, names = np.zeros_like(mix), []
    for name, stem in stem_shares(score, playing):
        with stem:
            total += stem.read()
        names.append(name)
    surface = ["vinyl surface"] if "vinyl" in production else []
    assert names == [*(part.name for part in score.parts), "rain", *surface]
    error = float(np.mean(np.square(total - mix))) / float(np.mean(np.square(mix)))
    assert 10 * np.log10(error) < -55, 10 * np.log10(error)
