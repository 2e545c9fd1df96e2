"""torch, or a clear word on how to get it: the only place that imports it."""

from __future__ import annotations

from tunesmith.errors import ModelNotInstalled
from tunesmith.extras import install_command

try:
    import torch
except ImportError as error:
    raise ModelNotInstalled(f"this device needs torch: {install_command('cuda')}") from error

__all__ = ["torch"]
