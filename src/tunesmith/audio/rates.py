"""Lengths and positions of a sound at another sample rate."""

from __future__ import annotations


def resampled_length(num_samples: int, rate_in: int, rate_out: int) -> int:
    """Return how many samples the resampled sound has: exact integer rounding, halves up."""
    return (2 * num_samples * rate_out + rate_in) // (2 * rate_in)
