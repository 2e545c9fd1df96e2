"""What a transformer's step is conditioned on: inputs of its graph that stay the same from step to step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
GLOBAL_CONDITION, KEY_BIAS = "global_condition", "key_bias"
CROSS_INPUTS = ("cross_key_", "cross_value_")
NEVER = -1e9
"""The bias of a key that gets no attention."""


@dataclass(frozen=True, slots=True)
class Conditioning:
    """The text and the numbers of one or more rows, as inputs of the transformer's graph by name."""

    inputs: Mapping[str, Array]

    @property
    def rows(self) -> int:
        """Rows of the batch."""
        return len(self.inputs[KEY_BIAS])


@dataclass(frozen=True, slots=True)
class LocalCondition:
    """The kept latents of inpainting, as inputs of the transformer's graph by name."""

    inputs: Mapping[str, Array]


def stack(conditionings: Sequence[Conditioning]) -> Conditioning:
    """Join the rows of several conditionings with the same numbers, such as the branches of guidance.

    Shorter texts get keys without attention. Raises ValueError if the numbers differ, which the rows of a batch share.
    """
    base = conditionings[0].inputs[GLOBAL_CONDITION]
    if any(not np.array_equal(one.inputs[GLOBAL_CONDITION], base) for one in conditionings):
        raise ValueError("the rows of a batch have the same length in seconds")
    most = max(one.inputs[KEY_BIAS].shape[-1] for one in conditionings)
    joined: dict[str, Array] = {GLOBAL_CONDITION: base}
    for name in conditionings[0].inputs:
        if name == KEY_BIAS:
            joined[name] = np.concatenate([_pad(one.inputs[name], most, 3, NEVER) for one in conditionings])
        elif name.startswith(CROSS_INPUTS):
            joined[name] = np.concatenate([_pad(one.inputs[name], most, 1, 0) for one in conditionings])
    return Conditioning(joined)


def key_bias(tokens: int, num_padding: int, num_numbers: int) -> Array:
    """Return what is added to the scores of the keys: (1, 1, 1, tokens + 1 + numbers).

    One key stands for all the padding: equal keys get the attention of one with the logarithm of their number added.
    """
    bias = np.zeros((1, 1, 1, tokens + 1 + num_numbers), np.float32)
    bias[..., tokens] = math.log(num_padding) if num_padding else NEVER
    return bias


def without_context(conditioning: Conditioning) -> Conditioning:
    """Return the conditioning of zeros in place of text and numbers: one key and its value of zeros.

    The projections have no biases and the norm of zero is zero, so cross-attention adds nothing. The global condition
    stays.
    """
    inputs = {
        name: np.zeros((len(array), 1, array.shape[2]), np.float32) if name.startswith(CROSS_INPUTS) else array
        for name, array in conditioning.inputs.items()
    }
    return Conditioning({**inputs, KEY_BIAS: np.zeros((conditioning.rows, 1, 1, 1), np.float32)})


def _pad(array: Array, length: int, axis: int, value: float) -> Array:
    missing = [(0, 0)] * array.ndim
    missing[axis] = (0, length - array.shape[axis])
    return np.pad(array, missing, constant_values=value)
