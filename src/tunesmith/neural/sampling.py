"""Sampling: temperature, top-p or top-k, and a draw that depends on its key alone.

The draw of a code is keyed by (seed, frame, codebook): a sequence gets the same codes alone or in any batch, and a
longer sequence starts like a shorter one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest, ModelFileError

GREEDY_BELOW = 1e-6
"""The temperature below which sampling is greedy: so close to zero the division would overflow."""

Codes = NDArray[np.int64]
Logits = NDArray[np.float32]
Uniforms = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How codes are drawn.

    ``temperature`` 0 takes the most likely code. ``top_p`` above 0 replaces ``top_k``; ``top_k`` 0 keeps every code.
    Raises InvalidRequest for a value out of range.
    """

    temperature: float = 1.0
    top_k: int = 250
    top_p: float = 0.0

    def __post_init__(self) -> None:
        for field, value, most in (("temperature", self.temperature, 1e3), ("top_p", self.top_p, 1.0)):
            if not 0 <= value <= most:
                raise InvalidRequest(field, f"must be 0 to {most:g}, got {value!r}")
        if self.top_k < 0:
            raise InvalidRequest("top_k", f"must be at least 0, got {self.top_k!r}")


def uniforms(seed: int, frames: int, num_codebooks: int) -> Uniforms:
    """Return the uniform draws of a sequence, (frames, codebooks) in [0, 1); fewer frames are a prefix of more."""
    # Philox takes the seed as its key: the streams of neighbouring seeds are independent.
    # Rows are filled in the order of frames, so a longer draw begins with the shorter one.
    return np.random.Generator(np.random.Philox(key=seed)).random((frames, num_codebooks))


def sample(logits: Logits, draws: Uniforms, settings: DrawSettings) -> Codes:
    """Draw one code per codebook from logits (codebooks, size) with the uniforms (codebooks,); return (codebooks,).

    Codes that tie with the last kept one are kept too. Raises ModelFileError if a score is not finite.
    """
    best = logits.max(axis=1, keepdims=True)
    if not np.isfinite(best).all():
        raise ModelFileError("decoder", "its logits are not finite: the weights are damaged")
    if settings.temperature < GREEDY_BELOW:
        likeliest: Codes = logits.argmax(axis=1)
        return likeliest
    # A threshold instead of a sort of all codes: only the kept scores are exponentiated.
    least = _least_by_p(logits, settings) if settings.top_p > 0 else _least_by_k(logits, settings.top_k)
    kept = np.flatnonzero(logits >= least)
    scores = (logits - best).ravel()[kept]
    # In float32 the cumulative sum over all codebooks would lose small weights.
    return _draw(kept, np.exp(scores.astype(np.float64) / settings.temperature), draws, logits.shape[1])


def _least_by_k(logits: Logits, top_k: int) -> Logits:
    """Return the lowest kept score, (codebooks, 1)."""
    size = logits.shape[1]
    if not 0 < top_k < size:
        lowest: Logits = logits.min(axis=1, keepdims=True)
        return lowest
    place = size - top_k
    # A partition is linear in the number of codes; a sort is not.
    least: Logits = np.partition(logits, place, axis=1)[:, place : place + 1]
    return least


def _least_by_p(logits: Logits, settings: DrawSettings) -> Logits:
    """Return the lowest kept score, (codebooks, 1): the most likely codes until their sum reaches ``top_p``."""
    # NumPy sorts only upwards.
    falling = -np.sort(-logits, axis=1)
    weights = np.exp((falling - falling[:, :1]).astype(np.float64) / settings.temperature)
    held = np.cumsum(weights, axis=1)
    # Compare the sum before each code, so that the code that crosses the limit is kept.
    last = (held - weights <= settings.top_p * held[:, -1:]).sum(axis=1, keepdims=True) - 1
    return np.take_along_axis(falling, last, axis=1)


def _draw(kept: Codes, weights: NDArray[np.float64], draws: Uniforms, size: int) -> Codes:
    """Invert the cumulative weights of each codebook, in code order.

    ``kept`` (indices codebook x ``size`` + code) and ``weights`` hold all codebooks one after the other. A code of
    weight zero is never drawn.
    """
    # ``kept`` ascends, so one search finds where each codebook begins in it.
    bounds = np.searchsorted(kept, np.arange(len(draws) + 1) * size)
    cumulative = np.cumsum(weights)
    starts, stops = np.append(0.0, cumulative)[bounds[:-1]], cumulative[bounds[1:] - 1]
    # Rounding could lift the target to the end of the range, which belongs to the next codebook.
    targets = np.minimum(starts + draws * (stops - starts), np.nextafter(stops, 0))
    codes: Codes = kept[np.searchsorted(cumulative, targets, side="right")] % size
    return codes
