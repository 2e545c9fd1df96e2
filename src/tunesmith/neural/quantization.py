"""Quantization: weights as integers of a few bits, in blocks or by output, and the form of each layer of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Quantization:
    """Weights of ``bits`` bits in blocks of ``block_size`` along the input; the arithmetic is in int8."""

    bits: int
    block_size: int


@dataclass(frozen=True, slots=True)
class RowQuantization:
    """Weights of 8 bits with one scale an output; activations of 8 bits with one scale a row, found as the graph runs.

    A product of integers from end to end: the fastest form on processors with dot products of bytes. A loud row does
    not coarsen the others; a loud channel coarsens its row.

    ``corrected`` adds what the rounding of the weight takes from the mean of the activations (bias correction: Nagel
    and others, 2019; here with the mean of the piece at hand). That error is the same at every position, so nothing
    after the layer averages it out; it costs one row of a product.
    """

    corrected: bool = False


LinearForm = Quantization | RowQuantization | None
"""How a linear layer keeps its weight and multiplies; None is float32."""

FLOAT32: LinearForm = None
BLOCKWISE: LinearForm = Quantization(8, 128)
BLOCKWISE_32: LinearForm = Quantization(8, 32)
ROWS: LinearForm = RowQuantization()
ROWS_CORRECTED: LinearForm = RowQuantization(corrected=True)

LINEAR_FORMS: Mapping[str, LinearForm] = {
    "rows8": ROWS, "rows8-corrected": ROWS_CORRECTED, "blockwise8": BLOCKWISE, "blockwise8-32": BLOCKWISE_32,
    "float32": FLOAT32,
}  # fmt: skip
"""The forms of a layer by name, from the fastest to the most exact."""


@dataclass(frozen=True, slots=True)
class LayerForms:
    """The form of each linear layer of a graph: ``by_layer`` where the layer is named there, else a default.

    ``narrowing`` is the default of layers with fewer outputs than inputs, such as the second of a feed-forward, whose
    activations have long tails.
    """

    default: LinearForm = None
    narrowing: LinearForm = None
    by_layer: Mapping[str, LinearForm] = field(default_factory=dict)

    @classmethod
    def all(cls, form: LinearForm) -> LayerForms:
        """Give every layer the same form."""
        return cls(form, form)

    def of(self, layer: str, shape: tuple[int, ...]) -> LinearForm:
        """Return the form of the layer with this name and weight shape (outputs, inputs)."""
        outputs, inputs = shape
        return self.by_layer.get(layer, self.narrowing if outputs < inputs else self.default)


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
    magnitude of a block falls on the negative end of the range, so that clipping changes no value by more than half a
    step.
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
        # MatMulNBits expects the earlier of two weights in the lower half of the byte.
        codes = codes[..., 0::2] | (codes[..., 1::2] << 4)
    return codes, scales


def quantize_rows(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantize (outputs, inputs) to 8 bits with one scale an output; -128 is not used.

    Returns the integers (outputs, inputs) and the scales (outputs,).
    """
    # A row of zeros must not divide by zero.
    # 127, not 128: the same range on both sides of zero.
    scales = np.maximum(np.abs(weight).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    return np.rint(weight / scales[:, None]).astype(np.int8), scales
