"""Lengths of a piece: the latents that hold it, those that the model writes, and those of the encoded source."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tunesmith.stable_audio.architecture import StableAudioArchitecture

POSITIONS_A_CORE = 512
"""The most positions of a batch for each core: with more, its activations leave the cache, and it takes longer than its
rows one by one."""
HEADROOM_SECONDS = 6.0
"""How far past its end a piece is written where it is to be cut, not to end by itself."""


@dataclass(frozen=True, slots=True)
class LatentLengths:
    """The lengths of a piece.

    ``num_samples`` is that of the audio, ``held`` the number of latents that hold it, ``written`` the number of latents
    that the network writes, at least as many, and ``total`` the number of those of a source padded to be encoded.
    """

    num_samples: int
    held: int
    written: int
    total: int


def most_positions(architecture: StableAudioArchitecture, num_cores: int) -> int:
    """Return the most positions of a batch; it takes no more memory than the longest piece."""
    longest = architecture.diffusion.num_memory_tokens + architecture.max_latents
    return min(POSITIONS_A_CORE * num_cores, longest)


def samples_of(seconds: float, sample_rate: int) -> int:
    """Return the whole samples of a duration in seconds."""
    # Round away float error first: 4.35 s times 44,100 Hz is 191,835 samples, not one less.
    return int(round(seconds * sample_rate, 6))


def latent_lengths(architecture: StableAudioArchitecture, seconds: float, headroom: float) -> LatentLengths:
    """Return the lengths of a piece; the longest piece of a run leaves less headroom, or none.

    Stable Audio Open writes all its latents, whatever the piece needs.
    """
    hop, rate, longest = architecture.hop_size, architecture.sample_rate, architecture.max_latents
    num_samples = samples_of(seconds, rate)
    held = math.ceil(num_samples / hop)
    if not architecture.is_stable_audio_3:
        return LatentLengths(num_samples, held, longest, longest)
    # An even number: the autoencoder works on pairs of latents.
    pairs = math.ceil(samples_of(seconds + headroom, rate) / (2 * hop))
    total = min(2 * pairs, longest)
    # The reference masks what lies beyond; running exactly so many latents is the same, and costs less.
    return LatentLengths(num_samples, held, min(held + samples_of(headroom, rate) // hop, total), total)
