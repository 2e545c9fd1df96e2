"""Which device a model that was installed for a GPU runs on."""

from __future__ import annotations

from typing import Literal

from tunesmith.errors import InvalidRequest, ModelNotInstalled
from tunesmith.extras import install_command

TorchDevice = Literal["cuda", "mps", "cpu"]


def free_memory(device: TorchDevice) -> int | None:
    """Return the bytes that are free on the device; None where it shares the machine's memory."""
    return torch.cuda.mem_get_info()[0] if device == "cuda" else None


def find_device(wanted: Literal["auto", "cuda", "mps", "cpu"]) -> TorchDevice:
    """Return the device, "auto" being the GPU there is; raises InvalidRequest where it is not there."""
    present: dict[TorchDevice, bool] = {
        "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True,
    }  # fmt: skip
    if wanted == "auto":
        if present["cuda"] or present["mps"]:
            return "cuda" if present["cuda"] else "mps"
        problem = "this model was installed for a GPU, and there is none"
        raise InvalidRequest(
            "device", f"{problem}; set TUNESMITH_DEVICE=cpu, or pull it again without --quantize float16"
        )
    if not present[wanted]:
        raise InvalidRequest("device", f"there is no {wanted} on this machine that torch can use")
    return wanted


try:
    import torch
except ImportError as error:
    raise ModelNotInstalled(f"this device needs torch: {install_command('cuda')}") from error

__all__ = ["torch"]
