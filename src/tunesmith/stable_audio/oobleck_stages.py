"""What stretches of Oobleck need around them to be exact, and where its decoder is cut in two."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from tunesmith.stable_audio.architecture import OobleckShape

DILATIONS = (1, 3, 9)
"""The dilations of the three residual units of a block."""
REACH = 3
"""Positions on each side that a convolution of kernel 7 reads, without dilation."""
UNITS_REACH = REACH * sum(DILATIONS)
"""Positions on each side that the three residual units read."""


@dataclass(frozen=True, slots=True)
class OobleckStages:
    """The strides of the decoder's head and tail, and the number of channels between them.

    The head has few positions, many channels and nearly all of the reach. The tail has the rest of the blocks.
    """

    head_strides: tuple[int, ...]
    tail_strides: tuple[int, ...]
    width: int

    @classmethod
    def of(cls, shape: OobleckShape) -> OobleckStages:
        """Cut the decoder of this shape in the middle."""
        strides = shape.strides[::-1]
        cut = len(strides) // 2
        widths = [shape.channels * multiple for multiple in (1, *shape.multiples)]
        return cls(strides[:cut], strides[cut:], widths[len(strides) - cut])

    @property
    def positions(self) -> int:
        """Positions of a latent between head and tail."""
        return prod(self.head_strides)

    @property
    def samples(self) -> int:
        """Samples of a position between head and tail."""
        return prod(self.tail_strides)

    @property
    def context(self) -> int:
        """Positions on each side that the tail needs to be exact."""
        return _before_blocks(self.tail_strides, REACH)


def decoder_context(shape: OobleckShape) -> int:
    """Return the latents on each side that make a decoded stretch exact: 10 at the published strides."""
    return _before_blocks(shape.strides[::-1], REACH) + REACH


def encoder_context(shape: OobleckShape) -> int:
    """Return the latents on each side that make an encoded stretch exact: 8 at the published strides."""
    # The last convolution has kernel 3. Walk back: the rate grows by the stride, then each layer adds its reach.
    need = 1
    for stride in reversed(shape.strides):
        need = need * stride + -(-stride // 2) + UNITS_REACH
    return -(-(need + REACH) // shape.hop_size)


def _before_blocks(strides: tuple[int, ...], need: int) -> int:
    """Return the positions needed before blocks of the decoder where ``need`` are needed after them."""
    # Walk back: each layer adds its reach, then the rate drops by the stride.
    for stride in reversed(strides):
        need = -(-(need + UNITS_REACH) // stride) + 1
    return need
