"""Arrays of the AudioCraft API: PyTorch's tensors where it is installed, else NumPy arrays that answer the same calls.

PyTorch is imported with the first result, not before: it takes seconds, and reading the classes does not need it.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.audiocraft.errors import ArgumentError

Tensor = Any
"""A ``torch.Tensor`` where PyTorch is installed, else a TensorArray."""


class TensorArray(np.ndarray[Any, Any]):
    """A NumPy array with the calls of ``torch.Tensor`` that scripts for AudioCraft make on their results."""

    @property
    def device(self) -> Literal["cpu"]:
        """The name of the device, which is always the processor."""
        return "cpu"

    def cpu(self) -> Self:
        """Return the array itself, which is in the processor's memory."""
        return self

    def detach(self) -> Self:
        """Return the array itself, which has no gradients."""
        return self

    def to(self, *_device_or_type: object, **_options: object) -> Self:
        """Return the array itself, whatever the device."""
        return self

    def numpy(self) -> NDArray[Any]:
        """Return the same memory as a plain array."""
        return self.view(np.ndarray)

    def clone(self) -> Self:
        """Return a copy."""
        return self.copy()

    def float(self) -> TensorArray:
        """Return the array in float32."""
        return self.astype(np.float32).view(TensorArray)

    def dim(self) -> int:
        """Return the number of dimensions."""
        return self.ndim

    def t(self) -> Self:
        """Return the transposed array."""
        return self.T

    def unsqueeze(self, dim: int) -> Self:
        """Return the array with a new dimension of size 1."""
        return np.expand_dims(self, dim).view(type(self))

    def expand(self, *sizes: int) -> Self:
        """Return the array repeated along its dimensions of size 1; -1 keeps a size."""
        kept = self.shape[::-1]
        wanted = [kept[k] if size == -1 else size for k, size in enumerate(reversed(sizes))]
        return np.broadcast_to(self, wanted[::-1]).view(type(self))


def has_torch() -> bool:
    """Return whether PyTorch can be imported."""
    return "torch" in sys.modules or _finds_torch()


@cache
def _finds_torch() -> bool:
    return find_spec("torch") is not None


def to_tensor(array: NDArray[Any]) -> Tensor:
    """Return the array as the caller expects results: see ``Tensor``."""
    if not has_torch():
        return np.ascontiguousarray(array).view(TensorArray)
    import torch

    return torch.from_numpy(np.ascontiguousarray(array))


def to_array(value: object, field: str) -> NDArray[Any]:
    """Return a tensor of PyTorch or an array as a plain NumPy array. Raises ArgumentError for anything else."""
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray)
    if not (hasattr(value, "detach") and hasattr(value, "cpu")):
        raise ArgumentError(field, f"must be a tensor or an array, got {type(value).__name__}")
    tensor = value.detach().cpu()
    # NumPy has no bfloat16.
    array: NDArray[Any] = tensor.float().numpy() if "bfloat16" in str(tensor.dtype) else tensor.numpy()
    return array


def to_samples(value: object, field: str) -> NDArray[np.float32]:
    """Return audio as an array of float32. Raises ArgumentError for anything but finite floating-point samples."""
    array = to_array(value, field)
    if array.dtype.kind != "f":
        raise ArgumentError(field, f"must have floating-point samples, got {array.dtype}")
    if not np.isfinite(array).all():
        raise ArgumentError(field, "has samples that are NaN or infinite")
    return array.astype(np.float32, copy=False)


def draw_seeds(count: int) -> list[int]:
    """Draw a seed for each item of a batch from the caller's global generator, so that its seed repeats the music.

    That is the generator of ``torch.manual_seed`` where PyTorch is installed, else that of ``numpy.random.seed``.
    """
    if has_torch():
        import torch

        return [int(seed) for seed in torch.randint(0, 2**31 - 1, (count,))]
    return [int(seed) for seed in np.random.randint(0, 2**31 - 1, count)]  # noqa: NPY002  the caller seeds this one
