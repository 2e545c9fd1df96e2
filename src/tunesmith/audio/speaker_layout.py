"""Speakers: channel order by WAVE_FORMAT_EXTENSIBLE's mask or by convention, and the channel weights of loudness.

A mask has one bit per speaker; channels come in the order of the bits: front left, front right, centre, LFE, back
left, back right, left of centre, right of centre, back centre, side left, side right, then those above the listener.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# SPEAKER_LOW_FREQUENCY in a WAV channel mask.
LFE = 1 << 3
BACK, SIDES = 1 << 4 | 1 << 5, 1 << 9 | 1 << 10
# +1.5 dB (BS.1770-4, table 3).
SURROUND_WEIGHT = 1.41

USUAL_MASKS: Mapping[int, int] = MappingProxyType(
    {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
)
"""Default masks by number of channels, as FLAC defines them (RFC 9639, 9.1.3): 5.1 is 6 channels, 7.1 is 8."""

VORBIS_ORDERS: Mapping[int, tuple[int, ...]] = MappingProxyType({
    3: (0, 2, 1), 5: (0, 2, 1, 3, 4), 6: (0, 2, 1, 4, 5, 3), 7: (0, 2, 1, 5, 6, 4, 3), 8: (0, 2, 1, 6, 7, 4, 5, 3),
})  # fmt: skip
"""The WAV channel for each channel of Vorbis and Opus: left, centre, right, sides, back, LFE (Vorbis I, 4.3.9)."""


def weights(channels: int, channel_mask: int | None = None) -> tuple[float, ...]:
    """Return the channel weights of BS.1770-4, (channels,): 0 for the LFE, 1.41 for surrounds, 1 for others.

    Surrounds are the speakers 60° to 120° from the front: the sides, or the back speakers if there are no sides.
    """
    mask = channel_mask or USUAL_MASKS.get(channels, 0)
    bits = [1 << place for place in range(32) if mask >> place & 1]
    # The usual 5.1 mask calls its surrounds back speakers, though they stand at the sides.
    surrounds = mask & SIDES or (mask & BACK if channels > 2 else 0)
    of_bit = [0.0 if bit == LFE else SURROUND_WEIGHT if bit & surrounds else 1.0 for bit in bits]
    # A mask may name fewer or more speakers than there are channels.
    return tuple((of_bit + [1.0] * channels)[:channels])


def from_vorbis(channels: int) -> tuple[int, ...] | None:
    """Return the Vorbis channel for each WAV channel; None if the orders are the same."""
    order = VORBIS_ORDERS.get(channels)
    return None if order is None else tuple(order.index(place) for place in range(channels))


def to_vorbis(channels: int) -> tuple[int, ...] | None:
    """Return the WAV channel for each Vorbis channel; None if the orders are the same."""
    return VORBIS_ORDERS.get(channels)
