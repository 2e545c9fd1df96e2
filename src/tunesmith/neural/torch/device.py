"""The torch device of a model that was installed for a GPU."""

from __future__ import annotations

from typing import Literal

from tunesmith.errors import InvalidRequest, ModelNotInstalled
from tunesmith.extras import install_command

TorchDevice = Literal["cuda", "mps", "cpu"]


def free_memory(device: TorchDevice) -> int | None:
    """Return the number of free bytes on the device; None if the device shares the machine's memory."""
    return torch.cuda.mem_get_info()[0] if device == "cuda" else None


def find_device(wanted: Literal["auto", "cuda", "mps", "cpu"]) -> TorchDevice:
    """Return the device; "auto" selects the available GPU. Raises InvalidRequest if the device is not available."""
    present: dict[TorchDevice, bool] = {
        "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True,
    }  # fmt: skip
    if wanted == "auto":
        if present["cuda"] or present["mps"]:
            return "cuda" if present["cuda"] else "mps"
        # No silent fallback to the CPU: the user installed this model for a GPU.
        problem = "this model was installed for a GPU, and none was found"
        raise InvalidRequest(
            "device", f"{problem}; set TUNESMITH_DEVICE=cpu, or pull it again without --quantize float16"
        )
    if not present[wanted]:
        raise InvalidRequest("device", f"torch finds no {wanted} on this machine")
    return wanted


# The only import of torch: its absence becomes one clear error.
try:
    import torch
except ImportError as error:
    raise ModelNotInstalled(f"this device needs torch: {install_command('cuda')}") from error

__all__ = ["torch"]
