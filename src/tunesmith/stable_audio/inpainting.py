"""Inpainting: masks over latents for regions of samples, and the source's own samples pasted back outside them.

source      ───────────────┐           ┌──────────── unchanged, bit for bit
made                        ╲_________╱              equal-power fades inside the region
region                      │←───────→│
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tunesmith.audio.edit import fade_curve
from tunesmith.audio.spool import Samples
from tunesmith.errors import InvalidRequest
from tunesmith.stable_audio.noise import Latents
from tunesmith.stable_audio.windows import SampleReader

FADE_SECONDS = 0.03
CONTEXT_SECONDS = 10.0
"""How much of a long recording is given on both sides of what is repainted in it, at most."""


@dataclass(frozen=True, slots=True)
class SampleRegion:
    """A stretch of samples to make anew, from ``first`` up to ``last``."""

    first: int
    last: int


def kept_mask(regions: Sequence[SampleRegion], num_samples: int, num_latents: int, hop_size: int) -> Latents:
    """Return the mask (latents,): 1 for latents whose first sample is kept, 0 for those to be made.

    Nothing past ``num_samples`` is kept.
    """
    # The reference scales its mask by the nearest sample: a latent counts by the first of its own.
    starts = np.arange(num_latents) * hop_size
    kept = starts < num_samples
    for region in regions:
        kept &= (starts < region.first) | (starts >= region.last)
    return kept.astype(np.float32)


def paste_source(
    blocks: Iterable[Samples], source: SampleReader, regions: Sequence[SampleRegion], num_samples: int, sample_rate: int
) -> Iterator[Samples]:
    """Yield the blocks of new audio inside the regions, and the source's samples outside them.

    Short fades of equal power lie inside the regions, except where a region begins or ends the audio of
    ``num_samples``. The source has to have samples a little into a region.
    """
    position = 0
    for block in blocks:
        last = position + block.shape[1]
        original = source(position, last)
        rise, fall = _gains(regions, position, last, num_samples, sample_rate)
        # Gains of equal power let two peaks add up to more than full scale.
        faded = np.clip(block * rise + original * fall, -1, 1)
        mixed = np.where(rise == 0, original, np.where(fall == 0, block, faded))
        yield np.asarray(mixed, np.float32)
        position = last


def repainted_spans(
    regions: Sequence[SampleRegion], num_samples: int, longest: int, sample_rate: int
) -> list[tuple[SampleRegion, tuple[SampleRegion, ...]]]:
    """Return the spans of a long recording, at most ``longest`` samples, each with the regions inside it.

    Spans do not overlap. Raises InvalidRequest for a region without room for its surroundings.
    """
    context = round(CONTEXT_SECONDS * sample_rate)
    groups: list[list[SampleRegion]] = []
    for region in regions:
        if region.last - region.first + 2 * context > longest:
            most, seconds = (longest - 2 * context) / sample_rate, (region.last - region.first) / sample_rate
            raise InvalidRequest(
                "repaint", f"in so long a recording, regions are at most {most:g} s, got {seconds:g} s"
            )
        if groups and region.last + 2 * context - groups[-1][0].first <= longest:
            groups[-1].append(region)
        else:
            groups.append([region])
    # Between two spans each gets half of what lies between their regions.
    between = [(before[-1].last + after[0].first) // 2 for before, after in pairwise(groups)]
    limits = zip([0, *between], [*between, num_samples], strict=True)
    return [
        (SampleRegion(max(low, group[0].first - context), min(high, group[-1].last + context)), tuple(group))
        for group, (low, high) in zip(groups, limits, strict=True)
    ]


def _gains(
    regions: Sequence[SampleRegion], first: int, last: int, num_samples: int, sample_rate: int
) -> tuple[Samples, Samples]:
    """Return the gains of the new audio and of the source for the samples from ``first`` up to ``last``."""
    rise, fall = np.zeros(last - first, np.float32), np.ones(last - first, np.float32)
    for region in regions:
        start, stop = max(region.first, first), min(region.last, last)
        if start >= stop:
            continue
        # Both fades of a short region take at most half of it.
        size = min(round(FADE_SECONDS * sample_rate), (region.last - region.first) // 4)
        # Samples into the region, and samples left of it: what the source fades out and in over.
        into = np.arange(start - region.first, stop - region.first) if region.first > 0 else None
        left = np.arange(region.last - start, region.last - stop, -1) - 1 if region.last < num_samples else None
        chosen = slice(start - first, stop - first)
        rise[chosen], fall[chosen] = 1, 0
        for distance in (into, left):
            if distance is not None:
                _fade(rise[chosen], fall[chosen], distance, fade_curve(size))
    return rise, fall


def _fade(rise: Samples, fall: Samples, distance: npt.NDArray[np.int64], curve: Samples) -> None:
    """Apply a fade to the gains in place, by the distance of each sample from the edge of its region."""
    near = np.flatnonzero(distance < curve.size)
    rise[near], fall[near] = curve[distance[near]], curve[::-1][distance[near]]
