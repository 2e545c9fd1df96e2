"""The operators of our graphs in torch, by their names in ONNX and ONNX Runtime: the table that a TorchGraph looks up.

Shapes, axes and other integers stay on the CPU, so that no operator waits for the GPU. Norms compute in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tunesmith.neural.torch.device import torch

functional = torch.nn.functional
Values = Sequence["torch.Tensor | None"]
Operation = Callable[..., Any]
"""Takes the inputs of a node, None where one is left out, and its attributes by name; returns a tensor or several."""


def _conv(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, **attributes: Any) -> torch.Tensor:
    axes = weight.ndim - 2
    pads = attributes.get("pads", [0] * 2 * axes)
    # torch pads from the last axis on, ONNX lists the starts of all axes and then the ends.
    sides = [side for axis in reversed(range(axes)) for side in (pads[axis], pads[axes + axis])]
    strides, dilations = (attributes.get(name, [1] * axes) for name in ("strides", "dilations"))
    convolve = {1: functional.conv1d, 2: functional.conv2d}[axes]
    return convolve(functional.pad(x, sides), weight, bias, strides, 0, dilations, attributes.get("group", 1))


def _expand(x: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    # An axis of size 1 in the shape keeps the size that x has.
    return x * torch.ones(shape.tolist(), dtype=x.dtype, device=x.device)


def _gather(x: torch.Tensor, index: torch.Tensor, axis: int = 0) -> torch.Tensor:
    found = torch.index_select(x, axis, index.to(x.device).reshape(-1))
    return found.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def _pad(x: torch.Tensor, pads: torch.Tensor) -> torch.Tensor:
    both, axes = pads.tolist(), x.ndim
    return functional.pad(x, [side for axis in reversed(range(axes)) for side in (both[axis], both[axes + axis])])


def _reshape(x: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(shape.tolist())])


def _shape(x: torch.Tensor, start: int = 0, end: int | None = None) -> torch.Tensor:
    return torch.tensor(x.shape[start:end], dtype=torch.int64)


def _slice(x: torch.Tensor, starts: torch.Tensor, ends: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
    cuts = [slice(None)] * x.ndim
    for start, end, axis in zip(starts.tolist(), ends.tolist(), axes.tolist(), strict=True):
        cuts[axis] = slice(start, end)
    return x[tuple(cuts)]


def _split(x: torch.Tensor, axis: int = 0, num_outputs: int = 2) -> Sequence[torch.Tensor]:
    return x.tensor_split(num_outputs, dim=axis)


def _squeeze(x: torch.Tensor, axes: torch.Tensor | None = None) -> torch.Tensor:
    return x.squeeze() if axes is None else x.squeeze(tuple(axes.tolist()))


def _unsqueeze(x: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
    for axis in sorted(axes.tolist()):
        x = x.unsqueeze(axis)
    return x


def _rms_norm(x: torch.Tensor, gain: torch.Tensor, epsilon: float = 1e-5, axis: int = -1) -> torch.Tensor:
    # Sums of squares overflow or lose digits in half precision.
    wide = x.float()
    return wide * torch.rsqrt(wide.square().mean(axis, keepdim=True) + epsilon) * gain


def _layer_norm(
    x: torch.Tensor, gain: torch.Tensor, shift: torch.Tensor, epsilon: float = 1e-5, axis: int = -1
) -> torch.Tensor:
    assert axis == -1
    return functional.layer_norm(x.float(), gain.shape, gain, shift, epsilon)


def _add_and_rms_norm(
    x: torch.Tensor, update: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor | None = None, epsilon: float = 1e-5
) -> tuple[torch.Tensor | None, ...]:
    total = x + update if bias is None else x + update + bias
    return _rms_norm(total, gain, epsilon), None, None, total


def _add_and_layer_norm(
    x: torch.Tensor, update: torch.Tensor, gain: torch.Tensor, shift: torch.Tensor, bias: torch.Tensor | None = None,
    epsilon: float = 1e-5,
) -> tuple[torch.Tensor | None, ...]:  # fmt: skip
    total = x + update if bias is None else x + update + bias
    return _layer_norm(total, gain, shift, epsilon), None, None, total


def _rotary(
    x: torch.Tensor, first: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor, *, num_heads: int,
    rotary_embedding_dim: int, interleaved: int,
) -> torch.Tensor:  # fmt: skip
    assert not interleaved
    rows, positions, _ = x.shape
    heads, half, start = x.view(rows, positions, num_heads, -1), rotary_embedding_dim // 2, int(first)
    cosine, sine = (table[start : start + positions, None, :] for table in (cosines, sines))
    one, other, rest = heads[..., :half], heads[..., half : 2 * half], heads[..., 2 * half :]
    turned = one * cosine - other * sine, other * cosine + one * sine, rest
    return torch.cat(turned, dim=-1).flatten(2)


def _attend(
    dtype: torch.dtype, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, *others: Any, num_heads: int,
    scale: float | None = None,
) -> torch.Tensor:  # fmt: skip
    """Attend in ``dtype``: (rows, positions, heads x head) each; the third of the others is added to the scores."""
    bias = others[2] if len(others) > 2 else None
    assert not any(one is not None for one in others[:2])
    query, key, value = (x.to(dtype).view(*x.shape[:2], num_heads, -1).transpose(1, 2) for x in (queries, keys, values))
    mask = None if bias is None else bias.to(dtype)
    attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
    return attended.transpose(1, 2).flatten(2)


OPERATIONS: Mapping[str, Operation] = {
    "Add": torch.add,
    "Clip": torch.clamp,
    "Concat": lambda *parts, axis: torch.cat(parts, dim=axis),
    "Conv": _conv,
    "Cos": torch.cos,
    "Expand": _expand,
    "Gather": _gather,
    "Gelu": lambda x, approximate="none": functional.gelu(x, approximate=approximate),
    "Identity": lambda x: x,
    "LayerNormalization": _layer_norm,
    "MatMul": torch.matmul,
    "Mod": torch.remainder,
    "Mul": torch.mul,
    "Pad": _pad,
    "QuickGelu": lambda x, alpha: x * torch.sigmoid(alpha * x),
    "Range": lambda start, stop, step: torch.arange(int(start), int(stop), int(step)),
    "Relu": torch.relu,
    "Reshape": _reshape,
    "RotaryEmbedding": _rotary,
    "Shape": _shape,
    "Sigmoid": torch.sigmoid,
    "SimplifiedLayerNormalization": _rms_norm,
    "Sin": torch.sin,
    "SkipLayerNormalization": _add_and_layer_norm,
    "SkipSimplifiedLayerNormalization": _add_and_rms_norm,
    "Slice": _slice,
    "Softmax": lambda x, axis: torch.softmax(x, dim=axis),
    "Split": _split,
    "Squeeze": _squeeze,
    "Sub": torch.sub,
    "Tanh": torch.tanh,
    "Tile": lambda x, repeats: x.tile(tuple(repeats.tolist())),
    "Transpose": lambda x, perm: x.permute(perm),
    "Unsqueeze": _unsqueeze,
}
"""Operators by name; attention has a precision, see ``operator_named``."""


def operator_named(name: str, dtype: torch.dtype) -> Operation:
    """Return the operator of this name, whose attention computes in ``dtype``."""
    return partial(_attend, dtype) if name == "MultiHeadAttention" else OPERATIONS[name]
