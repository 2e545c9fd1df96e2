"""Long pieces: runs of the network one after the other, each of which continues the end of the one before.

run 0   |0 ─────────────── 110 s|
run 1                   |90 ─────────────── 200 s|       the first 20 s are kept by inpainting
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tunesmith.stable_audio.architecture import StableAudioArchitecture

# A run has room for its headroom below the 120 s of the longest one.
RUN_SECONDS, KEPT_SECONDS = 110.0, 20.0


@dataclass(frozen=True, slots=True)
class RunSpan:
    """The latents of a run: it covers ``first`` up to ``last``, and those before ``start`` are kept."""

    first: int
    start: int
    last: int


def plan_runs(architecture: StableAudioArchitecture, num_latents: int) -> tuple[RunSpan, ...]:
    """Return the runs of a piece whose audio takes ``num_latents``, equally long; one where it fits into a run.

    Every run begins and ends at an even latent, apart from the end of the piece.
    """
    if num_latents <= architecture.max_latents:
        return (RunSpan(0, 0, num_latents),)
    latent_rate = architecture.sample_rate / architecture.hop_size
    longest = min(even(RUN_SECONDS * latent_rate), architecture.max_latents)
    kept = min(even(KEPT_SECONDS * latent_rate), longest // 2)
    count = math.ceil((num_latents - kept) / (longest - kept))
    # Equal runs, so that the last is no short end without room for a form of its own.
    size = 2 * math.ceil((num_latents - kept) / (2 * count))
    return tuple(
        RunSpan(number * size, number * size + kept * (number > 0), min(number * size + size + kept, num_latents))
        for number in range(count)
    )


def even(number: float) -> int:
    """Return the largest even number up to this one."""
    # The autoencoder works on pairs of latents that start at an even one.
    return 2 * int(number / 2)
