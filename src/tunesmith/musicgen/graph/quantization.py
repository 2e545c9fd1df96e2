"""Quantization: weights as integers of a few bits in blocks, each block with its own scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Quantization:
    """Weights of ``bits`` in blocks of ``block_size`` along the input; the arithmetic is in int8."""

    bits: int
    block_size: int


QUANTIZATIONS: Mapping[str, Quantization | None] = {
    "int8": Quantization(8, 128),
    "int8-32": Quantization(8, 32),
    "int4": Quantization(4, 32),
    "none": None,
}
"""How graphs keep their weights, by the name ``--quantize`` takes; the first is the default."""

FOR_GPU = "float16"
"""What ``--quantize`` takes for a GPU: no graphs of the transformers, but their weights for PyTorch."""
FORMS = (*QUANTIZATIONS, FOR_GPU)
"""Everything ``--quantize`` takes."""


def quantize(weight: NDArray[np.float32], quantization: Quantization) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Quantize (outputs, inputs) symmetrically about the middle of the range, as MatMulNBits reads it.

    Returns the packed integers (outputs, blocks, bytes a block) and the scales (outputs, blocks). A block's largest
    value by magnitude falls on the range's negative end, so that no value is clipped by more than half a step.
    """
    outputs, inputs = weight.shape
    blocks = -(-inputs // quantization.block_size)
    padded = np.zeros((outputs, blocks * quantization.block_size), np.float32)
    padded[:, :inputs] = weight
    grouped = padded.reshape(outputs, blocks, quantization.block_size)
    half = 2 ** (quantization.bits - 1)
    strongest = np.abs(grouped).argmax(-1)[..., None]
    scales = (np.take_along_axis(grouped, strongest, -1)[..., 0] / -half).astype(np.float32)
    scales[scales == 0] = np.float32(1e-8)
    codes = np.clip(np.rint(grouped / scales[..., None]) + half, 0, 2 * half - 1).astype(np.uint8)
    if quantization.bits == 4:
        codes = codes[..., 0::2] | (codes[..., 1::2] << 4)
    return codes, scales
