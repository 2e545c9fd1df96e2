"""Layer errors: how far each form of a linear layer is off float32 on the layer's own inputs, and which to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.feed_forward import GROUP
from tunesmith.neural.quantization import LINEAR_FORMS, LinearForm, Quantization, quantize, quantize_rows

Array = NDArray[np.float32]

RELATIVE_TIMES: Mapping[str, float] = {"rows8-corrected": 0.34, "float32": 1.0}
"""The forms to choose from, and the time of a layer in each: measured on a processor with dot products of bytes.

Blockwise forms are left out: they take two thirds of the time of float32 and keep a third of the first form's error.
"""


@dataclass(frozen=True, slots=True)
class LayerErrors:
    """The relative errors of one layer by the name of its form, and its weight's shape (outputs, inputs).

    ``share`` is what the layer helps to add to the hidden states, relative to them: an error of the layer counts for so
    much of itself.
    """

    shape: tuple[int, int]
    by_form: Mapping[str, float]
    share: float = 1.0

    def effect(self, form: str) -> float:
        """Return the error of a form relative to the hidden states."""
        return self.share * self.by_form[form]


def measure_layer(
    inputs: Array, weight: Array, forms: Mapping[str, LinearForm] = LINEAR_FORMS, share: float = 1.0
) -> LayerErrors:
    """Measure every form for the weight (outputs, inputs) and the inputs, (positions, inputs) or of several pieces."""
    exact = inputs @ weight.T
    errors = {name: relative_error(_product(inputs, weight, form), exact) for name, form in forms.items()}
    outputs, width = weight.shape
    return LayerErrors((outputs, width), errors, share)


def relative_error(found: Array, exact: Array) -> float:
    """Return the norm of the error relative to that of the exact values, or as it is where those are all 0."""
    return float(np.linalg.norm(found - exact)) / (float(np.linalg.norm(exact)) or 1.0)


def bfloat16_error(inputs: Array, weight: Array) -> float:
    """Return the relative error of a product whose factors and results are rounded to bfloat16."""
    return relative_error(_bfloat16(_bfloat16(inputs) @ _bfloat16(weight).T), inputs @ weight.T)


def choose_forms(errors: Mapping[str, LayerErrors], share: float) -> dict[str, LinearForm]:
    """Return the cheapest form of each layer such that the whole error falls to ``share`` of that of the fastest forms.

    Errors of layers are independent, so their squares add up. Each change goes to the layer where it removes the most
    error for its time (a greedy choice, as in water filling).
    """
    names = list(RELATIVE_TIMES)
    chosen = dict.fromkeys(errors, 0)
    total = sum(layer.effect(names[0]) ** 2 for layer in errors.values())
    target = total * share**2
    while total > target:
        best = max(
            ((_worth(errors[layer], names, at, step), layer, step)
             for layer, at in chosen.items() for step in range(at + 1, len(names))),
            default=None,
        )  # fmt: skip
        if best is None:
            break
        _, layer, step = best
        total += errors[layer].effect(names[step]) ** 2 - errors[layer].effect(names[chosen[layer]]) ** 2
        chosen[layer] = step
    return {layer: LINEAR_FORMS[names[at]] for layer, at in chosen.items()}


def _worth(layer: LayerErrors, names: list[str], at: int, step: int) -> float:
    """Return the error removed by a change of form for each unit of time."""
    removed = layer.effect(names[at]) ** 2 - layer.effect(names[step]) ** 2
    added = (RELATIVE_TIMES[names[step]] - RELATIVE_TIMES[names[at]]) * prod(layer.shape)
    return removed / added


def _product(inputs: Array, weight: Array, form: LinearForm) -> Array:
    """Return the product as the form computes it."""
    if form is None:
        return inputs @ weight.T
    if isinstance(form, Quantization) and form.bits != 8:
        return _rounded(inputs, form.block_size) @ _dequantize(weight, form).T
    if isinstance(form, Quantization):
        return _rounded(inputs, form.block_size) @ _rounded(weight, form.block_size).T
    # The second product of a feed-forward layer comes in groups, each with its own scales.
    size = GROUP if weight.shape[0] < weight.shape[1] else weight.shape[1]
    groups = [slice(at, at + size) for at in range(0, weight.shape[1], size)]
    products = [_rows(inputs[..., one], weight[:, one], corrected=form.corrected) for one in groups]
    return np.asarray(np.sum(products, axis=0))


def _rows(inputs: Array, weight: Array, *, corrected: bool) -> Array:
    codes, scales = quantize_rows(weight)
    kept = codes * scales[:, None]
    product = _rounded(inputs, inputs.shape[-1]) @ kept.T
    return product + inputs.mean(axis=-2, keepdims=True) @ (weight - kept).T if corrected else product


def _dequantize(weight: Array, form: Quantization) -> Array:
    """Return the weight (outputs, inputs) as it is once quantized in blocks."""
    codes, scales = quantize(weight, form)
    if form.bits == 4:
        codes = np.stack([codes & 15, codes >> 4], axis=-1).reshape(*codes.shape[:2], -1)
    values = (codes.astype(np.float32) - 2 ** (form.bits - 1)) * scales[..., None]
    return np.asarray(values.reshape(len(weight), -1)[:, : weight.shape[1]], np.float32)


def _bfloat16(x: Array) -> Array:
    return x.astype(ml_dtypes.bfloat16).astype(np.float32)


def _rounded(x: Array, block_size: int) -> Array:
    """Round to 8 bits, with one scale for each block of a row."""
    *rows, width = x.shape
    blocks = -(-width // block_size)
    padded = np.zeros((*rows, blocks * block_size), np.float32)
    padded[..., :width] = x
    grouped = padded.reshape(*rows, blocks, block_size)
    steps = np.maximum(np.abs(grouped).max(axis=-1, keepdims=True), 1e-12) / np.float32(127)
    return np.asarray((np.rint(grouped / steps) * steps).reshape(*rows, -1)[..., :width], np.float32)
