"""Seamless loops: the joint of a piece made anew by inpainting, and measured.

generated        |A ─────────── B|
rolled by half         B|A              the joint lies in the middle
repainted          ────╳╳╳╳────         a region across it is made anew
rolled back      |A ─────────── B|      the end leads into the start
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.analysis.loop_seam import Seam, seam_of
from tunesmith.audio.spool import Samples
from tunesmith.stable_audio.inpainting import SampleRegion

MAX_TRIES = 3
MAX_REACH_SECONDS = 3.0
"""How far the region reaches to either side of the joint; at most an eighth of the loop."""

RepaintJoint = Callable[[Samples, SampleRegion, int], Samples]
"""Makes a region of samples anew; the number is that of the try, from 0."""


@dataclass(frozen=True, slots=True)
class SeamlessLoop:
    """A loop (channels, samples), the worst of its seams, and the number of tries that it took."""

    samples: Samples
    seam: Seam
    tries: int


def make_seamless(samples: Samples, sample_rate: int, repaint: RepaintJoint) -> SeamlessLoop:
    """Make the end of a piece lead into its start; try again, at most 3 times, while the seam is heard.

    Returns the best try. The edges of the repainted region are judged as well: the seam must not just move.
    """
    half = samples.shape[1] // 2
    reach = min(round(MAX_REACH_SECONDS * sample_rate), samples.shape[1] // 8)
    region = SampleRegion(half - reach, half + reach)
    rolled = np.roll(samples, half, axis=1)
    best: SeamlessLoop | None = None
    for number in range(MAX_TRIES):
        repainted = repaint(rolled, region, number)
        places = (half, region.first, region.last)
        seam = min((_seam_at(repainted, place, sample_rate) for place in places), key=_quality)
        if best is None or _quality(seam) > _quality(best.seam):
            best = SeamlessLoop(np.roll(repainted, -half, axis=1), seam, number + 1)
        if not seam.is_audible:
            break
    assert best is not None
    return SeamlessLoop(best.samples, best.seam, number + 1)


def _quality(seam: Seam) -> tuple[float, float]:
    # Bad seams may all have the score 0; a smaller step is better then.
    return seam.score, -seam.step


def _seam_at(samples: Samples, place: int, sample_rate: int) -> Seam:
    return seam_of(Audio(np.roll(samples, -place, axis=1), sample_rate))


def samples_of_blocks(blocks: Iterator[Samples], num_samples: int) -> Samples:
    """Return the first ``num_samples`` samples of blocks in one array."""
    return np.concatenate(list(blocks), axis=1)[:, :num_samples]
