"""Whether this machine has a GPU for models that were converted for one."""

from __future__ import annotations

import importlib.util

from tunesmith.errors import InvalidRequest


def has_gpu() -> bool:
    """Return whether torch is installed and finds a GPU."""
    if importlib.util.find_spec("torch") is None:
        return False
    from tunesmith.neural.torch.device import find_device

    try:
        return find_device("auto") != "cpu"
    except InvalidRequest:
        return False
