"""What a checkpoint's weights must be, taken from the transformers model that wrote it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

UNUSED = ("embed_positions", "inited", "cluster_size", "embed_avg", "encoder.embed_tokens.weight")


def true_weights(model: Any) -> dict[str, NDArray[np.float32]]:
    """Return every weight by name; those with weight norm as torch itself computes them."""
    weights: dict[str, NDArray[np.float32]] = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("parametrizations.weight.original0"):
            module = model.get_submodule(name.removesuffix(".parametrizations.weight.original0"))
            weights[name.replace("parametrizations.weight.original0", "weight")] = module.weight.detach().numpy()
        elif "parametrizations" not in name and not name.endswith(UNUSED) and "embed_positions" not in name:
            weights[name] = tensor.numpy()
    return weights
