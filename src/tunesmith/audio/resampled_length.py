"""Lengths and positions at another sample rate."""

from __future__ import annotations


def resampled_length(num_samples: int, rate_in: int, rate_out: int) -> int:
    """Return the length in samples after resampling between rates in Hz: exact integer rounding, halves up."""
    return (2 * num_samples * rate_out + rate_in) // (2 * rate_in)
