"""Quantization: weights as integers of a few bits in blocks, each block with its own scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Quantization:
    """Weights of ``bits`` bits in blocks of ``block_size`` along the input; the arithmetic is in int8."""

    bits: int
    block_size: int


QUANTIZATIONS: Mapping[str, Quantization | None] = {
    "int8": Quantization(8, 128),
    "int8-32": Quantization(8, 32),
    "int4": Quantization(4, 32),
    "none": None,
}
"""The quantizations of graphs by their ``--quantize`` name; the first is the default."""

FOR_GPU = "float16"
"""The ``--quantize`` value for a GPU: PyTorch weights in place of the transformer graphs."""
FORMS = (*QUANTIZATIONS, FOR_GPU)
"""All values of ``--quantize``."""


def quantize(weight: NDArray[np.float32], quantization: Quantization) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Quantize (outputs, inputs) symmetrically about the middle of the range, in the layout of MatMulNBits.

    Returns the packed integers (outputs, blocks, bytes per block) and the scales (outputs, blocks). The largest
    magnitude
    of a block falls on the negative end of the range, so that clipping changes no value by more than half a step.
    """
    outputs, inputs = weight.shape
    blocks = -(-inputs // quantization.block_size)
    padded = np.zeros((outputs, blocks * quantization.block_size), np.float32)
    padded[:, :inputs] = weight
    grouped = padded.reshape(outputs, blocks, quantization.block_size)
    half = 2 ** (quantization.bits - 1)
    strongest = np.abs(grouped).argmax(-1)[..., None]
    # Divide by -half: the negative end of the range has one step more than the positive one.
    scales = (np.take_along_axis(grouped, strongest, -1)[..., 0] / -half).astype(np.float32)
    # A block of zeros must not divide by zero.
    scales[scales == 0] = np.float32(1e-8)
    codes = np.clip(np.rint(grouped / scales[..., None]) + half, 0, 2 * half - 1).astype(np.uint8)
    if quantization.bits == 4:
        codes = codes[..., 0::2] | (codes[..., 1::2] << 4)
    return codes, scales
