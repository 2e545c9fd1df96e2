"""torch, or a clear word on how to get it: the only place that imports it."""

from __future__ import annotations

from tunesmith.errors import ModelNotInstalled

try:
    import torch
except ImportError as error:
    raise ModelNotInstalled('this device needs torch: pip install "tunesmith[cuda]"') from error

__all__ = ["torch"]
